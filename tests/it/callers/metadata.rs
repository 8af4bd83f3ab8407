//! What clients that look for the authorization server find (RFC 9728).

use octopus_mcp::config::{Forwarding, Issuer};
use serde_json::{Value, json};

use super::issuer::TestIssuer;
use crate::support::{Reply, TestServer, reply};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

async fn look(server: &TestServer, behind: &str, headers: &[(&str, &str)]) -> Reply {
    let base = server.url.trim_end_matches("/mcp");
    let mut request = server.http.get(format!("{base}{WELL_KNOWN}{behind}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    reply(request).await
}

async fn resource(server: &TestServer, behind: &str, headers: &[(&str, &str)]) -> Value {
    let found = look(server, behind, headers).await;
    assert_eq!(found.status, 200, "{behind}: {}", found.text);
    assert_eq!(found.header("content-type"), "application/json");
    found.json()["resource"].clone()
}

#[tokio::test]
async fn every_endpoint_has_its_metadata_with_and_without_a_slash() {
    let issuer = TestIssuer::with(&[]);
    let server = TestServer::with(|config| issuer.trusted(config)).await;
    let base = server.url.trim_end_matches("/mcp");
    for (behind, path) in [
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
        assert_eq!(resource(&server, behind, &[]).await, format!("{base}{path}"), "{behind}");
    }
    for behind in ["/mcpx", "/other", "/healthz", "/%6dcp"] {
        let none = look(&server, behind, &[]).await;
        assert_eq!(none.status, 404, "{behind}: {}", none.text);
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
    let found = look(&server, "/mcp", &[]).await;
    assert_eq!(
        found.json(),
        json!({
            "resource": "https://mcp.example.com/mcp",
            // Byte for byte: no slash more, none less.
            "authorization_servers": ["https://login.example.com/tenant/"],
            // Nothing may be changed here, so nobody need ask for more.
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
    for behind in ["", "/mcp", "/mcp/i/production/"] {
        let found = look(&server, behind, &origin).await;
        assert_eq!(found.header("access-control-allow-origin"), "*", "{behind}");
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
    let evil = look(&server, "/mcp", &[("host", "evil.example.com")]).await;
    assert_eq!(evil.status, 403);
    assert!(evil.message().contains("http.public_url"), "{}", evil.text);
}

#[tokio::test]
async fn what_a_proxy_says_of_the_address_counts_if_the_proxy_is_trusted() {
    let issuer = TestIssuer::with(&[]);
    let told = [("x-forwarded-proto", "https"), ("x-forwarded-host", "mcp.example.com")];
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
        let found = resource(&server, "/mcp", &told).await;
        assert_eq!(found, expected.unwrap_or(&server.url), "{proxies}");
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
    for behind in ["/tools/mcp", ""] {
        assert_eq!(resource(&server, behind, &[]).await, "https://example.com/tools/mcp");
    }
    let refused = super::list(&server, &[]).await;
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer resource_metadata=\"https://example.com/.well-known/oauth-protected-resource/\
         tools/mcp\""
    );
}

#[tokio::test]
async fn there_is_none_where_callers_are_known_in_other_ways() {
    let server = TestServer::start().await;
    for behind in ["", "/mcp"] {
        assert_eq!(look(&server, behind, &[]).await.status, 404, "{behind}");
    }
}
