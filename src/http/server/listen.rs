//! Sockets: accepting connections, and letting them end.
//!
//! This is a loop of our own because what has arrived is to be answered: the loops of axum and
//! axum-server, and hyper-util's watcher of connections, drop what was accepted and not yet read when
//! they are told to stop.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use futures::FutureExt;
use socket2::SockRef;
use tokio::{
    net::TcpStream,
    task::{unconstrained, yield_now},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Certificates,
    connection::Connections,
    open_connections::{ConnectionLimits, OpenConnections},
};
use crate::config;

/// How many connections wait to be accepted at most, where the system allows as many: whoever connects
/// to a server that is busy for a moment is not turned away. Left to the standard library it is 128.
const BACKLOG: i32 = 1024;
/// How long nothing is accepted after that could not be done: a process that is out of file
/// descriptors gets none at once.
const BREATH: Duration = Duration::from_millis(100);

/// A listener that serves. It goes on when this is dropped.
#[derive(Debug)]
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    /// The listener and its connections.
    tasks: TaskTracker,
    over: CancellationToken,
    cut: CancellationToken,
}

/// Serves on a socket that only this machine reaches, with the times of these settings.
pub fn listen(
    socket: TcpListener,
    router: Router,
    certificates: Option<&Certificates>,
    times: &config::Http,
) -> io::Result<Listening> {
    listen_within(socket, router, certificates, times, ConnectionLimits::default())
}

/// Serves on a socket, with the times of these settings and at most so many connections.
pub fn listen_within(
    socket: TcpListener,
    router: Router,
    certificates: Option<&Certificates>,
    times: &config::Http,
    limits: ConnectionLimits,
) -> io::Result<Listening> {
    socket.set_nonblocking(true)?;
    SockRef::from(&socket).listen(BACKLOG)?;
    let address = socket.local_addr()?;
    let socket = tokio::net::TcpListener::from_std(socket)?;
    let (over, cut) = (CancellationToken::new(), CancellationToken::new());
    let connections = Connections::new(router, certificates.cloned(), times, over.clone());
    let listening = Listening { address, tasks: TaskTracker::new(), over, cut };
    let accepting = Accepting {
        connections: Arc::new(connections),
        open: OpenConnections::new(limits),
        tasks: listening.tasks.clone(),
        over: listening.over.clone(),
        cut: listening.cut.clone(),
    };
    listening.tasks.spawn(accepting.accept(socket));
    Ok(listening)
}

impl Listening {
    /// Accepts no more connections, and gives those that are there this long to end. What has
    /// arrived by now is answered in that time.
    pub async fn stop(self, within: Duration) {
        self.over.cancel();
        self.tasks.close();
        if timeout(within, self.tasks.wait()).await.is_err() {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

struct Accepting {
    connections: Arc<Connections>,
    open: Arc<OpenConnections>,
    tasks: TaskTracker,
    over: CancellationToken,
    cut: CancellationToken,
}

impl Accepting {
    async fn accept(self, socket: tokio::net::TcpListener) {
        loop {
            tokio::select! {
                accepted = socket.accept() => self.take(accepted).await,
                () = self.over.cancelled() => break,
            }
        }
        // Whoever has connected is not turned away with the socket. Constrained, the runtime would
        // say after 128 of them that there are no more.
        yield_now().await;
        while !self.cut.is_cancelled()
            && let Some(accepted) = unconstrained(socket.accept()).now_or_never()
        {
            self.take(accepted).await;
        }
    }

    async fn take(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, peer)) => {
                // Closed at once where a request is under way on every other connection.
                let Some(slot) = self.open.admit(peer.ip()) else { return };
                let (connections, cut) = (Arc::clone(&self.connections), self.cut.clone());
                self.tasks.spawn(async move {
                    cut.run_until_cancelled(connections.serve(stream, peer, &slot)).await;
                });
            }
            // It went away before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // Out of file descriptors or memory, for which an idle connection gives way.
            Err(error) => {
                let closed_idle = self.open.evict_one();
                tracing::warn!(%error, closed_idle, "connection not accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}
