//! Callers whom a trusted proxy names.

use octopus_mcp::{
    callers::{Named, Scope, Way, Ways},
    config::{self, AuthMode, Config, GroupScope, Modes, Secret},
    sample::keys,
};

use super::list;
use crate::support::TestServer;

fn behind(proxies: &'static str) -> impl FnOnce(&mut Config) {
    move |config| {
        config.auth.mode = Some(Modes(vec![AuthMode::Proxy]));
        config.auth.proxy.groups_header = Some("X-Forwarded-Groups".to_owned());
        config.auth.proxy.name_header = Some("X-Forwarded-Email".to_owned());
        config.http.trusted_proxies = serde_json::from_value(proxies.into()).unwrap();
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
    }
}

#[tokio::test]
async fn a_trusted_proxy_names_the_caller() {
    let server = TestServer::with(behind("127.0.0.0/8, ::1")).await;
    for (headers, status) in [
        (&[("x-forwarded-user", "maria")][..], 200),
        (&[("X-Forwarded-User", "maria"), ("x-forwarded-groups", "a,b")], 200),
        (&[("x-forwarded-user", "")], 401),
        (&[("x-forwarded-user", " ")], 401),
        (&[("x-forwarded-groups", "a")], 401),
        (&[], 401),
        // What a proxy passes on of the client's is no proof here, and goes no further.
        (&[("x-forwarded-user", "maria"), ("authorization", "Bearer x")], 200),
    ] {
        let reply = list(&server, headers).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.text);
        if status == 401 {
            assert!(reply.header("www-authenticate").starts_with("Bearer "), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn the_header_of_a_foreign_peer_is_refused_and_never_believed() {
    let server = TestServer::with(behind("10.0.0.0/8")).await;
    for more in [&[][..], &[("x-forwarded-for", "10.0.0.1")], &[("forwarded", "for=10.0.0.1")]] {
        let mut headers = vec![("x-forwarded-user", "maria")];
        headers.extend(more);
        let refused = list(&server, &headers).await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        assert!(refused.message().contains("accepted from the trusted proxy"), "{}", refused.text);
        assert!(!refused.text.contains("maria"));
    }
}

#[tokio::test]
async fn two_headers_leave_open_which_counts() {
    let server = TestServer::with(behind("127.0.0.1")).await;
    for name in ["x-forwarded-user", "x-forwarded-groups", "x-forwarded-email"] {
        let headers = [("x-forwarded-user", "maria"), (name, "a"), (name, "b")];
        let refused = list(&server, &headers).await;
        assert_eq!(refused.status, 400, "{name}: {}", refused.text);
        assert!(refused.message().contains("repeated"), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_header_of_a_proxy_means_nothing_where_no_proxy_is_believed() {
    let server = TestServer::with(|config| {
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        config.auth.mode = Some(Modes(vec![AuthMode::Tokens]));
    })
    .await;
    let refused = list(&server, &[("x-forwarded-user", "maria")]).await;
    assert_eq!(refused.status, 401, "{}", refused.text);
}

#[tokio::test]
async fn groups_and_names_come_from_their_headers() {
    let mut config = Config::default();
    behind("127.0.0.1")(&mut config);
    let scope = config::Scope::Admin;
    config.auth.group_scopes = vec![GroupScope { group: "platform".to_owned(), scope }];
    let ways = Ways::from_config(&config, |_| Ok(()), &octopus_mcp::telemetry::Metrics::default())
        .unwrap();
    let named =
        Named { user: "m7", groups: Some("freight, platform ,"), name: Some("maria@example.com") };
    let who = ways.named(&named).unwrap();
    assert_eq!((who.way, who.subject.as_str()), (Way::Proxy, "m7"));
    assert_eq!(who.name, "maria@example.com");
    assert_eq!(who.groups.iter().map(String::as_str).collect::<Vec<_>>(), ["freight", "platform"]);
    assert_eq!(who.grants.scope, Scope::Admin);
    let plain = ways.named(&Named { user: "m8", groups: None, name: None }).unwrap();
    assert_eq!((plain.name.as_str(), plain.grants.scope), ("m8", Scope::Read));
}
