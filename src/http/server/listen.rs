//! The accept loop and its graceful shutdown.
//!
//! Requests that arrived before the shutdown are answered. This module implements the loop itself,
//! because axum, axum-server and the connection watcher of hyper-util drop accepted connections
//! that were not read yet.

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

/// Maximum length of the accept backlog; the system may allow less. The default of the standard
/// library is 128, which a short peak can exceed.
const BACKLOG: i32 = 1024;
/// Pause after a failed accept, because file descriptors are not freed at once.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// A running listener. Dropping this value does not stop the listener.
#[derive(Debug)]
pub struct Listening {
    /// The address of the socket.
    pub address: SocketAddr,
    /// The listener and its connections.
    tasks: TaskTracker,
    stopping: CancellationToken,
    aborted: CancellationToken,
}

/// Serves on a loopback socket with the timeouts of `times` and the default connection limits
/// (10,000).
///
/// # Errors
///
/// Returns the I/O error if the socket cannot be used.
pub fn listen(
    socket: TcpListener,
    router: Router,
    certificates: Option<&Certificates>,
    times: &config::HttpSettings,
) -> io::Result<Listening> {
    listen_within(socket, router, certificates, times, ConnectionLimits::default())
}

/// Serves on a socket with the timeouts of `times` and these connection limits.
///
/// # Errors
///
/// Returns the I/O error if the socket cannot be used.
pub fn listen_within(
    socket: TcpListener,
    router: Router,
    certificates: Option<&Certificates>,
    times: &config::HttpSettings,
    limits: ConnectionLimits,
) -> io::Result<Listening> {
    socket.set_nonblocking(true)?;
    SockRef::from(&socket).listen(BACKLOG)?;
    let address = socket.local_addr()?;
    let socket = tokio::net::TcpListener::from_std(socket)?;
    let (stopping, aborted) = (CancellationToken::new(), CancellationToken::new());
    let connections = Connections::new(router, certificates.cloned(), times, stopping.clone());
    let listening = Listening { address, tasks: TaskTracker::new(), stopping, aborted };
    let accepting = Accepting {
        connections: Arc::new(connections),
        open: OpenConnections::new(limits),
        tasks: listening.tasks.clone(),
        stopping: listening.stopping.clone(),
        aborted: listening.aborted.clone(),
    };
    listening.tasks.spawn(accepting.accept(socket));
    Ok(listening)
}

impl Listening {
    /// Stops accepting connections, and waits for open connections to end, up to this timeout.
    /// Requests that arrived are answered in that time.
    pub async fn stop(self, within: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        if timeout(within, self.tasks.wait()).await.is_err() {
            self.aborted.cancel();
            self.tasks.wait().await;
        }
    }
}

struct Accepting {
    connections: Arc<Connections>,
    open: Arc<OpenConnections>,
    tasks: TaskTracker,
    stopping: CancellationToken,
    aborted: CancellationToken,
}

impl Accepting {
    async fn accept(self, socket: tokio::net::TcpListener) {
        loop {
            tokio::select! {
                accepted = socket.accept() => self.take(accepted).await,
                () = self.stopping.cancelled() => break,
            }
        }
        // Accepts the connections in the backlog before the socket closes. `unconstrained`, because
        // the budget of tokio would end the loop after 128 connections.
        yield_now().await;
        while !self.aborted.is_cancelled()
            && let Some(accepted) = unconstrained(socket.accept()).now_or_never()
        {
            self.take(accepted).await;
        }
    }

    async fn take(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, peer)) => {
                // The connection is closed at once if every other connection has a request in
                // progress.
                let Some(slot) = self.open.admit(peer.ip()) else { return };
                let (connections, aborted) = (Arc::clone(&self.connections), self.aborted.clone());
                self.tasks.spawn(async move {
                    aborted.run_until_cancelled(connections.serve(stream, peer, &slot)).await;
                });
            }
            // The client closed the connection before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // Out of file descriptors or memory: an idle connection is closed to free some.
            Err(error) => {
                let closed_idle = self.open.evict_one();
                tracing::warn!(%error, closed_idle, "connection not accepted");
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
}
