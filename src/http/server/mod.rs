//! The HTTP server below the router: sockets, TLS, connections and shutdown.
//!
//! | file | responsibility |
//! | --- | --- |
//! | `listen.rs` | accept loop and graceful shutdown |
//! | `connection.rs` | one connection, from the TLS handshake to its end |
//! | `open_connections/` | connection limits; evicts idle connections for new ones |
//! | `line_ends/` | rejects bare line feeds in request heads |
//! | `tls.rs` | certificates, reloaded when their files change |
//! | `health.rs` | probes, and the state of a stopping server |
//! | `metrics.rs` | `/metrics` of the admin listener |
//! | `swap.rs` | a router that is replaced when the settings are reloaded |

mod connection;
mod health;
mod line_ends;
mod listen;
mod metrics;
mod open_connections;
mod swap;
mod tls;

pub use health::Readiness;
pub use listen::{Listening, listen, listen_within};
pub use open_connections::ConnectionLimits;
pub use swap::Swap;
pub use tls::{Certificates, TlsError};

pub(super) use connection::ClientCertificate;
pub(super) use health::router as health_router;
pub(super) use metrics::router as metrics_router;
pub(super) use open_connections::ConnectionHandle;
