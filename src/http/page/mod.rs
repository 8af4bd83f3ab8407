//! The web page at `/`: client configurations, server properties, the access of the visitor, and
//! recent calls.
//!
//! The page is one file without external resources. It sends requests to the endpoint like any MCP
//! client, so there is no second API. Its content security policy allows its own script and style,
//! by their hashes, and requests to this server and to the authorization servers.

mod facts;

pub use facts::{ApiKeyUse, PageFacts};

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
    HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::{
    middleware::{authentication::Auth, message::guard},
    public_address::{PublicAddress, PublicAddresses},
    rejection::Rejection,
    state::HttpState,
};
use crate::config::IssuerSettings;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// The parts of the script, in order: later parts use earlier ones.
const SCRIPTS: [&str; 4] = [
    include_str!("mcp.js"),
    include_str!("sign_in.js"),
    include_str!("clients.js"),
    include_str!("page.js"),
];
const CLIENTS: &str = include_str!("clients.json");

/// The page, except for the parts that depend on the address of the request.
#[derive(Debug)]
struct Page {
    auth: Arc<Auth>,
    facts: PageFacts,
    addresses: Arc<PublicAddresses>,
    before: String,
    after: String,
    policy: String,
}

/// Returns the route of the page, unless `http.page` is off.
pub(super) fn router(state: &HttpState) -> Router {
    if !state.http.page {
        return Router::new();
    }
    let auth = Arc::clone(&state.authentication.auth);
    let page = Page::new(auth, Arc::clone(&state.addresses), state.page.clone());
    Router::new()
        .route("/", get(serve).fallback(not_found))
        .with_state(Arc::new(page))
        .layer(from_fn_with_state(Arc::clone(&state.addresses), guard))
}

async fn not_found() -> Rejection {
    Rejection::not_found()
}

async fn serve(State(page): State<Arc<Page>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let Some(address) = page.addresses.public(&parts) else {
        return Rejection::unknown_host().into_response();
    };
    let server = embed(&describe(&page.auth, &page.facts, &address));
    let body = [page.before.as_str(), server.as_str(), page.after.as_str()].concat();
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // Prevents other windows, such as openers and the sign-in window, from getting a handle to
        // the page.
        (OPENER_POLICY, HeaderValue::from_static("same-origin")),
        (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    ];
    match HeaderValue::from_str(&page.policy) {
        Ok(policy) => (headers, [(CONTENT_SECURITY_POLICY, policy)], body).into_response(),
        // The page is not served without its policy.
        Err(_) => Rejection::not_found().into_response(),
    }
}

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

impl Page {
    fn new(auth: Arc<Auth>, addresses: Arc<PublicAddresses>, facts: PageFacts) -> Self {
        let script = SCRIPTS.concat();
        let clients: Value = serde_json::from_str(CLIENTS).unwrap_or_default();
        let whole = TEMPLATE
            .replace("{{style}}", STYLE)
            .replace("{{clients}}", &embed(&clients))
            .replace("{{script}}", &script);
        let (before, after) = whole.split_once("{{server}}").unwrap_or((&whole, ""));
        Self {
            policy: policy(&script, &auth),
            before: before.to_owned(),
            after: after.to_owned(),
            auth,
            facts,
            addresses,
        }
    }
}

/// Returns the content security policy of the page.
fn policy(script: &str, auth: &Auth) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let mut connect = "'self'".to_owned();
    for (issuer, _) in page_clients(auth) {
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

/// Returns the authorization servers for sign-in, each with the client ID of the page.
fn page_clients(auth: &Auth) -> Vec<(&IssuerSettings, &str)> {
    let oauth = auth.authenticators().and_then(|authenticators| authenticators.oauth());
    oauth.map(|oauth| oauth.page_clients()).unwrap_or_default()
}

/// Describes the server for the script of the page.
fn describe(auth: &Auth, facts: &PageFacts, address: &PublicAddress) -> Value {
    let methods = match auth {
        Auth::Octopus => vec!["octopus"],
        Auth::None | Auth::Open => vec!["none"],
        Auth::Authenticated(authenticators) => [
            ("tokens", authenticators.accepts_tokens()),
            ("oauth", authenticators.oauth().is_some()),
            ("proxy", authenticators.proxy().is_some()),
            ("certificate", authenticators.accepts_certificates()),
        ]
        .into_iter()
        .filter_map(|(method, is_on)| is_on.then_some(method))
        .collect(),
    };
    let oauth = auth.authenticators().and_then(|authenticators| authenticators.oauth());
    let scopes = oauth.map(|oauth| oauth.advertised_scopes()).unwrap_or_default();
    let sign_in: Vec<Value> = page_clients(auth)
        .into_iter()
        .map(|(issuer, client)| {
            // If the audience of tokens is not the address of this server, some issuers reject
            // that address as a resource (Microsoft Entra ID: AADSTS9010010).
            let resource = issuer.audiences.0.is_empty().then(|| address.resource("/mcp"));
            json!({ "issuer": issuer.issuer, "discovery": issuer.discovery, "clientId": client,
                "scopes": scopes, "resource": resource })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "endpoint": address.resource("/mcp"),
        "authMethods": methods,
        "signIn": sign_in,
        "apiKey": facts.api_key.name(),
        "tools": facts.tools,
        "allowsChanges": facts.allows_changes,
        "hasSeveralInstances": facts.has_several_instances,
        "sampleQuestions": facts.sample_questions,
    })
}

/// Encodes JSON for a `<script>` element. The result cannot end the element.
fn embed(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_has_each_placeholder_once() {
        for name in ["style", "server", "clients", "script"] {
            assert_eq!(TEMPLATE.matches(&format!("{{{{{name}}}}}")).count(), 1, "{name}");
        }
        assert!(!SCRIPTS.concat().contains("</script") && !STYLE.contains("</style"));
        assert!(!SCRIPTS.concat().contains("{{server}}") && !CLIENTS.contains("{{server}}"));
        assert!(serde_json::from_str::<Value>(CLIENTS).unwrap().as_array().unwrap().len() > 10);
    }

    #[test]
    fn embedded_data_cannot_close_the_script_element() {
        let embedded = embed(&json!({ "name": "</script><img src=x onerror=alert(1)>" }));
        assert!(!embedded.contains('<'), "{embedded}");
        assert_eq!(
            serde_json::from_str::<Value>(&embedded).unwrap()["name"],
            "</script><img src=x onerror=alert(1)>"
        );
    }
}
