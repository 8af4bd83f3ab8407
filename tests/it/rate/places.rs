//! Lookups of the space that a request names count like other upstream requests.

use octopus_sample::keys;
use serde_json::json;

use super::{LIST, few, greeting, is_told_to_wait};
use crate::support::{ERAS, Era, LEGACY, Reply, TestServer};

const NOWHERE: (&str, &str) = ("x-octopus-space", "Nowhere");

fn is_absent(reply: &Reply) -> bool {
    if reply.status != 404 {
        return false;
    }
    assert!(reply.message().contains("not found in instance 'default'"), "{}", reply.text);
    true
}

#[tokio::test]
async fn requests_for_a_space_that_is_not_there_count_and_over_the_rate_octopus_is_not_asked() {
    for by_path in [true, false] {
        let server = TestServer::with(|config| few(config, 2)).await;
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
            assert!(is_absent(&absent), "{absent:?}");
            assert_eq!(absent.header("x-ratelimit-remaining"), left);
            assert!(!server.sample.journal().is_empty());
        }
        server.sample.clear_journal();
        assert!(is_told_to_wait(&ask("nowhere-3").await));
        assert_eq!(server.sample.journal(), []);
    }
}

#[tokio::test]
async fn all_callers_together_are_limited_in_looking_for_spaces_too() {
    let server = TestServer::with(|config| {
        config.limits.instance_rate = 1;
        config.limits.instance_burst = 1;
    })
    .await;
    assert!(is_absent(&server.post(&[NOWHERE], LIST).await));
    server.sample.clear_journal();
    let other = ("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY);
    assert!(is_told_to_wait(&server.post(&[NOWHERE, other], LIST).await));
    assert_eq!(server.sample.journal(), []);
}

#[tokio::test]
async fn pings_notifications_and_greetings_look_for_no_space() {
    let server = TestServer::start().await;
    let headers = [NOWHERE, ("x-octopus-apikey", keys::ADMIN)];
    let pinged = server.ask_at("", &headers, Era::Legacy, "ping", json!({})).await;
    assert_eq!(pinged.json()["result"], json!({}));
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(server.post(&headers, ready).await.status, 202);
    let greeted = server.post(&headers, greeting().to_string()).await;
    assert_eq!(greeted.json()["result"]["protocolVersion"], LEGACY);
    let discovered = server.ask_at("", &headers, Era::Modern, "server/discover", json!({})).await;
    assert_eq!(discovered.json()["result"]["resultType"], "complete");
    assert_eq!(server.sample.journal(), [], "no upstream request is expected");
    for era in ERAS {
        let asked = server.ask_at("", &headers, era, "tools/list", json!({})).await;
        assert!(is_absent(&asked), "{asked:?}");
    }
}

#[tokio::test]
async fn that_a_space_is_not_there_is_remembered_for_each_caller_alone() {
    let server = TestServer::start().await;
    let first = server.post(&[NOWHERE], LIST).await;
    assert!(is_absent(&first));
    server.sample.clear_journal();
    let again = server.post(&[("x-octopus-space", "NOWHERE ")], LIST).await;
    assert!(is_absent(&again));
    assert_eq!((again.message(), server.sample.journal()), (first.message(), vec![]));
    let other = ("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY);
    assert!(is_absent(&server.post(&[NOWHERE, other], LIST).await));
    assert!(
        !server.sample.journal().is_empty(),
        "the cache entry of one caller must not serve another"
    );
}
