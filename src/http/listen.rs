//! Sockets: accepting connections, and letting them end.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum::Router;
use axum_server::{Handle, accept::NoDelayAcceptor, tls_rustls::RustlsAcceptor};
use hyper_util::rt::TokioTimer;
use tokio::task::JoinHandle;

use super::Certificates;

/// A listener that serves.
#[derive(Debug)]
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

/// Serves on a socket. `header_timeout` is how long the header of a request may take.
pub fn listen(
    socket: TcpListener,
    router: Router,
    certificates: Option<&Certificates>,
    header_timeout: Duration,
) -> io::Result<Listening> {
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let handle = Handle::new();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    macro_rules! serve {
        ($server:expr) => {{
            let mut server = $server.handle(handle.clone()).first_request_timeout(header_timeout);
            let builder = server.http_builder();
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(header_timeout)
                .http2()
                .timer(TokioTimer::new())
                .keep_alive_interval(Some(Duration::from_secs(30)))
                .max_concurrent_streams(100);
            tokio::spawn(server.serve(service))
        }};
    }
    // Without NODELAY an answer in two parts waits for the client's acknowledgement of the first.
    let server = axum_server::from_tcp(socket)?;
    let task = match certificates {
        None => serve!(server.acceptor(NoDelayAcceptor::new())),
        Some(certificates) => {
            let tls = RustlsAcceptor::new(certificates.live.clone())
                .handshake_timeout(header_timeout)
                .acceptor(NoDelayAcceptor::new());
            serve!(server.acceptor(tls))
        }
    };
    Ok(Listening { address, handle, task })
}

impl Listening {
    /// Accepts no more connections, and gives those that are there this long to end.
    pub async fn stop(self, within: Duration) -> io::Result<()> {
        self.handle.graceful_shutdown(Some(within));
        self.task.await.map_err(io::Error::other)?
    }
}
