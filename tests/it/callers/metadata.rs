//! Protected resource metadata (RFC 9728).

use octopus_mcp::config::{Forwarding, Issuer};
use serde_json::{Value, json};

use super::issuer::TestIssuer;
use crate::support::{Reply, TestServer, reply};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

async fn look(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Reply {
    let base = server.url.trim_end_matches("/mcp");
    let mut request = server.http.get(format!("{base}{WELL_KNOWN}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    reply(request).await
}

async fn resource(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Value {
    let reply = look(server, path, headers).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    assert_eq!(reply.header("content-type"), "application/json");
    reply.json()["resource"].clone()
}

#[tokio::test]
async fn every_endpoint_has_its_metadata_with_and_without_a_slash() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
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
        assert_eq!(resource(&server, path, &[]).await, format!("{base}{endpoint}"), "{path}");
    }
    for path in ["/mcpx", "/other", "/healthz", "/%6dcp"] {
        let missing = look(&server, path, &[]).await;
        assert_eq!(missing.status, 404, "{path}: {}", missing.text);
    }
}

#[tokio::test]
async fn the_whole_document_is_as_the_standard_has_it() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.http.public_url = Some("https://mcp.example.com".parse().unwrap());
        config.auth.oauth.documentation = Some("https://wiki.example.com/mcp".to_owned());
        config.auth.oauth.issuers[0].issuer = "https://login.example.com/tenant/".to_owned();
        config.auth.oauth.issuers.push(Issuer {
            issuer: "https://sts.example.com/tenant/".to_owned(),
            advertised: false,
            ..issuer.settings()
        });
    })
    .await;
    let reply = look(&server, "/mcp", &[]).await;
    assert_eq!(
        reply.json(),
        json!({
            "resource": "https://mcp.example.com/mcp",
            // The trailing slash is kept.
            "authorization_servers": ["https://login.example.com/tenant/"],
            // The server is read-only, so other scopes are of no use.
            "scopes_supported": ["octopus:read"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Octopus Deploy",
            "resource_documentation": "https://wiki.example.com/mcp",
        })
    );
}

#[tokio::test]
async fn the_scopes_are_those_that_are_of_use() {
    let issuer = TestIssuer::with(&[]);
    for (read_only, allow_deletes, scopes) in [
        (true, false, json!(["api://octopus/octopus.read"])),
        (false, false, json!(["api://octopus/octopus.read", "octopus:deploy"])),
        (false, true, json!(["api://octopus/octopus.read", "octopus:deploy", "octopus:admin"])),
    ] {
        let server = TestServer::with(|config| {
            issuer.trusted(config);
            config.tools.read_only = read_only;
            config.tools.allow_deletes = allow_deletes;
            config.auth.oauth.scope_names.read.0 =
                vec!["api://octopus/octopus.read".to_owned(), "octopus.read".to_owned()];
        })
        .await;
        assert_eq!(look(&server, "", &[]).await.json()["scopes_supported"], scopes);
    }
}

#[tokio::test]
async fn pages_of_any_origin_may_read_it() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let origin = [("origin", "https://app.example.com")];
    for path in ["", "/mcp", "/mcp/i/production/"] {
        let reply = look(&server, path, &origin).await;
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
    }
    let base = server.url.trim_end_matches("/mcp");
    let preflight = server
        .http
        .request(reqwest::Method::OPTIONS, format!("{base}{WELL_KNOWN}/mcp"))
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "mcp-protocol-version");
    let preflight = reply(preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, "*"));
    assert_eq!(preflight.header("access-control-allow-headers"), "mcp-protocol-version");
}

#[tokio::test]
async fn the_resource_has_the_host_that_the_client_asked_if_that_is_served() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.http.allowed_hosts.0 = vec!["mcp.example.com".to_owned()];
    })
    .await;
    let host = [("host", "mcp.example.com:8443")];
    assert_eq!(resource(&server, "/mcp", &host).await, "http://mcp.example.com:8443/mcp");
    let foreign = look(&server, "/mcp", &[("host", "evil.example.com")]).await;
    assert_eq!(foreign.status, 403);
    assert!(foreign.message().contains("http.public_url"), "{}", foreign.text);
}

#[tokio::test]
async fn what_a_proxy_says_of_the_address_counts_if_the_proxy_is_trusted() {
    let issuer = TestIssuer::with(&[]);
    let headers = [("x-forwarded-proto", "https"), ("x-forwarded-host", "mcp.example.com")];
    for (proxies, forwarding, expected) in [
        ("127.0.0.1", Forwarding::XForwarded, Some("https://mcp.example.com/mcp")),
        ("10.0.0.1", Forwarding::XForwarded, None),
        ("127.0.0.1", Forwarding::Forwarded, None),
    ] {
        let server = TestServer::with(|config| {
            issuer.trusted(config);
            config.http.allowed_hosts.0 = vec!["mcp.example.com".to_owned()];
            config.http.trusted_proxies = serde_json::from_value(json!(proxies)).unwrap();
            config.http.forwarding = forwarding;
        })
        .await;
        let reply = resource(&server, "/mcp", &headers).await;
        assert_eq!(reply, expected.unwrap_or(&server.url), "{proxies}");
    }
}

#[tokio::test]
async fn an_address_with_a_path_has_it_before_those_of_the_endpoints() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| {
        issuer.trusted(config);
        config.http.public_url = Some("https://example.com/tools/".parse().unwrap());
    })
    .await;
    for path in ["/tools/mcp", ""] {
        assert_eq!(resource(&server, path, &[]).await, "https://example.com/tools/mcp");
    }
    let rejected = super::list(&server, &[]).await;
    assert_eq!(
        rejected.header("www-authenticate"),
        "Bearer resource_metadata=\"https://example.com/.well-known/oauth-protected-resource/\
         tools/mcp\""
    );
}

#[tokio::test]
async fn there_is_none_where_callers_are_known_in_other_ways() {
    let server = TestServer::start().await;
    for path in ["", "/mcp"] {
        assert_eq!(look(&server, path, &[]).await.status, 404, "{path}");
    }
}
