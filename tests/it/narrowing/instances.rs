//! Selection of one of several instances.

use octopus_mcp::config::{AuthMode, Modes, Secret};
use octopus_sample::keys;
use serde_json::json;

use super::{answer, ask, failure, tools};
use crate::support::{ERAS, TestServer};

#[tokio::test]
async fn a_request_that_names_no_instance_reaches_the_default_one() {
    let server = TestServer::several(&["warehouse", "shop"], |_| {}).await;
    for era in ERAS {
        let params = json!({ "name": "list_spaces", "arguments": {} });
        let reply = server.ask_as(era, keys::ADMIN, "tools/call", params).await;
        assert_eq!(reply.json()["result"]["isError"], json!(false), "{}", reply.text);
        let url = &reply.json()["result"]["structuredContent"]["items"][0]["url"];
        assert!(!url.as_str().unwrap().starts_with(&server.other_address("shop")), "{url}");
    }
    assert!(!server.sample.journal().is_empty());
    assert!(server.other("shop").journal().is_empty());
}

#[tokio::test]
async fn an_instance_that_is_down_does_not_disturb_the_others() {
    let mut server = TestServer::several(&["warehouse", "shop"], |_| {}).await;
    server.stop_other("shop").await;
    let spaces = server.answer("list_spaces", json!({})).await;
    assert!(!spaces["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_path_or_a_header_names_another_instance_and_never_an_address() {
    let server = TestServer::several(&["warehouse", "shop"], |_| {}).await;
    for place in [("/i/shop", &[][..]), ("", &[("x-octopus-instance", "shop")][..])] {
        server.other("shop").clear_journal();
        server.sample.clear_journal();
        answer(&server, place, "list_spaces", json!({})).await;
        assert!(!server.other("shop").journal().is_empty(), "{place:?}");
        assert!(server.sample.journal().is_empty(), "{place:?}");
    }
    let address = server.other_address("shop");
    for place in [
        ("/i/shoop", &[][..]),
        ("", &[("x-octopus-instance", "shoop")]),
        ("", &[("x-octopus-instance", address.as_str())]),
    ] {
        for era in ERAS {
            let refused = ask(&server, era, place, "tools/list", json!({})).await;
            assert_eq!(refused.status, 404, "{}", refused.text);
            assert!(refused.message().contains("available: shop, warehouse."), "{}", refused.text);
        }
    }
}

#[tokio::test]
async fn instances_are_listed_where_there_are_several_and_none_is_named() {
    let mut server = TestServer::several(&["warehouse", "shop", "yard"], |config| {
        config.instances.get_mut("shop").unwrap().read_only = true;
        config.tools.read_only = false;
    })
    .await;
    server.stop_other("yard").await;
    let listed = answer(&server, ("", &[]), "list_instances", json!({})).await;
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
    let users: Vec<_> = server.other("shop").journal().into_iter().map(|e| e.user).collect();
    assert!(!users.is_empty() && users.iter().all(Option::is_none), "{users:?}");
    assert!(!tools(&server, ("/i/shop", &[])).await.contains("list_instances"));
    assert!(!tools(&TestServer::start().await, ("", &[])).await.contains("list_instances"));
}

#[tokio::test]
async fn nothing_is_changed_at_an_instance_that_is_read_only() {
    let server = TestServer::several(&["warehouse", "shop"], |config| {
        config.instances.get_mut("shop").unwrap().read_only = true;
        config.tools.read_only = false;
    })
    .await;
    assert!(tools(&server, ("", &[])).await.contains("create_release"));
    assert!(!tools(&server, ("/i/shop", &[])).await.contains("create_release"));
    let post = json!({ "method": "POST", "path": "/api/Spaces-1/releases", "body": {} });
    let message = failure(&server, ("/i/shop", &[]), "execute", post).await;
    assert!(message.contains("instance 'shop' is read-only"), "{message}");
}

#[tokio::test]
async fn an_address_of_the_portal_picks_the_instance_only_with_a_credential_there() {
    let own = TestServer::several(&["warehouse", "shop"], |_| {}).await;
    let keyed = TestServer::several(&["warehouse", "shop"], |config| {
        config.auth.mode = Some(Modes::from(AuthMode::None));
        let shop = config.instances.get_mut("shop").unwrap();
        shop.api_key = Some(Secret::from(keys::VIEW_ONLY.to_owned()));
    })
    .await;
    let task = "app#/Spaces-1/tasks/ServerTasks-90004";
    for (server, reached) in [(&own, false), (&keyed, true)] {
        let url = format!("{}/{task}", server.other_address("shop"));
        let arguments = json!({ "url": url });
        server.other("shop").clear_journal();
        if reached {
            let found = answer(server, ("", &[]), "get_task_from_url", arguments.clone()).await;
            assert_eq!(found["urlInfo"]["otherInstance"], "shop", "{found}");
            let users: Vec<_> =
                server.other("shop").journal().into_iter().filter_map(|e| e.user).collect();
            let administrator = keyed.sample.journal().into_iter().find_map(|e| e.user);
            assert!(
                !users.is_empty() && !users.iter().any(|user| Some(user) == administrator.as_ref())
            );
        } else {
            let message = failure(server, ("", &[]), "get_task_from_url", arguments.clone()).await;
            assert!(
                message.contains("instance 'shop'") && message.contains("/mcp/i/shop"),
                "{message}"
            );
            assert!(
                server.other("shop").journal().is_empty(),
                "the caller's key was sent to another instance"
            );
        }
        let held = ("/i/warehouse", &[][..]);
        let message = failure(server, held, "get_task_from_url", arguments).await;
        assert!(message.contains("this request is pinned to 'warehouse'"), "{message}");
    }
    let unknown = json!({ "url": format!("https://elsewhere.invalid/{task}") });
    let message = failure(&own, ("", &[]), "get_task_from_url", unknown).await;
    assert!(message.contains("elsewhere.invalid"), "{message}");
}
