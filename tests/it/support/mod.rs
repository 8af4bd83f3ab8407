//! Shared test support: a complete server with its own sample instance, and clients of both
//! protocol eras.

mod argument_headers;
mod requests;
mod responses;
mod server;
mod sockets;
mod tls;

use std::time::Duration;

use serde_json::{Value, json};

pub use self::{
    argument_headers::argument_headers,
    responses::{CallResult, Reply, send},
    server::TestServer,
    sockets::{client, serve, serve_with},
    tls::SelfSigned,
};

/// The two eras of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Revisions with an `initialize` handshake; here without a session.
    Legacy,
    /// Revisions without a handshake: each request contains all metadata.
    Modern,
}

pub const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];
pub const LEGACY_VERSION: &str = "2025-11-25";
pub const MODERN_VERSION: &str = "2026-07-28";

/// Placeholder in tool arguments for the address of the sample instance, whose port is chosen at
/// run time.
pub const OCTOPUS_PLACEHOLDER: &str = "https://octopus.invalid";

/// Returns the `_meta` fields with which a request of the modern era describes its client.
pub fn modern_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN_VERSION,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// Polls until the function returns a value. Panics after 20 s.
pub async fn wait_until_some<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "the awaited condition was not met in 20 s"
        );
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
