//! A page for people, at the root: what this server is, what the visitor may do here, how to connect a
//! client, and what became of the last calls.
//!
//! It is one file without anything from elsewhere, and asks the endpoint as any MCP client does, so
//! there is no second way to ask. What it may do stands in its policy: its own script and style, by
//! their hashes, and requests to this server and to where people sign in.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Auth, Gate, guard, nothing_here, reached::Reached, refusal::Refusal};
use crate::config::Issuer;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// The parts of the script, in the order in which they build on one another.
const SCRIPTS: [&str; 4] = [
    include_str!("mcp.js"),
    include_str!("sign_in.js"),
    include_str!("clients.js"),
    include_str!("page.js"),
];
const CLIENTS: &str = include_str!("clients.json");

/// The page, ready but for what depends on the address by which it is reached.
#[derive(Debug)]
struct Page {
    before: String,
    after: String,
    policy: String,
}

/// The page, unless the settings turn it off.
pub(super) fn router(gate: &Arc<Gate>) -> Router {
    if !gate.http.page {
        return Router::new();
    }
    let page = Arc::new(Page::new(gate));
    Router::new()
        .route("/", get(serve).fallback(nothing_here))
        .with_state((Arc::clone(gate), page))
        .layer(from_fn_with_state(Arc::clone(gate), guard::check))
}

async fn serve(State((gate, page)): State<(Arc<Gate>, Arc<Page>)>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let Some(reached) = Reached::by(&gate, &parts) else {
        let message = "this server does not serve that host; whoever runs it can set \
                       http.public_url, or add the host to http.allowed_hosts";
        return Refusal::new(StatusCode::FORBIDDEN, message).into_response();
    };
    let told = embedded(&told(&gate, &reached));
    let body = [page.before.as_str(), told.as_str(), page.after.as_str()].concat();
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // Whoever opens the page, or is opened by it to sign in, has no hold on it.
        (OPENER_POLICY, HeaderValue::from_static("same-origin")),
        (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    ];
    match HeaderValue::from_str(&page.policy) {
        Ok(policy) => (headers, [(CONTENT_SECURITY_POLICY, policy)], body).into_response(),
        // Without its policy the page is not served.
        Err(_) => nothing_here().await,
    }
}

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

impl Page {
    fn new(gate: &Gate) -> Self {
        let script = SCRIPTS.concat();
        let clients: Value = serde_json::from_str(CLIENTS).unwrap_or_default();
        let whole = TEMPLATE
            .replace("{{style}}", STYLE)
            .replace("{{clients}}", &embedded(&clients))
            .replace("{{script}}", &script);
        let (before, after) = whole.split_once("{{server}}").unwrap_or((&whole, ""));
        Self { policy: policy(&script, gate), before: before.to_owned(), after: after.to_owned() }
    }
}

/// What the page may do.
fn policy(script: &str, gate: &Gate) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let mut connect = "'self'".to_owned();
    for (issuer, _) in page_clients(gate) {
        for url in [Url::parse(&issuer.issuer).ok(), issuer.discovery.clone()].into_iter().flatten()
        {
            connect = format!("{connect} {}", url.origin().ascii_serialization());
        }
    }
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; \
         connect-src {connect}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(script),
        hash(STYLE),
    )
}

/// The authorization servers where people sign in, with the client that the page is there.
fn page_clients(gate: &Gate) -> Vec<(&Issuer, &str)> {
    match &gate.auth {
        Auth::Ways(ways) => ways.oauth().map(|oauth| oauth.page_clients()).unwrap_or_default(),
        Auth::Octopus | Auth::None | Auth::Open => Vec::new(),
    }
}

/// What the page is told of the server.
fn told(gate: &Gate, reached: &Reached) -> Value {
    let ways = match &gate.auth {
        Auth::Octopus => vec!["octopus"],
        Auth::None | Auth::Open => vec!["none"],
        Auth::Ways(ways) => [
            ("tokens", ways.take_tokens()),
            ("oauth", ways.oauth().is_some()),
            ("proxy", ways.proxy().is_some()),
            ("certificate", ways.take_certificates()),
        ]
        .into_iter()
        .filter_map(|(way, is_on)| is_on.then_some(way))
        .collect(),
    };
    let scopes = match &gate.auth {
        Auth::Ways(ways) => ways.oauth().map(|oauth| oauth.scopes()).unwrap_or_default(),
        Auth::Octopus | Auth::None | Auth::Open => Vec::new(),
    };
    let sign_in: Vec<Value> = page_clients(gate)
        .into_iter()
        .map(|(issuer, client)| {
            // Its tokens are for another name than the address of this server, and some refuse to
            // give one for that then (Microsoft Entra ID: AADSTS9010010).
            let resource = issuer.audiences.0.is_empty().then(|| reached.resource("/mcp"));
            json!({ "issuer": issuer.issuer, "discovery": issuer.discovery, "clientId": client,
                "scopes": scopes, "resource": resource })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "endpoint": reached.resource("/mcp"),
        "ways": ways,
        "signIn": sign_in,
    })
}

/// JSON as it may stand in an element for data: nothing in it ends the element.
fn embedded(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_into_their_elements() {
        for name in ["style", "server", "clients", "script"] {
            assert_eq!(TEMPLATE.matches(&format!("{{{{{name}}}}}")).count(), 1, "{name}");
        }
        assert!(!SCRIPTS.concat().contains("</script") && !STYLE.contains("</style"));
        assert!(!SCRIPTS.concat().contains("{{server}}") && !CLIENTS.contains("{{server}}"));
        assert!(serde_json::from_str::<Value>(CLIENTS).unwrap().as_array().unwrap().len() > 10);
    }

    #[test]
    fn data_cannot_end_its_element() {
        let told = embedded(&json!({ "name": "</script><img src=x onerror=alert(1)>" }));
        assert!(!told.contains('<'), "{told}");
        assert_eq!(
            serde_json::from_str::<Value>(&told).unwrap()["name"],
            "</script><img src=x onerror=alert(1)>"
        );
    }
}
