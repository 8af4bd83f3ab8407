//! The server for the official MCP conformance suite: the HTTP and protocol layers of the product,
//! with the tools, resources and prompts that the suite requires.
#![allow(clippy::print_stdout, reason = "the caller reads the URL from stdout")]

mod fixtures;
mod offering;
mod rounds;

use std::{error::Error, net::TcpListener, time::Duration};

use octopus_mcp::{
    config,
    http::{self, Auth, HttpState, RateLimits, Readiness},
    mcp::{Protocol, Settings},
    store::Store,
    telemetry::Metrics,
    tool::InstanceRate,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::{fixtures::Fixtures, offering::Suite, rounds::Rounds};

/// A fixed key is sufficient because the sealed state has no value.
const KEY: [u8; 32] = [7; 32];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let suite = Suite { fixtures: Fixtures::load()?, rounds: Rounds::new(KEY)? };
    let stop = CancellationToken::new();
    let settings = Settings {
        call_timeout: Duration::from_secs(30),
        stop: stop.clone(),
        local: None,
        sessions: false,
        metrics: Metrics::default(),
    };
    let limits = config::Limits::default();
    let state = HttpState::new(
        &config::Http::default(),
        &limits,
        RateLimits::new(&limits, None, &Store::memory(), InstanceRate::default()),
        Auth::Open,
        Readiness::default(),
        None,
    );
    let router = http::router(&state, Protocol::new(suite, settings));
    let mut terminate = signal(SignalKind::terminate())?;
    let socket = TcpListener::bind("127.0.0.1:0")?;
    let listening = http::listen(socket, router, None, &config::Http::default())?;
    println!("http://{}/mcp", listening.address);
    terminate.recv().await;
    stop.cancel();
    listening.stop(Duration::from_secs(1)).await;
    Ok(())
}
