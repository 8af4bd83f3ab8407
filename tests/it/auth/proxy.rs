//! Identity headers of a trusted proxy.

use octopus_mcp::{
    auth::{AuthMethod, Authenticators, ProxyHeaders, TokenScope},
    config::{AuthMode, AuthModes, Config, GroupScope, Secret},
};
use octopus_sample::keys;

use super::list_tools;
use crate::support::TestServer;

fn trust_proxies(proxies: &'static str) -> impl FnOnce(&mut Config) {
    move |config| {
        config.auth.mode = Some(AuthModes(vec![AuthMode::Proxy]));
        config.auth.proxy.groups_header = Some("X-Forwarded-Groups".to_owned());
        config.auth.proxy.name_header = Some("X-Forwarded-Email".to_owned());
        config.http.trusted_proxies = serde_json::from_value(proxies.into()).unwrap();
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    }
}

#[tokio::test]
async fn accepts_identity_headers_of_a_trusted_proxy() {
    let server = TestServer::with(trust_proxies("127.0.0.0/8, ::1")).await;
    for (headers, status) in [
        (&[("x-forwarded-user", "maria")][..], 200),
        (&[("X-Forwarded-User", "maria"), ("x-forwarded-groups", "a,b")], 200),
        (&[("x-forwarded-user", "")], 401),
        (&[("x-forwarded-user", " ")], 401),
        (&[("x-forwarded-groups", "a")], 401),
        (&[], 401),
        // A forwarded Authorization header of the client is ignored and not sent to Octopus.
        (&[("x-forwarded-user", "maria"), ("authorization", "Bearer x")], 200),
    ] {
        let reply = list_tools(&server, headers).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.text);
        if status == 401 {
            assert!(reply.header("www-authenticate").starts_with("Bearer "), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn rejects_identity_headers_of_untrusted_peers() {
    let server = TestServer::with(trust_proxies("10.0.0.0/8")).await;
    for extra_headers in
        [&[][..], &[("x-forwarded-for", "10.0.0.1")], &[("forwarded", "for=10.0.0.1")]]
    {
        let mut headers = vec![("x-forwarded-user", "maria")];
        headers.extend(extra_headers);
        let rejected = list_tools(&server, &headers).await;
        assert_eq!(rejected.status, 401, "{}", rejected.text);
        assert!(
            rejected.error_message().contains("accepted from the trusted proxy"),
            "{}",
            rejected.text
        );
        assert!(!rejected.text.contains("maria"));
    }
}

#[tokio::test]
async fn rejects_duplicate_identity_headers() {
    let server = TestServer::with(trust_proxies("127.0.0.1")).await;
    for name in ["x-forwarded-user", "x-forwarded-groups", "x-forwarded-email"] {
        let headers = [("x-forwarded-user", "maria"), (name, "a"), (name, "b")];
        let rejected = list_tools(&server, &headers).await;
        assert_eq!(rejected.status, 400, "{name}: {}", rejected.text);
        assert!(
            rejected.error_message().contains("appears more than once; send it once"),
            "{}",
            rejected.text
        );
    }
}

#[tokio::test]
async fn identity_headers_are_ignored_without_proxy_mode() {
    let server = TestServer::with(|config| {
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        config.auth.mode = Some(AuthModes(vec![AuthMode::Tokens]));
    })
    .await;
    let rejected = list_tools(&server, &[("x-forwarded-user", "maria")]).await;
    assert_eq!(rejected.status, 401, "{}", rejected.text);
}

#[tokio::test]
async fn reads_groups_and_names_from_headers() {
    let mut config = Config::default();
    trust_proxies("127.0.0.1")(&mut config);
    let scope = TokenScope::Admin;
    config.auth.group_scopes = vec![GroupScope { group: "platform".to_owned(), scope }];
    let authenticators = Authenticators::from_config(
        &config,
        |_| Ok(()),
        &octopus_mcp::telemetry::Metrics::default(),
    )
    .unwrap();
    let headers = ProxyHeaders {
        user: "m7",
        groups: Some("freight, platform ,"),
        name: Some("maria@example.com"),
    };
    let identity = authenticators.authenticate_proxy(&headers).unwrap();
    assert_eq!((identity.method, identity.subject.as_str()), (AuthMethod::Proxy, "m7"));
    assert_eq!(identity.name, "maria@example.com");
    assert_eq!(
        identity.groups.iter().map(String::as_str).collect::<Vec<_>>(),
        ["freight", "platform"]
    );
    assert_eq!(identity.grants.scope, TokenScope::Admin);
    let without_groups = authenticators
        .authenticate_proxy(&ProxyHeaders { user: "m8", groups: None, name: None })
        .unwrap();
    assert_eq!(
        (without_groups.name.as_str(), without_groups.grants.scope),
        ("m8", TokenScope::Read)
    );
}
