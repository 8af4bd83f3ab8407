//! The web page: security headers, allowed hosts, embedded data, and disabling it. `tests/page`
//! tests its content in a browser.

use base64::{Engine, prelude::BASE64_STANDARD};
use octopus_mcp::config::{AuthMode, Config};
use octopus_sample::keys;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Era, Reply, TestServer, send};

async fn get_page(server: &TestServer, headers: &[(&str, &str)]) -> Reply {
    let mut request = server.http.get(page_url(server));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).await
}

fn page_url(server: &TestServer) -> String {
    server.url.trim_end_matches("mcp").to_owned()
}

/// Returns the content of the first element with this start tag.
fn element_content<'a>(page: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(begin).unwrap_or_else(|| panic!("element {begin} not found"));
    rest.split_once(end).unwrap().0
}

fn embedded_data(page: &Reply) -> Value {
    let begin = "<script type=\"application/json\" id=\"server\">";
    serde_json::from_str(element_content(&page.text, begin, "</script>")).unwrap()
}

#[tokio::test]
async fn csp_allows_only_the_inline_script_and_style() {
    let server = TestServer::start().await;
    let page = get_page(&server, &[]).await;
    assert_eq!(page.status, 200);
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let script = hash(element_content(&page.text, "<script type=\"module\">", "</script>"));
    let style = hash(element_content(&page.text, "<style>", "</style>"));
    assert_eq!(
        page.header("content-security-policy"),
        format!(
            "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; \
             img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        )
    );
    for (header, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(page.header(header), value, "{header}");
    }
    for foreign in ["src=\"http", "href=\"http", "@import", "fetch('http", " style=\"", " onclick"]
    {
        assert!(!page.text.contains(foreign), "{foreign}");
    }
}

#[tokio::test]
async fn page_answers_get_and_head_and_can_be_disabled() {
    let server = TestServer::start().await;
    let head = send(server.http.head(page_url(&server))).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert!(head.header("content-security-policy").starts_with("default-src 'none'"));
    let posted = send(server.http.post(page_url(&server)).body("{}")).await;
    assert_eq!(posted.status, 404, "{}", posted.text);
    assert!(posted.error_message().contains("the MCP endpoint is /mcp"), "{}", posted.text);
    let off = TestServer::with(|config| config.http.page = false).await;
    let none = get_page(&off, &[]).await;
    assert_eq!(none.status, 404, "{}", none.text);
    assert!(none.error_message().contains("the MCP endpoint is /mcp"), "{}", none.text);
}

#[tokio::test]
async fn page_requires_allowed_host_and_rejects_credential_in_url() {
    let server = TestServer::with(|config| {
        config.http.allowed_hosts.0 = vec!["mcp.example.com".to_owned()];
    })
    .await;
    let allowed = get_page(&server, &[("host", "mcp.example.com")]).await;
    assert_eq!(allowed.status, 200);
    assert_eq!(embedded_data(&allowed)["endpoint"], "http://mcp.example.com/mcp");
    let rejected = get_page(&server, &[("host", "evil.example.com")]).await;
    assert_eq!(rejected.status, 403, "{}", rejected.text);
    assert!(rejected.error_message().contains("http.allowed_hosts"), "{}", rejected.text);
    let key = format!("{}?key={}", page_url(&server), keys::ADMIN);
    let rejected = send(server.http.get(key)).await;
    assert_eq!(rejected.status, 400, "{}", rejected.text);
    assert!(server.sample.journal().is_empty(), "the page sends no request to Octopus");
}

#[tokio::test]
async fn page_data_contains_endpoint_and_auth_methods() {
    fn none(config: &mut Config) {
        config.auth.mode = Some(AuthMode::None.into());
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
        config.http.public_url = Some("https://mcp.example.com/octopus".parse().unwrap());
    }
    fn tokens(config: &mut Config) {
        config.auth.mode = Some(AuthMode::Tokens.into());
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
    }
    for (change, methods, endpoint) in [
        (none as fn(&mut Config), json!(["none"]), Some("https://mcp.example.com/octopus/mcp")),
        (tokens, json!(["tokens"]), None),
        (|_| {}, json!(["octopus"]), None),
    ] {
        let server = TestServer::with(change).await;
        let data = embedded_data(&get_page(&server, &[]).await);
        assert_eq!(data["authMethods"], methods);
        assert_eq!(data["endpoint"], endpoint.unwrap_or(&server.url));
        assert_eq!(data["signIn"], json!([]));
        assert_eq!(data["version"], env!("CARGO_PKG_VERSION"));
    }
}

#[tokio::test]
async fn page_data_contains_sign_in_settings() {
    let server = TestServer::with(|config| {
        config.auth.mode = Some(AuthMode::Oauth.into());
        config.octopus.api_key = Some(keys::ADMIN.to_owned().into());
        for (issuer, client) in
            [("https://login.example.com/tenant", Some("the-page")), ("https://old.example", None)]
        {
            config.auth.oauth.issuers.push(octopus_mcp::config::IssuerSettings {
                issuer: issuer.to_owned(),
                page_client_id: client.map(str::to_owned),
                ..Default::default()
            });
        }
        config.auth.oauth.issuers.push(octopus_mcp::config::IssuerSettings {
            issuer: "https://named.example".to_owned(),
            discovery: "https://described.example/metadata".parse().ok(),
            audiences: octopus_mcp::config::ListSetting(vec!["api://octopus-mcp".to_owned()]),
            page_client_id: Some("page-2".to_owned()),
            ..Default::default()
        });
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
    })
    .await;
    let page = get_page(&server, &[]).await;
    let policy = page.header("content-security-policy");
    let allowed = "connect-src 'self' https://login.example.com https://named.example \
                   https://described.example;";
    assert!(policy.contains(allowed), "{policy}");
    assert_eq!(
        embedded_data(&page)["signIn"],
        json!([
            { "issuer": "https://login.example.com/tenant", "discovery": null,
                "clientId": "the-page", "scopes": ["octopus:read"],
                "resource": "https://mcp.example.com/mcp" },
            { "issuer": "https://named.example", "clientId": "page-2",
                "discovery": "https://described.example/metadata", "scopes": ["octopus:read"],
                "resource": null },
        ])
    );
}

/// Browsers send the origin of the page with its requests.
#[tokio::test]
async fn endpoint_accepts_origin_of_its_page() {
    let server = TestServer::with(|config| {
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
        config.http.allowed_hosts.0 = vec!["mcp.internal".to_owned()];
    })
    .await;
    for (host, origin) in [
        ("mcp.example.com", "https://mcp.example.com"),
        ("mcp.internal", "http://mcp.internal"),
        ("mcp.internal", "https://mcp.example.com"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
    ] {
        let headers = [("host", host), ("origin", origin)];
        let answer = server.rpc_at("", &headers, Era::Modern, "server/discover", json!({})).await;
        assert_eq!(answer.status, 200, "{origin}: {}", answer.text);
    }
}

/// The host is checked before the origin.
#[tokio::test]
async fn rejects_foreign_hosts_and_origins() {
    let server = TestServer::with(|config| {
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
    })
    .await;
    for (host, origin, setting) in [
        ("evil.example.com", "http://evil.example.com", "http.allowed_hosts"),
        ("evil.example.com:8080", "http://evil.example.com:8080", "http.allowed_hosts"),
        ("evil.example.com", "https://mcp.example.com", "http.allowed_hosts"),
        ("mcp.example.com", "https://evil.example.com", "http.allowed_origins"),
        ("mcp.example.com", "https://mcp.example.com:8443", "http.allowed_origins"),
        ("mcp.example.com", "null", "http.allowed_origins"),
    ] {
        let headers = [("host", host), ("origin", origin)];
        let answer = server.rpc_at("", &headers, Era::Modern, "server/discover", json!({})).await;
        assert_eq!(answer.status, 403, "{host} {origin}: {}", answer.text);
        assert!(answer.error_message().contains(setting), "{host} {origin}: {}", answer.text);
    }
}
