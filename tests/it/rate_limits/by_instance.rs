//! Limits of all callers together for each of several instances.

use octopus_mcp::config::{AuthMode, AuthModes, Config, Secret};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{LIST, is_rate_limited};
use crate::support::{ERAS, Era, TestServer};

fn limit_each_instance_to(config: &mut Config, burst: u32) {
    config.limits.instance_rate = 1;
    config.limits.instance_burst = burst;
}

/// Header without a key: the configured credential is used, which is always proven.
const NO_KEY: &str = "";

/// Sends this many requests to this path with this key and returns how many are served.
async fn count_served_at(server: &TestServer, path: &str, key: &str, of: usize) -> usize {
    let mut served = 0;
    for _ in 0..of {
        let reply = server.post_at(path, &[("x-octopus-apikey", key)], LIST).await;
        if is_rate_limited(&reply) {
            let name = if path.is_empty() { "warehouse" } else { "shop" };
            assert!(
                reply.error_message().contains(&format!("instance '{name}'")),
                "{}",
                reply.text
            );
        } else {
            served += 1;
        }
    }
    served
}

#[tokio::test]
async fn each_instance_has_its_own_limit() {
    for [first, second] in [["/i/shop", ""], ["", "/i/shop"]] {
        let server = TestServer::with_instances(&["warehouse", "shop"], |config| {
            limit_each_instance_to(config, 2);
        })
        .await;
        assert_eq!(count_served_at(&server, first, keys::ADMIN, 4).await, 2);
        assert_eq!(
            count_served_at(&server, second, keys::ADMIN, 4).await,
            2,
            "a limited instance must not limit another"
        );
        let header = [("x-octopus-instance", "shop")];
        assert!(
            is_rate_limited(&server.post(&header, LIST).await),
            "the header selects the limited instance"
        );
    }
}

/// Starts two instances. The second one has a configured key for callers of the first.
async fn start_with_second_instance(burst: u32) -> TestServer {
    TestServer::with_instances(&["warehouse", "shop"], |config| {
        config.auth.mode = Some(AuthModes::from(AuthMode::None));
        let shop = config.instances.get_mut("shop").unwrap();
        shop.api_key = Some(Secret::from(keys::VIEW_ONLY.to_owned()));
        limit_each_instance_to(config, burst);
    })
    .await
}

/// Calls a tool with a portal URL of the second instance and returns the result.
async fn call_second_instance(server: &TestServer, era: Era) -> Value {
    let page = "app#/Spaces-1/tasks/ServerTasks-90004";
    let url = format!("{}/{page}", server.other_address("shop"));
    let params = json!({ "name": "get_task_from_url", "arguments": { "url": url } });
    let reply = server.rpc(era, "tools/call", params).await;
    reply.json()["result"].clone()
}

#[tokio::test]
async fn cross_instance_call_counts_at_its_target() {
    let server = start_with_second_instance(2).await;
    for era in ERAS {
        let found = call_second_instance(&server, era).await;
        assert_eq!(found["isError"], false, "{found}");
        assert_eq!(found["structuredContent"]["urlInfo"]["otherInstance"], "shop", "{found}");
    }
    assert_eq!(count_served_at(&server, "/i/shop", NO_KEY, 2).await, 0);
}

#[tokio::test]
async fn cross_instance_call_fails_if_target_is_limited() {
    let server = start_with_second_instance(3).await;
    assert_eq!(count_served_at(&server, "/i/shop", NO_KEY, 4).await, 3);
    server.other_sample("shop").clear_journal();
    for era in ERAS {
        let refused = call_second_instance(&server, era).await;
        assert_eq!(refused["isError"], true, "{refused}");
        let message = refused["content"][0]["text"].as_str().unwrap();
        assert!(message.contains("the Octopus instance 'shop'"), "{message}");
        assert!(message.contains("nothing was done") && message.contains("retry in "), "{message}");
    }
    assert_eq!(server.other_sample("shop").journal(), []);
    assert_eq!(
        count_served_at(&server, "", keys::ADMIN, 1).await,
        1,
        "the instance of the request is not limited"
    );
}
