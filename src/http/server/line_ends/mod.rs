//! Rejects HTTP/1 request heads that contain a line feed without a preceding carriage return.
//!
//! hyper accepts a bare line feed as the end of a line, which RFC 9112, section 2.2, permits. A
//! proxy that treats it as part of a header value forwards it. This server would then see a header
//! that the proxy did not see, for example the name of a caller. hyper has no setting against it,
//! so [`StrictLines`] wraps the connection. It tracks the start of heads and bodies, and replaces a
//! bare line feed in a head by a NUL. No head may contain a NUL: hyper answers 400 and closes the
//! connection. Bodies and HTTP/2 are unchanged; HTTP/2 headers cannot contain a line feed.

mod heads;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::heads::Heads;

/// A stream whose HTTP/1 request heads have lines that end with CR LF only.
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
