//! Lookups of the space that a request names count like other upstream requests.

use octopus_sample::keys;
use serde_json::json;

use super::{LIST, initialize_request, is_rate_limited, limit_caller_to};
use crate::support::{ERAS, Era, LEGACY_VERSION, Reply, TestServer};

const UNKNOWN_SPACE: (&str, &str) = ("x-octopus-space", "Nowhere");

fn is_space_not_found(reply: &Reply) -> bool {
    if reply.status != 404 {
        return false;
    }
    assert!(reply.error_message().contains("not found in instance 'default'"), "{}", reply.text);
    true
}

#[tokio::test]
async fn lookups_of_unknown_spaces_are_rate_limited() {
    for by_path in [true, false] {
        let server = TestServer::with(|config| limit_caller_to(config, 2)).await;
        let ask = async |space: &str| {
            let path = format!("/i/default/{space}");
            let header = ("x-octopus-space", space);
            if by_path {
                server.post_at(&path, &[], LIST).await
            } else {
                server.post(&[header], LIST).await
            }
        };
        for (space, left) in [("nowhere-1", "1"), ("nowhere-2", "0")] {
            server.sample.clear_journal();
            let absent = ask(space).await;
            assert!(is_space_not_found(&absent), "{absent:?}");
            assert_eq!(absent.header("x-ratelimit-remaining"), left);
            assert!(!server.sample.journal().is_empty());
        }
        server.sample.clear_journal();
        assert!(is_rate_limited(&ask("nowhere-3").await));
        assert_eq!(server.sample.journal(), []);
    }
}

#[tokio::test]
async fn space_lookups_count_toward_the_instance_limit() {
    let server = TestServer::with(|config| {
        config.limits.instance_rate = 1;
        config.limits.instance_burst = 1;
    })
    .await;
    assert!(is_space_not_found(&server.post(&[UNKNOWN_SPACE], LIST).await));
    server.sample.clear_journal();
    let other = ("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY);
    assert!(is_rate_limited(&server.post(&[UNKNOWN_SPACE, other], LIST).await));
    assert_eq!(server.sample.journal(), []);
}

#[tokio::test]
async fn ping_notification_and_initialize_need_no_space_lookup() {
    let server = TestServer::start().await;
    let headers = [UNKNOWN_SPACE, ("x-octopus-apikey", keys::ADMIN)];
    let pinged = server.rpc_at("", &headers, Era::Legacy, "ping", json!({})).await;
    assert_eq!(pinged.json()["result"], json!({}));
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(server.post(&headers, ready).await.status, 202);
    let initialized = server.post(&headers, initialize_request().to_string()).await;
    assert_eq!(initialized.json()["result"]["protocolVersion"], LEGACY_VERSION);
    let discovered = server.rpc_at("", &headers, Era::Modern, "server/discover", json!({})).await;
    assert_eq!(discovered.json()["result"]["resultType"], "complete");
    assert_eq!(server.sample.journal(), [], "no upstream request is expected");
    for era in ERAS {
        let response = server.rpc_at("", &headers, era, "tools/list", json!({})).await;
        assert!(is_space_not_found(&response), "{response:?}");
    }
}

#[tokio::test]
async fn missing_space_is_cached_per_caller() {
    let server = TestServer::start().await;
    let first = server.post(&[UNKNOWN_SPACE], LIST).await;
    assert!(is_space_not_found(&first));
    server.sample.clear_journal();
    let again = server.post(&[("x-octopus-space", "NOWHERE ")], LIST).await;
    assert!(is_space_not_found(&again));
    assert_eq!((again.error_message(), server.sample.journal()), (first.error_message(), vec![]));
    let other = ("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY);
    assert!(is_space_not_found(&server.post(&[UNKNOWN_SPACE, other], LIST).await));
    assert!(
        !server.sample.journal().is_empty(),
        "the cache entry of one caller must not serve another"
    );
}
