//! Sessions of legacy clients: ownership, limits, termination, and elicitation.

mod client;
mod elicitation;
mod limits;
mod ownership;
mod termination;

pub use client::{Client, MessageStream, accept_elicitation, initialize_request};
use octopus_mcp::config::{Config, SessionStorage};

use crate::support::TestServer;

async fn server(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        config.http.sessions = SessionStorage::Memory;
        config.tools.read_only = false;
        change(config);
    })
    .await
}
