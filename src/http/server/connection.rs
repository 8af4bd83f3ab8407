//! Serves one connection, from the TLS handshake to its end.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::yield_now,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{
    Certificates,
    line_ends::StrictLines,
    open_connections::{ActiveRequest, Slot},
};
use crate::config;

/// Time limit for the first request of a connection after the listener stops. The
/// request may be in transit, or may have arrived unread.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// Time limit for closing an idle connection. HTTP/2 sends frames first.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The client certificate of the TLS connection, DER-encoded. Inserted into the extensions of its
/// requests.
#[derive(Debug, Clone)]
pub(in crate::http) struct ClientCertificate(pub(in crate::http) CertificateDer<'static>);

/// Serves connections with one router and one set of time limits.
#[derive(Debug)]
pub(super) struct Connections {
    router: Router,
    certificates: Option<Certificates>,
    /// Time limit for the TLS handshake, and for the head of the first request.
    header_timeout: Duration,
    /// Idle time limit of a connection that had an authenticated request.
    idle_timeout: Duration,
    protocol: Builder<TokioExecutor>,
    /// Cancelled when the listener stops. Connections then end after their current requests.
    stopping: CancellationToken,
}

impl Connections {
    pub(super) fn new(
        router: Router,
        certificates: Option<Certificates>,
        times: &config::HttpSettings,
        stopping: CancellationToken,
    ) -> Self {
        let mut protocol = Builder::new(TokioExecutor::new());
        // hyper measures this time from the end of the previous request.
        protocol.http1().timer(TokioTimer::new()).header_read_timeout(times.idle_timeout.0);
        protocol
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(30)))
            .max_concurrent_streams(100);
        // Builds the router once instead of for every request.
        let router = router.with_state(());
        let (header_timeout, idle_timeout) = (times.header_timeout.0, times.idle_timeout.0);
        Self { router, certificates, header_timeout, idle_timeout, protocol, stopping }
    }

    /// Serves a connection until it ends or is evicted. A client that violates the
    /// HTTP protocol gets no response and its connection is closed, so no error is returned.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr, slot: &Slot) {
        tokio::select! {
            biased;
            () = slot.evicted() => {}
            () = self.accept_tls(stream, peer, slot) => {}
        }
    }

    async fn accept_tls(&self, stream: TcpStream, peer: SocketAddr, slot: &Slot) {
        disable_nagle(&stream);
        let Some(certificates) = &self.certificates else {
            return self.serve_http(stream, peer, None, slot).await;
        };
        let handshake = TlsAcceptor::from(certificates.current()).accept(stream);
        let Ok(Ok(stream)) = timeout(self.header_timeout, handshake).await else { return };
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate =
            certificate.map(|certificate| ClientCertificate(certificate.clone().into_owned()));
        self.serve_http(stream, peer, certificate, slot).await;
    }

    async fn serve_http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        certificate: Option<ClientCertificate>,
        slot: &Slot,
    ) {
        let had_request = CancellationToken::new();
        let has_request = had_request.clone();
        let router = self.router.clone();
        let handle = slot.handle();
        let service = service_fn(move |request: Request<Incoming>| {
            has_request.cancel();
            let mut active = handle.request();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(handle.clone());
            if let Some(certificate) = &certificate {
                request.extensions_mut().insert(certificate.clone());
            }
            let response = router.clone().oneshot(request);
            // The request is active until the body of its response has been sent.
            async move {
                let response = response.await?;
                // hyper does not poll the body until the client has read earlier responses.
                active.wait_for_client();
                let body = |body: Body| Body::new(UntilSent { body, active });
                Ok::<_, Infallible>(response.map(body))
            }
        });
        let mut connection =
            pin!(self.protocol.serve_connection(TokioIo::new(StrictLines::new(stream)), service));
        // The connection is polled first in every `select!`, so that data that has arrived is read.
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = had_request.cancelled() => {}
            () = sleep(self.header_timeout) => return,
            () = self.stopped_for(FIRST_REQUEST_TIMEOUT) => {}
        }
        let is_stopping = tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = self.stopping.cancelled() => true,
            // Connections without an authenticated request have the shorter limit. HTTP/2 has no
            // idle limit of its own in hyper.
            () = slot.idle_for(self.header_timeout.min(self.idle_timeout), self.idle_timeout) => false,
        };
        if !is_stopping {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(CLOSE_TIMEOUT, connection).await;
            return;
        }
        // Yields once, so that the runtime polls the socket and arrived data is read.
        yield_now().await;
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = std::future::ready(()) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }

    /// Completes when `period` has passed since the listener stopped.
    async fn stopped_for(&self, period: Duration) {
        self.stopping.cancelled().await;
        sleep(period).await;
    }
}

/// The body of a response. The request stays active until the body has been sent.
struct UntilSent {
    body: Body,
    active: ActiveRequest,
}

impl http_body::Body for UntilSent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // hyper polls for a frame when it can send it, which means that the client read the
        // previous one.
        self.active.client_has_read();
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.active.wait_for_client();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Disables Nagle's algorithm. With it, the second part of a response waits for the delayed
/// acknowledgement of the first part, 40 ms and more.
fn disable_nagle(stream: &TcpStream) {
    // A failure only makes responses slower.
    let _ = stream.set_nodelay(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn disables_nagle_on_accepted_sockets() {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(socket.local_addr().unwrap());
        let (accepted, _client) = tokio::join!(socket.accept(), client);
        let (stream, _) = accepted.unwrap();
        disable_nagle(&stream);
        assert!(stream.nodelay().unwrap());
    }
}
