//! What may answer in the place of Octopus.

use std::{io, time::Duration};

use flate2::{Compress, Compression, FlushCompress};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::front::DROP;

/// One way of not answering as Octopus does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Takes the request and says nothing.
    Silence,
    /// Says that a terabyte comes, and begins to send it.
    HugeAndSaysSo,
    /// Sends without end as fast as it can, in chunks.
    Endless,
    /// Sends a byte now and then, without end.
    Drip,
    /// The same with the head of the answer.
    DripOfTheHead,
    /// JSON that stops in the middle.
    HalfOfJson,
    /// JSON in which lists are in lists, a million deep.
    DeepJson,
    /// An image.
    AnImage,
    /// A few hundred kilobytes that are a gigabyte when unpacked.
    GzipBomb,
    /// What says that it is gzip and is not.
    NoGzip,
    /// Chunks whose lengths are none.
    BadChunks,
    /// Headers, and headers, and headers.
    HeadersWithoutEnd,
    /// One header of many megabytes.
    EnormousHeader,
    /// The connection is reset before the answer.
    Reset,
    /// The connection is reset in the middle of it.
    ResetInTheMiddle,
    /// The page on which people sign in, with 200.
    SignInPage,
    /// JSON with bytes that are no UTF-8.
    NoUtf8,
    /// Another protocol.
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
    pub async fn perform(self, mut to: TcpStream) -> io::Result<()> {
        match self {
            Self::Silence => {
                tokio::time::sleep(Duration::from_mins(5)).await;
                Ok(())
            }
            Self::HugeAndSaysSo => {
                head(&mut to, JSON, "Content-Length: 1099511627776").await?;
                without_end(&mut to, &[b' '; 8 * 1024]).await
            }
            Self::Endless => {
                head(&mut to, JSON, "Transfer-Encoding: chunked").await?;
                without_end(&mut to, &chunk(&[b' '; 8 * 1024])).await
            }
            Self::Drip => {
                head(&mut to, JSON, "Transfer-Encoding: chunked").await?;
                drip(&mut to, &chunk(b" ")).await
            }
            Self::DripOfTheHead => {
                to.write_all(b"HTTP/1.1 200 OK\r\nX-Drip: ").await?;
                drip(&mut to, b"x").await
            }
            Self::HalfOfJson => whole(to, JSON, br#"{"Items":[{"Id":"Spaces-1","#).await,
            Self::DeepJson => whole(to, JSON, "[".repeat(1_000_000).as_bytes()).await,
            Self::AnImage => whole(to, "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").await,
            Self::GzipBomb => {
                let bomb = bomb();
                assert!(bomb.len() < 4 * 1024 * 1024, "{}", bomb.len());
                let more = format!("Content-Encoding: gzip\r\nContent-Length: {}", bomb.len());
                head(&mut to, JSON, &more).await?;
                to.write_all(&bomb).await
            }
            Self::NoGzip => {
                head(&mut to, JSON, "Content-Encoding: gzip\r\nContent-Length: 7").await?;
                to.write_all(b"not gz!").await
            }
            Self::BadChunks => {
                head(&mut to, JSON, "Transfer-Encoding: chunked").await?;
                to.write_all(b"zz\r\n{}\r\n0\r\n\r\n").await
            }
            Self::HeadersWithoutEnd => {
                to.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                without_end(&mut to, b"X-More: and more\r\n").await
            }
            Self::EnormousHeader => {
                to.write_all(b"HTTP/1.1 200 OK\r\nX-Enormous: ").await?;
                to.write_all(&vec![b'x'; 16 * 1024 * 1024]).await?;
                to.write_all(b"\r\nContent-Length: 2\r\n\r\n{}").await
            }
            Self::Reset => reset(to),
            Self::ResetInTheMiddle => {
                head(&mut to, JSON, "Content-Length: 1000").await?;
                to.write_all(br#"{"Items":["#).await?;
                to.flush().await?;
                tokio::time::sleep(DROP).await;
                reset(to)
            }
            Self::SignInPage => {
                let page = b"<!DOCTYPE html><title>Sign in</title><form>Password</form>";
                whole(to, "text/html; charset=utf-8", page).await
            }
            Self::NoUtf8 => whole(to, JSON, b"{\"Items\":[{\"Name\":\"\xff\xfe\xc3\"}]}").await,
            Self::NotHttp => to.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await,
        }
    }
}

async fn head(to: &mut TcpStream, kind: &str, more: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}\r\n\r\n");
    to.write_all(head.as_bytes()).await
}

async fn whole(mut to: TcpStream, kind: &str, body: &[u8]) -> io::Result<()> {
    head(&mut to, kind, &format!("Content-Length: {}", body.len())).await?;
    to.write_all(body).await
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

async fn without_end(to: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    loop {
        to.write_all(piece).await?;
    }
}

async fn drip(to: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    loop {
        to.write_all(piece).await?;
        tokio::time::sleep(DROP).await;
    }
}

/// Closes with a reset: what was not sent is thrown away.
#[expect(clippy::needless_pass_by_value, reason = "it is closed here")]
fn reset(to: TcpStream) -> io::Result<()> {
    to.set_zero_linger()
}

/// A gigabyte of spaces. What a mebibyte is packed to can stand as often as one likes, because
/// nothing in it refers to what came before.
fn bomb() -> Vec<u8> {
    let plain = vec![b' '; 1024 * 1024];
    let mut packs = Compress::new(Compression::best(), false);
    let mut packed = Vec::with_capacity(64 * 1024);
    packs.compress_vec(&plain, &mut packed, FlushCompress::Full).unwrap();
    assert_eq!(packs.total_in(), plain.len() as u64);
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    for _ in 0..1024 {
        bomb.extend_from_slice(&packed);
    }
    bomb
}
