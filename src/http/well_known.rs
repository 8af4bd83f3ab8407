//! What this server says of itself to clients that look for its authorization server (RFC 9728).

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{Method, StatusCode};
use serde_json::json;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowHeaders, Any, CorsLayer},
};

use super::{
    Auth, Gate, nothing_here, peer,
    reached::{Reached, WELL_KNOWN},
    refusal::{self, Refusal},
    trace,
};

/// The metadata of every endpoint, where there are authorization servers: at the root, and with
/// the path of the endpoint behind it.
pub(super) fn router(gate: &Arc<Gate>) -> Router {
    let is_on = matches!(&gate.auth, Auth::Ways(ways) if ways.oauth().is_some());
    if !is_on {
        return Router::new();
    }
    Router::new()
        .route(WELL_KNOWN, get(metadata))
        .route(&format!("{WELL_KNOWN}/"), get(metadata))
        .route(&format!("{WELL_KNOWN}/{{*path}}"), get(metadata))
        .with_state(Arc::clone(gate))
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(Arc::clone(gate), peer::find))
                .layer(from_fn_with_state(Arc::clone(gate), trace::trace))
                .layer(CatchPanicLayer::custom(refusal::panicked))
                // It is for everybody, and holds nothing of anybody.
                .layer(
                    CorsLayer::new()
                        .allow_origin(Any)
                        .allow_methods([Method::GET])
                        .allow_headers(AllowHeaders::mirror_request()),
                ),
        )
}

async fn metadata(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let Auth::Ways(ways) = &gate.auth else { return nothing_here().await };
    let Some(oauth) = ways.oauth() else { return nothing_here().await };
    let Some(reached) = Reached::by(&gate, &parts) else {
        let message = "this server does not serve that host; whoever runs it can set \
                       http.public_url, or add the host to http.allowed_hosts";
        return Refusal::new(StatusCode::FORBIDDEN, message).into_response();
    };
    let behind = parts.uri.path().strip_prefix(WELL_KNOWN).unwrap_or_default();
    let Some(path) = reached.endpoint(behind) else { return nothing_here().await };
    let mut metadata = json!({
        "resource": reached.resource(path),
        "authorization_servers": oauth.authorization_servers(),
        "scopes_supported": oauth.scopes(),
        "bearer_methods_supported": ["header"],
        "resource_name": "Octopus Deploy",
    });
    if let (Some(page), Some(fields)) = (oauth.documentation(), metadata.as_object_mut()) {
        fields.insert("resource_documentation".to_owned(), page.into());
    }
    Json(metadata).into_response()
}
