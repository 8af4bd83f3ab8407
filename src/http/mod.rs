//! The HTTP server: listeners, connections, and the layers in front of the protocol.
//!
//! | path | response |
//! | --- | --- |
//! | `GET /` | a web page, unless `http.page` is off (`page`) |
//! | `POST /mcp`, `/mcp/` | the Model Context Protocol |
//! | the same with `/readonly`, `/x/...`, `/i/...` | the same, in a smaller scope (`request_scope`) |
//! | `GET /mcp` | the event stream of a session; without sessions 405 with an explanation |
//! | `DELETE /mcp` | the end of a session; 405 without sessions |
//! | `GET /.well-known/oauth-protected-resource` | OAuth metadata |
//! | `GET /healthz` | 200 while the process runs |
//! | `GET /readyz` | 200 while the server accepts requests, 503 once it stops |
//!
//! The metadata path can end with the path of an endpoint (RFC 9728, section 3.1). Health probes
//! need no credentials and accept any `Host`, so they can use an IP address. Every error of the
//! endpoint has a JSON-RPC error as its body, with the ID of the request.
//!
//! `router` orders the layers of `middleware`, `state` contains their settings and counters, and
//! `server` runs connections. The other files contain values that several layers use.

mod envelope;
mod hosts;
mod middleware;
mod page;
mod peer;
mod public_address;
mod rejection;
mod request_scope;
mod router;
mod server;
mod state;
mod well_known;

pub use middleware::{authentication::Auth, rate_limit::RateLimits};
pub use page::{ApiKeyUse, PageFacts};
pub use router::{admin_router, router};
pub use server::{
    Certificates, ConnectionLimits, Listening, Readiness, Swap, TlsError, listen, listen_within,
};
pub use state::HttpState;
