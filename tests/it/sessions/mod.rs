//! Sessions of legacy clients: ownership, limits, termination, and elicitation.

mod asked;
mod client;
mod ends;
mod limits;
mod whose;

pub use client::{Client, Messages, asked_for, greeting};
use octopus_mcp::config::{Config, Sessions};

use crate::support::TestServer;

async fn server(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        config.http.sessions = Sessions::Memory;
        config.tools.read_only = false;
        change(config);
    })
    .await
}
