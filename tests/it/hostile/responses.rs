//! Hostile and broken responses.

use std::{io, time::Duration};

use flate2::{Compress, Compression, FlushCompress};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::faulty_proxy::SLOW_INTERVAL;

/// A response that Octopus would not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostileResponse {
    /// Reads the request and sends nothing.
    NoResponse,
    /// Declares a body of 1 TiB and starts to send it.
    HugeContentLength,
    /// Sends chunks as fast as possible without end.
    EndlessBody,
    /// Sends the body one byte at a time without end.
    SlowBody,
    /// Sends a header one byte at a time without end.
    SlowHeaders,
    /// Sends truncated JSON.
    TruncatedJson,
    /// Sends JSON with a million nested lists.
    DeepJson,
    /// Sends an image.
    Image,
    /// Sends less than 4 MiB that decompress to 1 GiB.
    GzipBomb,
    /// Declares gzip encoding but sends plain text.
    InvalidGzip,
    /// Sends chunks with invalid lengths.
    InvalidChunks,
    /// Sends headers without end.
    EndlessHeaders,
    /// Sends one header of 16 MiB.
    HugeHeader,
    /// Resets the connection before the response.
    Reset,
    /// Resets the connection in the body.
    ResetInBody,
    /// Sends a sign-in page with status 200.
    SignInPage,
    /// Sends JSON with invalid UTF-8.
    InvalidUtf8,
    /// Sends the banner of another protocol.
    NotHttp,
}

pub const HOSTILE_RESPONSES: [HostileResponse; 18] = [
    HostileResponse::NoResponse,
    HostileResponse::HugeContentLength,
    HostileResponse::EndlessBody,
    HostileResponse::SlowBody,
    HostileResponse::SlowHeaders,
    HostileResponse::TruncatedJson,
    HostileResponse::DeepJson,
    HostileResponse::Image,
    HostileResponse::GzipBomb,
    HostileResponse::InvalidGzip,
    HostileResponse::InvalidChunks,
    HostileResponse::EndlessHeaders,
    HostileResponse::HugeHeader,
    HostileResponse::Reset,
    HostileResponse::ResetInBody,
    HostileResponse::SignInPage,
    HostileResponse::InvalidUtf8,
    HostileResponse::NotHttp,
];

const JSON: &str = "application/json; charset=utf-8";

impl HostileResponse {
    pub async fn send(self, mut stream: TcpStream) -> io::Result<()> {
        match self {
            Self::NoResponse => {
                tokio::time::sleep(Duration::from_mins(5)).await;
                Ok(())
            }
            Self::HugeContentLength => {
                write_head(&mut stream, JSON, "Content-Length: 1099511627776").await?;
                write_forever(&mut stream, &[b' '; 8 * 1024]).await
            }
            Self::EndlessBody => {
                write_head(&mut stream, JSON, "Transfer-Encoding: chunked").await?;
                write_forever(&mut stream, &chunk(&[b' '; 8 * 1024])).await
            }
            Self::SlowBody => {
                write_head(&mut stream, JSON, "Transfer-Encoding: chunked").await?;
                write_slowly(&mut stream, &chunk(b" ")).await
            }
            Self::SlowHeaders => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX-Drip: ").await?;
                write_slowly(&mut stream, b"x").await
            }
            Self::TruncatedJson => {
                write_response(stream, JSON, br#"{"Items":[{"Id":"Spaces-1","#).await
            }
            Self::DeepJson => write_response(stream, JSON, "[".repeat(1_000_000).as_bytes()).await,
            Self::Image => {
                write_response(stream, "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").await
            }
            Self::GzipBomb => {
                let bomb = gzip_bomb();
                assert!(bomb.len() < 4 * 1024 * 1024, "{}", bomb.len());
                let extra_headers =
                    format!("Content-Encoding: gzip\r\nContent-Length: {}", bomb.len());
                write_head(&mut stream, JSON, &extra_headers).await?;
                stream.write_all(&bomb).await
            }
            Self::InvalidGzip => {
                write_head(&mut stream, JSON, "Content-Encoding: gzip\r\nContent-Length: 7")
                    .await?;
                stream.write_all(b"not gz!").await
            }
            Self::InvalidChunks => {
                write_head(&mut stream, JSON, "Transfer-Encoding: chunked").await?;
                stream.write_all(b"zz\r\n{}\r\n0\r\n\r\n").await
            }
            Self::EndlessHeaders => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                write_forever(&mut stream, b"X-More: and more\r\n").await
            }
            Self::HugeHeader => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX-Enormous: ").await?;
                stream.write_all(&vec![b'x'; 16 * 1024 * 1024]).await?;
                stream.write_all(b"\r\nContent-Length: 2\r\n\r\n{}").await
            }
            Self::Reset => reset(stream),
            Self::ResetInBody => {
                write_head(&mut stream, JSON, "Content-Length: 1000").await?;
                stream.write_all(br#"{"Items":["#).await?;
                stream.flush().await?;
                tokio::time::sleep(SLOW_INTERVAL).await;
                reset(stream)
            }
            Self::SignInPage => {
                let page = b"<!DOCTYPE html><title>Sign in</title><form>Password</form>";
                write_response(stream, "text/html; charset=utf-8", page).await
            }
            Self::InvalidUtf8 => {
                write_response(stream, JSON, b"{\"Items\":[{\"Name\":\"\xff\xfe\xc3\"}]}").await
            }
            Self::NotHttp => stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await,
        }
    }
}

async fn write_head(
    stream: &mut TcpStream,
    content_type: &str,
    extra_headers: &str,
) -> io::Result<()> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{extra_headers}\r\n\r\n");
    stream.write_all(head.as_bytes()).await
}

async fn write_response(mut stream: TcpStream, content_type: &str, body: &[u8]) -> io::Result<()> {
    write_head(&mut stream, content_type, &format!("Content-Length: {}", body.len())).await?;
    stream.write_all(body).await
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

async fn write_forever(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(piece).await?;
    }
}

async fn write_slowly(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(piece).await?;
        tokio::time::sleep(SLOW_INTERVAL).await;
    }
}

/// Closes the connection with a reset (RST), which discards unsent data.
#[expect(clippy::needless_pass_by_value, reason = "the stream is closed by dropping it")]
fn reset(stream: TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

/// Returns a gzip stream of 1 GiB of spaces. A full flush makes the compressed MiB independent of
/// earlier data, so it can be repeated.
fn gzip_bomb() -> Vec<u8> {
    let plain = vec![b' '; 1024 * 1024];
    let mut compressor = Compress::new(Compression::best(), false);
    let mut compressed = Vec::with_capacity(64 * 1024);
    compressor.compress_vec(&plain, &mut compressed, FlushCompress::Full).unwrap();
    assert_eq!(compressor.total_in(), plain.len() as u64);
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    for _ in 0..1024 {
        bomb.extend_from_slice(&compressed);
    }
    bomb
}
