//! Settings of the HTTP listener.

use std::{net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ByteSize, DurationSetting, ListSetting, Networks};

/// HTTP listener for MCP clients, including TLS, proxies and sessions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Address and port to listen on (default `127.0.0.1:8080`). Port 0 selects a free port.
    pub listen: SocketAddr,
    /// Address and port of an admin listener that serves only `/healthz`, `/readyz` and `/metrics`,
    /// e.g. `0.0.0.0:9090`. Without it, the main listener serves the health endpoints, and
    /// `/metrics` is not available.
    pub admin_listen: Option<SocketAddr>,
    /// Public base URL of this server without `/mcp`, e.g. `https://mcp.example.com`. Its host is
    /// accepted in addition to `allowed_hosts`. With `auth.mode = "oauth"`, it is published to
    /// clients; without it, they get the address that they requested.
    pub public_url: Option<Url>,
    /// Accepted values of the `Host` header in addition to loopback names, e.g. `mcp.example.com`,
    /// or `mcp.example.com:8443` for one port only.
    pub allowed_hosts: ListSetting,
    /// Accepted web origins (CORS) in addition to loopback ones, e.g. `https://app.example.com`.
    pub allowed_origins: ListSetting,
    /// Addresses and networks of reverse proxies, e.g. `10.0.0.5,10.1.0.0/16`. Only these may send
    /// forwarding and identity headers.
    pub trusted_proxies: Networks,
    /// Forwarding headers that the trusted proxies set: `x-forwarded` (default) for
    /// `X-Forwarded-For`, `-Host` and `-Proto`, or `forwarded` for `Forwarded` (RFC 7239). The
    /// other headers are ignored, because clients could set them.
    pub forwarding: ForwardingHeaders,
    /// Serves a web page for users at `/` (default true): description of the server, permissions
    /// after signing in or pasting a key, client configuration, and the user's recent calls.
    pub page: bool,
    /// Maximum size of a request body (default `1 MiB`).
    pub body_limit: ByteSize,
    /// Timeout for the TLS handshake, and for the headers of the first request of a connection
    /// (default `10s`). Also the idle timeout and the write timeout of connections without an
    /// authenticated request.
    pub header_timeout: DurationSetting,
    /// Timeout for the headers of the next request, on connections that had an authenticated
    /// request or come from a trusted proxy (default `620s`). Also the write timeout of these
    /// connections. It must exceed the idle timeout of the load balancer (60 s on AWS, 600 s on
    /// Google Cloud), because a request that arrives while the connection closes is lost.
    pub idle_timeout: DurationSetting,
    /// Timeout for receiving a request body (default `15s`).
    pub body_timeout: DurationSetting,
    /// Timeout of a call (default `55s`). The call then ends with a timeout error. Most clients
    /// give up after 60 s.
    pub request_timeout: DurationSetting,
    /// Time without output after which the response to a call becomes an event stream with
    /// keep-alive comments, so that clients and proxies do not time out (default `5s`).
    pub quiet_limit: DurationSetting,
    /// Time between the stop signal and the shutdown (default `0s`). Meanwhile the server accepts
    /// requests, `/readyz` fails, and each response closes its connection. Set it to the time that
    /// load balancers need to remove the server.
    pub drain_pause: DurationSetting,
    /// Time that running calls get to finish after `drain_pause` (default `25s`).
    pub drain_timeout: DurationSetting,
    /// Sessions of clients with protocol revisions before 2026-07-28 (default `off`). `off`: no
    /// sessions, so any replica can serve any request. `memory`: sessions allow the server to ask
    /// the user before a change. They end with the process, and a proxy must route a session to the
    /// same replica. `store`: sessions are also kept in `limits.store`, so that any replica can
    /// continue them; all replicas need the same `tools.seal_key`.
    pub sessions: SessionStorage,
    /// Idle time after which a session ends (default `1h`).
    pub session_idle: DurationSetting,
    /// Maximum number of sessions per replica, for all callers together (default 2000, min 1).
    pub session_limit: u32,
    /// Maximum number of sessions of one caller per replica (default 50, min 1).
    pub session_limit_per_caller: u32,
    /// TLS of the listener. Without a certificate, the listener uses plain HTTP, for use behind a
    /// proxy.
    pub tls: TlsSettings,
}

/// Forwarding headers of a reverse proxy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardingHeaders {
    /// `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Storage of client sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionStorage {
    /// No sessions.
    #[default]
    Off,
    /// Sessions in the memory of the process.
    Memory,
    /// Sessions also in the shared store; any replica can continue them.
    Store,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: None,
            public_url: None,
            allowed_hosts: ListSetting::default(),
            allowed_origins: ListSetting::default(),
            trusted_proxies: Networks::default(),
            forwarding: ForwardingHeaders::XForwarded,
            page: true,
            body_limit: ByteSize(1024 * 1024),
            header_timeout: DurationSetting::seconds(10),
            idle_timeout: DurationSetting::seconds(620),
            body_timeout: DurationSetting::seconds(15),
            request_timeout: DurationSetting::seconds(55),
            quiet_limit: DurationSetting::seconds(5),
            drain_pause: DurationSetting::seconds(0),
            drain_timeout: DurationSetting::seconds(25),
            sessions: SessionStorage::Off,
            session_idle: DurationSetting::seconds(60 * 60),
            session_limit: 2_000,
            session_limit_per_caller: 50,
            tls: TlsSettings::default(),
        }
    }
}

/// TLS of the listener.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// PEM file with the certificate and its chain, which is read again when it changes.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key of the certificate.
    pub key: Option<PathBuf>,
    /// PEM file with the certificate authorities of client certificates, which is read again when
    /// it changes. Without it, clients are not asked for a certificate.
    pub client_ca: Option<PathBuf>,
    /// Whether clients need a certificate: `optional` (default) or `required`.
    pub client_certificates: ClientCertificates,
}

/// Whether clients need a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// Connections without a client certificate are accepted.
    #[default]
    Optional,
    /// Connections without a client certificate are rejected.
    Required,
}
