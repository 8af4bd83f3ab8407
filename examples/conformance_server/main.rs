//! The server for the official MCP conformance suite: the HTTP and protocol layers of the product,
//! with the tools, resources and prompts that the suite requires.
#![allow(clippy::print_stdout, reason = "the caller reads the URL from stdout")]

mod fixtures;
mod offering;
mod rounds;

use std::{error::Error, net::TcpListener, time::Duration};

use octopus_mcp::{
    access::InstanceRateLimit,
    config,
    http::{self, Auth, HttpState, RateLimits, Readiness},
    mcp::{Protocol, ProtocolSettings},
    store::Store,
    telemetry::Metrics,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::{fixtures::Fixtures, offering::SuiteProvider, rounds::InputRounds};

/// A fixed key is sufficient because the sealed state has no value.
const STATE_KEY: [u8; 32] = [7; 32];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let suite = SuiteProvider { fixtures: Fixtures::load()?, rounds: InputRounds::new(STATE_KEY)? };
    let stop = CancellationToken::new();
    let settings = ProtocolSettings {
        call_timeout: Duration::from_secs(30),
        stop: stop.clone(),
        local_caller: None,
        sessions: false,
        metrics: Metrics::default(),
    };
    let limits = config::LimitSettings::default();
    let state = HttpState::new(
        &config::HttpSettings::default(),
        &limits,
        RateLimits::new(&limits, None, &Store::in_memory(), InstanceRateLimit::default()),
        Auth::Open,
        Readiness::default(),
        None,
    );
    let router = http::router(&state, Protocol::new(suite, settings));
    let mut terminate = signal(SignalKind::terminate())?;
    let socket = TcpListener::bind("127.0.0.1:0")?;
    let listening = http::listen(socket, router, None, &config::HttpSettings::default())?;
    println!("http://{}/mcp", listening.address);
    terminate.recv().await;
    stop.cancel();
    listening.stop(Duration::from_secs(1)).await;
    Ok(())
}
