//! Layer 2: CORS. Pages of allowed origins may read the responses.

use std::sync::Arc;

use http::{Method, header};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, Any, CorsLayer};

use super::{rate_limit, trace};
use crate::http::public_address::PublicAddresses;

/// Returns the CORS layer of the endpoint and the page.
///
/// - Needs and adds: nothing in the extensions.
/// - Rejects with: nothing, because the message layer checks origins. Preflight requests get 200.
pub(in crate::http) fn cors(addresses: Arc<PublicAddresses>) -> CorsLayer {
    let allow = move |origin: &_, _: &_| addresses.allowed().allows_origin(origin);
    let expose = [header::WWW_AUTHENTICATE, header::RETRY_AFTER, trace::REQUEST_ID];
    let expose: Vec<_> = expose.into_iter().chain(rate_limit::HEADERS).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allow))
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(expose)
}

/// Returns the CORS layer of public metadata, which pages of all origins may read.
pub(in crate::http) fn public_cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET])
        .allow_headers(AllowHeaders::mirror_request())
}
