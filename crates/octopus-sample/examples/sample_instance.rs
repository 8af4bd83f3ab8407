//! The sample instance as a stand-alone Octopus Server. Prints its URL and serves until SIGTERM.
//! Used by tests that run the server and the instance as separate processes.
#![allow(clippy::print_stdout, reason = "the caller reads the URL from stdout")]

use std::io;

use octopus_sample::Sample;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("http://{}", listener.local_addr()?);
    tokio::select! {
        served = axum::serve(listener, Sample::new().router()) => served,
        _ = terminate.recv() => Ok(()),
    }
}
