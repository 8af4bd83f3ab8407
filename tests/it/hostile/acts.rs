//! Hostile and broken responses.

use std::{io, time::Duration};

use flate2::{Compress, Compression, FlushCompress};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::front::DROP;

/// A response that Octopus would not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Reads the request and sends nothing.
    Silence,
    /// Declares a body of 1 TiB and starts to send it.
    HugeAndSaysSo,
    /// Sends chunks as fast as possible without end.
    Endless,
    /// Sends the body one byte at a time without end.
    Drip,
    /// Sends a header one byte at a time without end.
    DripOfTheHead,
    /// Sends truncated JSON.
    HalfOfJson,
    /// Sends JSON with a million nested lists.
    DeepJson,
    /// Sends an image.
    AnImage,
    /// Sends less than 4 MiB that decompress to 1 GiB.
    GzipBomb,
    /// Declares gzip encoding but sends plain text.
    NoGzip,
    /// Sends chunks with invalid lengths.
    BadChunks,
    /// Sends headers without end.
    HeadersWithoutEnd,
    /// Sends one header of 16 MiB.
    EnormousHeader,
    /// Resets the connection before the response.
    Reset,
    /// Resets the connection in the body.
    ResetInTheMiddle,
    /// Sends a sign-in page with status 200.
    SignInPage,
    /// Sends JSON with invalid UTF-8.
    NoUtf8,
    /// Sends the banner of another protocol.
    NotHttp,
}

pub const ACTS: [Act; 18] = [
    Act::Silence,
    Act::HugeAndSaysSo,
    Act::Endless,
    Act::Drip,
    Act::DripOfTheHead,
    Act::HalfOfJson,
    Act::DeepJson,
    Act::AnImage,
    Act::GzipBomb,
    Act::NoGzip,
    Act::BadChunks,
    Act::HeadersWithoutEnd,
    Act::EnormousHeader,
    Act::Reset,
    Act::ResetInTheMiddle,
    Act::SignInPage,
    Act::NoUtf8,
    Act::NotHttp,
];

const JSON: &str = "application/json; charset=utf-8";

impl Act {
    pub async fn perform(self, mut stream: TcpStream) -> io::Result<()> {
        match self {
            Self::Silence => {
                tokio::time::sleep(Duration::from_mins(5)).await;
                Ok(())
            }
            Self::HugeAndSaysSo => {
                head(&mut stream, JSON, "Content-Length: 1099511627776").await?;
                without_end(&mut stream, &[b' '; 8 * 1024]).await
            }
            Self::Endless => {
                head(&mut stream, JSON, "Transfer-Encoding: chunked").await?;
                without_end(&mut stream, &chunk(&[b' '; 8 * 1024])).await
            }
            Self::Drip => {
                head(&mut stream, JSON, "Transfer-Encoding: chunked").await?;
                drip(&mut stream, &chunk(b" ")).await
            }
            Self::DripOfTheHead => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX-Drip: ").await?;
                drip(&mut stream, b"x").await
            }
            Self::HalfOfJson => whole(stream, JSON, br#"{"Items":[{"Id":"Spaces-1","#).await,
            Self::DeepJson => whole(stream, JSON, "[".repeat(1_000_000).as_bytes()).await,
            Self::AnImage => whole(stream, "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").await,
            Self::GzipBomb => {
                let bomb = bomb();
                assert!(bomb.len() < 4 * 1024 * 1024, "{}", bomb.len());
                let extra_headers =
                    format!("Content-Encoding: gzip\r\nContent-Length: {}", bomb.len());
                head(&mut stream, JSON, &extra_headers).await?;
                stream.write_all(&bomb).await
            }
            Self::NoGzip => {
                head(&mut stream, JSON, "Content-Encoding: gzip\r\nContent-Length: 7").await?;
                stream.write_all(b"not gz!").await
            }
            Self::BadChunks => {
                head(&mut stream, JSON, "Transfer-Encoding: chunked").await?;
                stream.write_all(b"zz\r\n{}\r\n0\r\n\r\n").await
            }
            Self::HeadersWithoutEnd => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                without_end(&mut stream, b"X-More: and more\r\n").await
            }
            Self::EnormousHeader => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX-Enormous: ").await?;
                stream.write_all(&vec![b'x'; 16 * 1024 * 1024]).await?;
                stream.write_all(b"\r\nContent-Length: 2\r\n\r\n{}").await
            }
            Self::Reset => reset(stream),
            Self::ResetInTheMiddle => {
                head(&mut stream, JSON, "Content-Length: 1000").await?;
                stream.write_all(br#"{"Items":["#).await?;
                stream.flush().await?;
                tokio::time::sleep(DROP).await;
                reset(stream)
            }
            Self::SignInPage => {
                let page = b"<!DOCTYPE html><title>Sign in</title><form>Password</form>";
                whole(stream, "text/html; charset=utf-8", page).await
            }
            Self::NoUtf8 => whole(stream, JSON, b"{\"Items\":[{\"Name\":\"\xff\xfe\xc3\"}]}").await,
            Self::NotHttp => stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await,
        }
    }
}

async fn head(stream: &mut TcpStream, content_type: &str, extra_headers: &str) -> io::Result<()> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{extra_headers}\r\n\r\n");
    stream.write_all(head.as_bytes()).await
}

async fn whole(mut stream: TcpStream, content_type: &str, body: &[u8]) -> io::Result<()> {
    head(&mut stream, content_type, &format!("Content-Length: {}", body.len())).await?;
    stream.write_all(body).await
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

async fn without_end(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(piece).await?;
    }
}

async fn drip(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(piece).await?;
        tokio::time::sleep(DROP).await;
    }
}

/// Closes the connection with a reset (RST), which discards unsent data.
#[expect(clippy::needless_pass_by_value, reason = "the stream is closed by dropping it")]
fn reset(stream: TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

/// Returns a gzip stream of 1 GiB of spaces. A full flush makes the compressed MiB independent of earlier
/// data, so it can be repeated.
fn bomb() -> Vec<u8> {
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
