//! Protected resource metadata (RFC 9728). Clients find the authorization servers in it.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::{
    middleware::authentication::Authentication, public_address::WELL_KNOWN, rejection::Rejection,
};

/// Returns the metadata routes if authorization servers are configured: at the root, and with the
/// path of an endpoint appended.
pub(super) fn router(authentication: &Arc<Authentication>) -> Router {
    if authentication
        .auth
        .authenticators()
        .and_then(|authenticators| authenticators.oauth())
        .is_none()
    {
        return Router::new();
    }
    Router::new()
        .route(WELL_KNOWN, get(metadata))
        .route(&format!("{WELL_KNOWN}/"), get(metadata))
        .route(&format!("{WELL_KNOWN}/{{*path}}"), get(metadata))
        .with_state(Arc::clone(authentication))
}

async fn metadata(State(authentication): State<Arc<Authentication>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let oauth =
        authentication.auth.authenticators().and_then(|authenticators| authenticators.oauth());
    let Some(oauth) = oauth else { return Rejection::not_found().into_response() };
    let Some(address) = authentication.addresses.public(&parts) else {
        return Rejection::unknown_host().into_response();
    };
    let after = parts.uri.path().strip_prefix(WELL_KNOWN).unwrap_or_default();
    let Some(path) = address.endpoint(after) else {
        return Rejection::not_found().into_response();
    };
    let mut metadata = json!({
        "resource": address.resource(path),
        "authorization_servers": oauth.authorization_servers(),
        "scopes_supported": oauth.advertised_scopes(),
        "bearer_methods_supported": ["header"],
        "resource_name": "Octopus Deploy",
    });
    if let (Some(page), Some(fields)) = (oauth.documentation_url(), metadata.as_object_mut()) {
        fields.insert("resource_documentation".to_owned(), page.into());
    }
    Json(metadata).into_response()
}
