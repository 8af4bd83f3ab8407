//! Selection of one of several instances.

use octopus_mcp::config::{AuthMode, AuthModes, Secret};
use octopus_sample::keys;
use serde_json::json;

use super::{call_error, call_ok, listed_tools, rpc};
use crate::support::{ERAS, TestServer};

#[tokio::test]
async fn default_instance_is_used_without_selection() {
    let server = TestServer::with_instances(&["warehouse", "shop"], |_| {}).await;
    for era in ERAS {
        let params = json!({ "name": "list_spaces", "arguments": {} });
        let reply = server.rpc_as(era, keys::ADMIN, "tools/call", params).await;
        assert_eq!(reply.json()["result"]["isError"], json!(false), "{}", reply.text);
        let url = &reply.json()["result"]["structuredContent"]["items"][0]["url"];
        assert!(!url.as_str().unwrap().starts_with(&server.other_address("shop")), "{url}");
    }
    assert!(!server.sample.journal().is_empty());
    assert!(server.other_sample("shop").journal().is_empty());
}

#[tokio::test]
async fn unavailable_instance_does_not_affect_others() {
    let mut server = TestServer::with_instances(&["warehouse", "shop"], |_| {}).await;
    server.stop_other("shop").await;
    let spaces = server.call_ok("list_spaces", json!({})).await;
    assert!(!spaces["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn path_or_header_selects_instance_by_name_only() {
    let server = TestServer::with_instances(&["warehouse", "shop"], |_| {}).await;
    for endpoint in [("/i/shop", &[][..]), ("", &[("x-octopus-instance", "shop")][..])] {
        server.other_sample("shop").clear_journal();
        server.sample.clear_journal();
        call_ok(&server, endpoint, "list_spaces", json!({})).await;
        assert!(!server.other_sample("shop").journal().is_empty(), "{endpoint:?}");
        assert!(server.sample.journal().is_empty(), "{endpoint:?}");
    }
    let address = server.other_address("shop");
    for endpoint in [
        ("/i/shoop", &[][..]),
        ("", &[("x-octopus-instance", "shoop")]),
        ("", &[("x-octopus-instance", address.as_str())]),
    ] {
        for era in ERAS {
            let rejected = rpc(&server, era, endpoint, "tools/list", json!({})).await;
            assert_eq!(rejected.status, 404, "{}", rejected.text);
            assert!(
                rejected.error_message().contains("available: shop, warehouse."),
                "{}",
                rejected.text
            );
        }
    }
}

#[tokio::test]
async fn lists_instances_unless_one_is_selected() {
    let mut server = TestServer::with_instances(&["warehouse", "shop", "yard"], |config| {
        config.instances.get_mut("shop").unwrap().read_only = true;
        config.tools.read_only = false;
    })
    .await;
    server.stop_other("yard").await;
    let listed = call_ok(&server, ("", &[]), "list_instances", json!({})).await;
    let rows: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
            let flags = ["isReachable", "isDefault", "isCurrent", "isReadOnly", "canAct"];
            let flags = flags.map(|flag| u8::from(one[flag].as_bool().unwrap()));
            (text("name"), text("connectTo"), one["version"].is_string(), flags)
        })
        .collect();
    let row = |name: &str, version: bool, flags| {
        (name.to_owned(), format!("/mcp/i/{name}"), version, flags)
    };
    assert_eq!(
        rows,
        [
            row("shop", true, [1, 0, 0, 1, 1]),
            row("warehouse", true, [1, 1, 1, 0, 1]),
            row("yard", false, [0, 0, 0, 0, 1]),
        ]
    );
    assert!(listed["items"][2]["reason"].as_str().unwrap().contains("reach"), "{listed}");
    // The caller's credential was sent to the instance of the request only.
    let users: Vec<_> = server.other_sample("shop").journal().into_iter().map(|e| e.user).collect();
    assert!(!users.is_empty() && users.iter().all(Option::is_none), "{users:?}");
    assert!(!listed_tools(&server, ("/i/shop", &[])).await.contains("list_instances"));
    assert!(!listed_tools(&TestServer::start().await, ("", &[])).await.contains("list_instances"));
}

#[tokio::test]
async fn read_only_instance_rejects_changes() {
    let server = TestServer::with_instances(&["warehouse", "shop"], |config| {
        config.instances.get_mut("shop").unwrap().read_only = true;
        config.tools.read_only = false;
    })
    .await;
    assert!(listed_tools(&server, ("", &[])).await.contains("create_release"));
    assert!(!listed_tools(&server, ("/i/shop", &[])).await.contains("create_release"));
    let post = json!({ "method": "POST", "path": "/api/Spaces-1/releases", "body": {} });
    let message = call_error(&server, ("/i/shop", &[]), "execute", post).await;
    assert!(message.contains("instance 'shop' is read-only"), "{message}");
}

#[tokio::test]
async fn portal_url_selects_instance_only_with_its_credential() {
    let own = TestServer::with_instances(&["warehouse", "shop"], |_| {}).await;
    let keyed = TestServer::with_instances(&["warehouse", "shop"], |config| {
        config.auth.mode = Some(AuthModes::from(AuthMode::None));
        let shop = config.instances.get_mut("shop").unwrap();
        shop.api_key = Some(Secret::from(keys::VIEW_ONLY.to_owned()));
    })
    .await;
    let task = "app#/Spaces-1/tasks/ServerTasks-90004";
    for (server, reached) in [(&own, false), (&keyed, true)] {
        let url = format!("{}/{task}", server.other_address("shop"));
        let arguments = json!({ "url": url });
        server.other_sample("shop").clear_journal();
        if reached {
            let found = call_ok(server, ("", &[]), "get_task_from_url", arguments.clone()).await;
            assert_eq!(found["urlInfo"]["otherInstance"], "shop", "{found}");
            let users: Vec<_> =
                server.other_sample("shop").journal().into_iter().filter_map(|e| e.user).collect();
            let administrator = keyed.sample.journal().into_iter().find_map(|e| e.user);
            assert!(
                !users.is_empty() && !users.iter().any(|user| Some(user) == administrator.as_ref())
            );
        } else {
            let message =
                call_error(server, ("", &[]), "get_task_from_url", arguments.clone()).await;
            assert!(
                message.contains("instance 'shop'") && message.contains("/mcp/i/shop"),
                "{message}"
            );
            assert!(
                server.other_sample("shop").journal().is_empty(),
                "the caller's key was sent to another instance"
            );
        }
        let pinned = ("/i/warehouse", &[][..]);
        let message = call_error(server, pinned, "get_task_from_url", arguments).await;
        assert!(message.contains("this request is pinned to 'warehouse'"), "{message}");
    }
    let unknown = json!({ "url": format!("https://elsewhere.invalid/{task}") });
    let message = call_error(&own, ("", &[]), "get_task_from_url", unknown).await;
    assert!(message.contains("elsewhere.invalid"), "{message}");
}
