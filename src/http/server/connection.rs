//! One connection, from its handshake to its end.

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
    open_connections::{Slot, UnderWay},
};
use crate::config;

/// How long a connection that has not asked anything yet may do so once it is over: its request may
/// be on its way, or may have arrived and wait for a busy server to read it.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// How long the end of an idle connection may take: that of HTTP/2 sends frames.
const LAST_FRAMES: Duration = Duration::from_secs(1);

/// The certificate that the client gave, in its DER form. In the extensions of every request that
/// came with one.
#[derive(Debug, Clone)]
pub(in crate::http) struct ClientCertificate(pub(in crate::http) CertificateDer<'static>);

/// How connections are served.
#[derive(Debug)]
pub(super) struct Connections {
    router: Router,
    certificates: Option<Certificates>,
    /// How long a handshake may take, and the header of the first request.
    header_timeout: Duration,
    /// How long a connection may be idle that had an authenticated request.
    idle_timeout: Duration,
    protocol: Builder<TokioExecutor>,
    /// From then on a connection ends with what it is doing.
    over: CancellationToken,
}

impl Connections {
    pub(super) fn new(
        router: Router,
        certificates: Option<Certificates>,
        times: &config::Http,
        over: CancellationToken,
    ) -> Self {
        let mut protocol = Builder::new(TokioExecutor::new());
        // hyper's time for a header begins with the end of the request before.
        protocol.http1().timer(TokioTimer::new()).header_read_timeout(times.idle_timeout.0);
        protocol
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(30)))
            .max_concurrent_streams(100);
        // What can be built once is not built for every request.
        let router = router.with_state(());
        let (header_timeout, idle_timeout) = (times.header_timeout.0, times.idle_timeout.0);
        Self { router, certificates, header_timeout, idle_timeout, protocol, over }
    }

    /// Serves one until it ends, or has to give way to another one. A client that breaks the
    /// protocol gets no response and its connection is closed, so there is no error.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr, slot: &Slot) {
        tokio::select! {
            biased;
            () = slot.evicted() => {}
            () = self.shake_hands(stream, peer, slot) => {}
        }
    }

    async fn shake_hands(&self, stream: TcpStream, peer: SocketAddr, slot: &Slot) {
        at_once(&stream);
        let Some(certificates) = &self.certificates else {
            return self.speak(stream, peer, None, slot).await;
        };
        let handshake = TlsAcceptor::from(certificates.now()).accept(stream);
        let Ok(Ok(stream)) = timeout(self.header_timeout, handshake).await else { return };
        let given = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let given = given.map(|certificate| ClientCertificate(certificate.clone().into_owned()));
        self.speak(stream, peer, given, slot).await;
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        certificate: Option<ClientCertificate>,
        slot: &Slot,
    ) {
        let asked = CancellationToken::new();
        let asks = asked.clone();
        let router = self.router.clone();
        let handle = slot.handle();
        let service = service_fn(move |request: Request<Incoming>| {
            asks.cancel();
            let mut under_way = handle.request();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(handle.clone());
            if let Some(certificate) = &certificate {
                request.extensions_mut().insert(certificate.clone());
            }
            let answer = router.clone().oneshot(request);
            // Until its body has been sent, the request is under way.
            async move {
                let answer = answer.await?;
                // hyper does not ask for the body while the client takes nothing of earlier responses.
                under_way.wait_for_client();
                let body = |body: Body| Body::new(UntilSent { body, under_way });
                Ok::<_, Infallible>(answer.map(body))
            }
        });
        let mut connection =
            pin!(self.protocol.serve_connection(TokioIo::new(StrictLines::new(stream)), service));
        // Polled first wherever something else is waited for, so that what has arrived is read.
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = asked.cancelled() => {}
            () = sleep(self.header_timeout) => return,
            () = self.over_for(FIRST_REQUEST) => {}
        }
        let is_over = tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = self.over.cancelled() => true,
            // One without an authenticated request may be anybody's, and HTTP/2 has no end by itself.
            () = slot.idle_for(self.header_timeout.min(self.idle_timeout), self.idle_timeout) => false,
        };
        if !is_over {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(LAST_FRAMES, connection).await;
            return;
        }
        // The runtime hears of what has arrived when it looks, and it looks at the latest now.
        yield_now().await;
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = std::future::ready(()) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }

    /// Ends this long after connections began to end.
    async fn over_for(&self, period: Duration) {
        self.over.cancelled().await;
        sleep(period).await;
    }
}

/// The body of an answer, with the request that is under way until it has been sent.
struct UntilSent {
    body: Body,
    under_way: UnderWay,
}

impl http_body::Body for UntilSent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // hyper asks for a frame when it can pass it on: the client took the one before.
        self.under_way.taken();
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.under_way.wait_for_client();
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

/// Sends what is written at once: otherwise an answer in two parts waits for the client's delayed
/// acknowledgement of the first, 40 ms and more.
fn at_once(stream: &TcpStream) {
    // Where it cannot be, the answer is slow and no worse.
    let _ = stream.set_nodelay(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_sockets_do_not_hold_back() {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(socket.local_addr().unwrap());
        let (accepted, _client) = tokio::join!(socket.accept(), client);
        let (stream, _) = accepted.unwrap();
        at_once(&stream);
        assert!(stream.nodelay().unwrap());
    }
}
