//! A whole server on a sample instance of its own, and the two ways of speaking to it.

mod answers;
mod headers;
mod requests;
mod server;
mod sockets;

use std::time::Duration;

use serde_json::{Value, json};

pub use self::{
    answers::{Called, Reply, reply},
    headers::projected_headers,
    server::TestServer,
    sockets::{client, serve, serve_with},
};

/// The two eras of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// With a handshake; here without a session.
    Legacy,
    /// Without a handshake: each request says everything.
    Modern,
}

pub const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];
pub const LEGACY: &str = "2025-11-25";
pub const MODERN: &str = "2026-07-28";

/// Stands in arguments for the address of the sample instance, whose port no test knows.
pub const OCTOPUS: &str = "https://octopus.invalid";

/// What a request of the modern era says of its client.
pub fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// Waits for what must come soon, without a fixed pause.
pub async fn soon<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "it did not come in 20 s");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
