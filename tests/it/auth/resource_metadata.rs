//! Protected resource metadata (RFC 9728).

use octopus_mcp::config::{ForwardingHeaders, IssuerSettings};
use serde_json::{Value, json};

use super::test_issuer::TestIssuer;
use crate::support::{Reply, TestServer, send};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

async fn get_metadata(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Reply {
    let base = server.url.trim_end_matches("/mcp");
    let mut request = server.http.get(format!("{base}{WELL_KNOWN}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).await
}

async fn resource_of(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Value {
    let reply = get_metadata(server, path, headers).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    assert_eq!(reply.header("content-type"), "application/json");
    reply.json()["resource"].clone()
}

#[tokio::test]
async fn every_endpoint_has_metadata() {
    let issuer = TestIssuer::start(&[]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    let base = server.url.trim_end_matches("/mcp");
    for (path, endpoint) in [
        ("", "/mcp"),
        ("/", "/mcp"),
        ("/mcp", "/mcp"),
        ("/mcp/", "/mcp/"),
        ("/mcp/readonly", "/mcp/readonly"),
        ("/mcp/readonly/", "/mcp/readonly/"),
        ("/mcp/x/deployments", "/mcp/x/deployments"),
        ("/mcp/x/deployments/readonly/", "/mcp/x/deployments/readonly/"),
        ("/mcp/i/production", "/mcp/i/production"),
        ("/mcp/i/production/Default/", "/mcp/i/production/Default/"),
        ("/mcp/i/production/My%20Space", "/mcp/i/production/My%20Space"),
    ] {
        assert_eq!(resource_of(&server, path, &[]).await, format!("{base}{endpoint}"), "{path}");
    }
    for path in ["/mcpx", "/other", "/healthz", "/%6dcp"] {
        let missing = get_metadata(&server, path, &[]).await;
        assert_eq!(missing.status, 404, "{path}: {}", missing.text);
    }
}

#[tokio::test]
async fn metadata_document_follows_rfc_9728() {
    let issuer = TestIssuer::start(&[]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
        config.auth.oauth.documentation = Some("https://wiki.example.com/mcp".to_owned());
        config.auth.oauth.issuers[0].issuer = "https://login.example.com/tenant/".to_owned();
        config.auth.oauth.issuers.push(IssuerSettings {
            issuer: "https://sts.example.com/tenant/".to_owned(),
            advertised: false,
            ..issuer.settings()
        });
    })
    .await;
    let reply = get_metadata(&server, "/mcp", &[]).await;
    assert_eq!(
        reply.json(),
        json!({
            "resource": "https://mcp.example.com/mcp",
            // The trailing slash is kept.
            "authorization_servers": ["https://login.example.com/tenant/"],
            // The server is read-only, so other scopes are unusable.
            "scopes_supported": ["octopus:read"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Octopus Deploy",
            "resource_documentation": "https://wiki.example.com/mcp",
        })
    );
}

#[tokio::test]
async fn metadata_lists_only_usable_scopes() {
    let issuer = TestIssuer::start(&[]);
    for (read_only, allow_deletes, scopes) in [
        (true, false, json!(["api://octopus/octopus.read"])),
        (false, false, json!(["api://octopus/octopus.read", "octopus:deploy"])),
        (false, true, json!(["api://octopus/octopus.read", "octopus:deploy", "octopus:admin"])),
    ] {
        let server = TestServer::with(|config| {
            issuer.configure(config);
            config.tools.read_only = read_only;
            config.tools.allow_deletes = allow_deletes;
            config.auth.oauth.scope_names.read.0 =
                vec!["api://octopus/octopus.read".to_owned(), "octopus.read".to_owned()];
        })
        .await;
        assert_eq!(get_metadata(&server, "", &[]).await.json()["scopes_supported"], scopes);
    }
}

#[tokio::test]
async fn metadata_allows_any_origin() {
    let issuer = TestIssuer::start(&[]);
    let server = TestServer::with(|config| issuer.configure(config)).await;
    let origin = [("origin", "https://app.example.com")];
    for path in ["", "/mcp", "/mcp/i/production/"] {
        let reply = get_metadata(&server, path, &origin).await;
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
    }
    let base = server.url.trim_end_matches("/mcp");
    let preflight = server
        .http
        .request(reqwest::Method::OPTIONS, format!("{base}{WELL_KNOWN}/mcp"))
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "mcp-protocol-version");
    let preflight = send(preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, "*"));
    assert_eq!(preflight.header("access-control-allow-headers"), "mcp-protocol-version");
}

#[tokio::test]
async fn resource_uses_the_requested_host_if_allowed() {
    let issuer = TestIssuer::start(&[]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.http.allowed_hosts.0 = vec!["mcp.example.com".to_owned()];
    })
    .await;
    let host = [("host", "mcp.example.com:8443")];
    assert_eq!(resource_of(&server, "/mcp", &host).await, "http://mcp.example.com:8443/mcp");
    let foreign = get_metadata(&server, "/mcp", &[("host", "evil.example.com")]).await;
    assert_eq!(foreign.status, 403);
    assert!(foreign.error_message().contains("http.public_url"), "{}", foreign.text);
}

#[tokio::test]
async fn forwarded_address_is_used_only_from_trusted_proxies() {
    let issuer = TestIssuer::start(&[]);
    let headers = [("x-forwarded-proto", "https"), ("x-forwarded-host", "mcp.example.com")];
    for (proxies, forwarding, expected) in [
        ("127.0.0.1", ForwardingHeaders::XForwarded, Some("https://mcp.example.com/mcp")),
        ("10.0.0.1", ForwardingHeaders::XForwarded, None),
        ("127.0.0.1", ForwardingHeaders::Forwarded, None),
    ] {
        let server = TestServer::with(|config| {
            issuer.configure(config);
            config.http.allowed_hosts.0 = vec!["mcp.example.com".to_owned()];
            config.http.trusted_proxies = serde_json::from_value(json!(proxies)).unwrap();
            config.http.forwarding = forwarding;
        })
        .await;
        let reply = resource_of(&server, "/mcp", &headers).await;
        assert_eq!(reply, expected.unwrap_or(&server.url), "{proxies}");
    }
}

#[tokio::test]
async fn public_url_path_precedes_endpoint_paths() {
    let issuer = TestIssuer::start(&[]);
    let server = TestServer::with(|config| {
        issuer.configure(config);
        config.http.public_url = Some("https://example.com/tools/".parse().unwrap());
    })
    .await;
    for path in ["/tools/mcp", ""] {
        assert_eq!(resource_of(&server, path, &[]).await, "https://example.com/tools/mcp");
    }
    let rejected = crate::auth::list_tools(&server, &[]).await;
    assert_eq!(
        rejected.header("www-authenticate"),
        "Bearer resource_metadata=\"https://example.com/.well-known/oauth-protected-resource/\
         tools/mcp\""
    );
}

#[tokio::test]
async fn metadata_is_absent_without_oauth() {
    let server = TestServer::start().await;
    for path in ["", "/mcp"] {
        assert_eq!(get_metadata(&server, path, &[]).await.status, 404, "{path}");
    }
}
