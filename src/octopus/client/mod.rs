//! HTTP client: connections, credentials, retries, limits and the paths of the API.
//!
//! This module is independent of the API documents in `model`. Layers of a request, in this order:
//!
//! 1. `coalescing`: identical reads share one request.
//! 2. `breaker`: rejects requests while the instance fails.
//! 3. `request_limiter`: limits concurrent requests.
//! 4. `transport`: retries requests and bounds bodies.

pub(super) mod access_set;
pub(super) mod breaker;
pub(super) mod budget;
pub(super) mod caches;
pub(super) mod change_request;
pub(super) mod coalescing;
pub(super) mod configured_credential;
pub(super) mod credential_error;
pub(super) mod credential_provider;
pub(super) mod credentials;
pub(super) mod error;
pub(super) mod error_response;
pub(super) mod headers;
pub(super) mod http_client;
pub(super) mod id_form;
pub(super) mod instance_client;
pub(super) mod instance_clock;
pub(super) mod instances;
pub(super) mod json;
pub(super) mod page;
pub(super) mod path;
pub(super) mod request_limiter;
pub(super) mod response;
pub(super) mod route;
pub(super) mod session;
mod sign_on;
pub(super) mod token_exchange;
pub(super) mod token_response;
pub(super) mod transport;
pub(super) mod version;
