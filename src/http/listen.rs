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
    let server = axum_server::from_tcp(socket)?;
    let task = match certificates {
        None => serve!(server.acceptor(at_once())),
        Some(certificates) => {
            let tls = RustlsAcceptor::new(certificates.live.clone())
                .handshake_timeout(header_timeout)
                .acceptor(at_once());
            serve!(server.acceptor(tls))
        }
    };
    Ok(Listening { address, handle, task })
}

/// Accepts sockets with `TCP_NODELAY`: without it an answer in two parts waits for the client's
/// delayed acknowledgement of the first, 40 ms and more.
fn at_once() -> NoDelayAcceptor {
    NoDelayAcceptor::new()
}

impl Listening {
    /// Accepts no more connections, and gives those that are there this long to end.
    pub async fn stop(self, within: Duration) -> io::Result<()> {
        self.handle.graceful_shutdown(Some(within));
        self.task.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use axum_server::accept::Accept;

    use super::*;

    #[tokio::test]
    async fn accepted_sockets_do_not_hold_back() {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = tokio::net::TcpStream::connect(socket.local_addr().unwrap());
        let (accepted, _client) = tokio::join!(socket.accept(), client);
        let (stream, ()) = at_once().accept(accepted.unwrap().0, ()).await.unwrap();
        assert!(stream.nodelay().unwrap());
    }
}
