//! Serves the sample instance on a loopback port until SIGTERM, and prints its address. For tests
//! that run the MCP server and Octopus as separate processes.
#![allow(clippy::print_stdout, reason = "whoever started this reads the address there")]

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
