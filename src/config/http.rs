//! Settings of the listener.

use std::{net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ByteSize, List, Networks, Period};

/// The listener that MCP clients connect to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The address to listen on. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// A second address that answers `/healthz`, `/readyz` and `/metrics` alone. Left out, the
    /// first one answers for health, and nobody reads metrics here.
    pub admin_listen: Option<SocketAddr>,
    /// The address by which clients reach this server, without `/mcp`: `https://mcp.example.com`.
    /// Its host is served beside `allowed_hosts`. Left out, clients of `auth.mode = "oauth"` are
    /// told the address that they asked.
    pub public_url: Option<Url>,
    /// Values of the `Host` header that are served besides loopback ones: `mcp.example.com`,
    /// with `:port` to allow one port only.
    pub allowed_hosts: List,
    /// Web origins that may call besides loopback ones: `https://app.example.com`.
    pub allowed_origins: List,
    /// The addresses and networks of the proxies in front of this server: `10.0.0.5, 10.1.0.0/16`.
    /// What their headers say of a client is believed, and of nobody else.
    pub trusted_proxies: Networks,
    /// Which headers the trusted proxies write: `x-forwarded` for `X-Forwarded-For`, `-Host` and
    /// `-Proto`, or `forwarded` for `Forwarded`. The others may come from anybody.
    pub forwarding: Forwarding,
    /// Whether there is a page for people at `/`: what this server is, what a visitor may do here
    /// once they paste a key or sign in, how to connect a client, and their last calls.
    pub page: bool,
    /// How large the body of a request may be.
    pub body_limit: ByteSize,
    /// How long a TLS handshake may take, and the header of the first request of a connection; and how
    /// long a connection without an authenticated request may be idle, or its client may take nothing
    /// of a response.
    pub header_timeout: Period,
    /// How long a connection may wait for its next request, with its header, once a request of it was
    /// authenticated or where it comes from a trusted proxy. Longer than the load
    /// balancer before this server keeps one that is idle, which is a minute at AWS and ten at
    /// Google Cloud: a request that crosses the end of its connection is lost. Also how long the client
    /// of such a connection may take nothing of a response.
    pub idle_timeout: Period,
    /// How long the body of a request may take to arrive.
    pub body_timeout: Period,
    /// How long a call may take before it is answered that it took too long. Clients give up
    /// after a minute, whatever is still coming.
    pub request_timeout: Period,
    /// How long a call may be silent before its answer becomes an event stream with keep-alive
    /// comments, so that clients and proxies do not give up.
    pub quiet_limit: Period,
    /// How long the server goes on as before after it was told to stop, but for `/readyz` and for
    /// ending each connection with its next answer: as long as load balancers take to notice.
    pub drain_pause: Period,
    /// How long running calls may go on after that.
    pub drain_timeout: Period,
    /// `off`: no session is kept, so a restart loses nothing and every replica answers everything.
    /// `memory`: clients of the revisions before 2026-07-28 get a session, so that a person can be
    /// asked before a change; it ends with the process, and a proxy must send its requests to the
    /// same replica. `store`: these sessions are kept in `limits.store` as well, so that every
    /// replica goes on with them; for this, all need the same `tools.seal_key`.
    pub sessions: Sessions,
    /// How long a session may be idle before it ends.
    pub session_idle: Period,
    /// How many sessions there may be at each replica, for all callers together.
    pub session_limit: u32,
    /// How many sessions one caller may have at each replica.
    pub session_limit_per_caller: u32,
    /// TLS for the listener. Left out, the listener is plain HTTP, for use behind a proxy.
    pub tls: Tls,
}

/// The headers in which a proxy says for whom it asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Forwarding {
    /// `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Whether sessions of clients are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sessions {
    /// No session is kept.
    #[default]
    Off,
    /// Sessions are kept in the memory of the process.
    Memory,
    /// Sessions are kept in the store as well, and any replica goes on with them.
    Store,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: None,
            public_url: None,
            allowed_hosts: List::default(),
            allowed_origins: List::default(),
            trusted_proxies: Networks::default(),
            forwarding: Forwarding::XForwarded,
            page: true,
            body_limit: ByteSize(1024 * 1024),
            header_timeout: Period::seconds(10),
            idle_timeout: Period::seconds(620),
            body_timeout: Period::seconds(15),
            request_timeout: Period::seconds(55),
            quiet_limit: Period::seconds(5),
            drain_pause: Period::seconds(0),
            drain_timeout: Period::seconds(25),
            sessions: Sessions::Off,
            session_idle: Period::seconds(60 * 60),
            session_limit: 2_000,
            session_limit_per_caller: 50,
            tls: Tls::default(),
        }
    }
}

/// TLS for the listener.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// A PEM file with the certificate and its chain; read again when it changes.
    pub certificate: Option<PathBuf>,
    /// A PEM file with the private key of the certificate.
    pub key: Option<PathBuf>,
    /// A PEM file with the certificate authorities of clients; read again when it changes. Left
    /// out, no client is asked for a certificate.
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate gets a connection: `optional` or `required`.
    pub client_certificates: ClientCertificates,
}

/// Whether a client without a certificate gets a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// It does.
    #[default]
    Optional,
    /// It does not.
    Required,
}
