//! Rejects heads of HTTP/1 requests with a line feed that no carriage return precedes.
//!
//! hyper accepts a bare line feed as the end of a line, which RFC 9112, section 2.2, permits. A proxy
//! that takes it for a part of a header value forwards it, and this server would see a header that the
//! proxy never saw: the name of a caller, or their groups. hyper has no setting against it, so
//! [`StrictLines`] wraps the connection. It tracks where heads and bodies begin, and replaces a bare line
//! feed in a head by a NUL, which no head may contain: hyper answers 400 and closes the connection.
//! Bodies pass unchanged, and so does HTTP/2, whose headers cannot contain a line feed.

mod heads;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::heads::Heads;

/// A stream whose HTTP/1 request heads end their lines with CR LF only.
#[derive(Debug)]
pub(super) struct StrictLines<S> {
    stream: S,
    heads: Heads,
}

impl<S> StrictLines<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, heads: Heads::new() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StrictLines<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(arrived) = buffer.filled_mut().get_mut(before..) {
            self.heads.check(arrived);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StrictLines<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
