//! Reads from another instance than the one of the request, selected by a URL argument. The rules
//! of the target instance apply, and the audit record names it.

use octopus_mcp::config::{
    AuthMode, AuthModes, Config, InstanceSettings, ListSetting, Secret, TokenSettings,
};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::set_rules;
use crate::{
    audit::read_records,
    auth::tokens::sha256_hex,
    support::{Era, Reply, TestServer},
    token_exchange::unsigned_token,
};

const AGENT_TOKEN: &str = "omcp_00000000000000000000000000000000000000000000000000000000000agent";
/// A task of Parcel Tracking API, and a task of another project.
const PARCEL_TASK: &str = "app#/Spaces-1/tasks/ServerTasks-90001";
const DRIVER_TASK: &str = "app#/Spaces-1/tasks/ServerTasks-90008";

/// Starts two instances with their own API keys and one caller with a token. The first instance is
/// the default.
async fn server(change: impl FnOnce(&mut Config)) -> TestServer {
    Box::pin(TestServer::with_instances(&["warehouse", "shop"], |config| {
        config.auth.mode = Some(AuthModes(vec![AuthMode::Tokens]));
        let token = TokenSettings { sha256: sha256_hex(AGENT_TOKEN), ..TokenSettings::default() };
        config.auth.tokens.insert("agent".to_owned(), token);
        for instance in config.instances.values_mut() {
            instance.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        }
        change(config);
    }))
    .await
}

fn shop(config: &mut Config) -> &mut InstanceSettings {
    config.instances.get_mut("shop").unwrap()
}

fn agent(config: &mut Config) -> &mut TokenSettings {
    config.auth.tokens.get_mut("agent").unwrap()
}

/// Reads the resource of a URL, with these headers in addition to the usual ones.
async fn read_url(server: &TestServer, headers: &[(&str, &str)], url: &str) -> Reply {
    let authorization = format!("Bearer {AGENT_TOKEN}");
    let mut all = vec![("x-octopus-apikey", ""), ("authorization", &*authorization)];
    all.extend(headers);
    let params = json!({ "name": "get_task_from_url", "arguments": { "url": url } });
    server.rpc_at("", &all, Era::Legacy, "tools/call", params).await
}

/// Reads a URL, expects a failure and returns the error message.
async fn expect_rejection(server: &TestServer, headers: &[(&str, &str)], url: &str) -> String {
    let reply = read_url(server, headers, url).await;
    let json = reply.json();
    assert_eq!(json["result"]["isError"], true, "{url}: {}", reply.text);
    json["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

async fn expect_answer(server: &TestServer, url: &str) -> Value {
    let reply = read_url(server, &[], url).await;
    let json = reply.json();
    assert_eq!(json["result"]["isError"], false, "{url}: {}", reply.text);
    json["result"]["structuredContent"].clone()
}

/// Returns a rule that denies reads.
fn read_rule(more: &Value) -> Value {
    let mut rule = json!({ "name": "secret", "effect": "deny", "tiers": ["read"] });
    for (matcher, value) in more.as_object().unwrap() {
        rule[matcher] = value.clone();
    }
    json!([rule])
}

#[tokio::test]
async fn rules_of_the_target_instance_apply() {
    let parcels = json!(["Parcel Tracking API"]);
    for (rule, is_denied) in [
        // Whether each task is denied: both at the shop, then both at the warehouse.
        (json!({ "instances": ["shop"] }), [true, true, false, false]),
        (json!({ "instances": ["warehouse"] }), [false, false, true, true]),
        (json!({ "instances": ["shop"], "projects": parcels }), [true, false, false, false]),
        (json!({ "instances": ["warehouse"], "projects": parcels }), [false, false, true, false]),
        (json!({ "projects": parcels }), [true, false, true, false]),
        (
            json!({ "instances": ["shop"], "tenants": ["Brightwater Couriers"] }),
            [false, true, false, false],
        ),
    ] {
        let server = server(|config| set_rules(config, &read_rule(&rule))).await;
        let (target, own) = (server.other_address("shop"), server.octopus_url());
        let urls = [
            (&target, PARCEL_TASK),
            (&target, DRIVER_TASK),
            (&own, PARCEL_TASK),
            (&own, DRIVER_TASK),
        ];
        for ((base, route), is_denied) in urls.into_iter().zip(is_denied) {
            let url = format!("{base}/{route}");
            if is_denied {
                let message = expect_rejection(&server, &[], &url).await;
                assert!(message.contains("rule 'secret'"), "{rule} {url}: {message}");
                assert!(!message.contains("ServerTasks-9"), "{rule} {url}: {message}");
            } else {
                let found = expect_answer(&server, &url).await;
                let other = (base == &target).then_some("shop");
                assert_eq!(found["urlInfo"]["otherInstance"].as_str(), other, "{rule} {url}");
            }
        }
    }
}

#[tokio::test]
async fn grants_and_request_scope_apply_at_the_target_instance() {
    let is_other_space =
        |message: &str| message.contains("belongs to Spaces-1") && message.contains("only space");
    let server_of = server(|_| {}).await;
    let url = format!("{}/{PARCEL_TASK}", server_of.other_address("shop"));
    expect_answer(&server_of, &url).await;
    let other_space = [("x-octopus-space", "Warehouse Systems")];
    let message = expect_rejection(&server_of, &other_space, &url).await;
    assert!(is_other_space(&message), "{message}");
    for (headers, expected) in [
        ([("x-octopus-instance", "warehouse")], "this request is pinned to 'warehouse'"),
        ([("x-mcp-exclude-tools", "get_task_from_url")], "unknown tool: get_task_from_url"),
    ] {
        let reply = read_url(&server_of, &headers, &url).await;
        assert!(reply.json()["result"]["isError"] != false, "{}", reply.text);
        assert!(reply.text.contains(expected), "{}", reply.text);
    }

    let fixed = server(|config| shop(config).space = Some("warehouse-systems".to_owned())).await;
    let url = format!("{}/{PARCEL_TASK}", fixed.other_address("shop"));
    let message = expect_rejection(&fixed, &[], &url).await;
    assert!(is_other_space(&message), "{message}");

    let spaces = ListSetting(vec!["Warehouse Systems".to_owned()]);
    let granted = server(|config| agent(config).spaces = spaces).await;
    let url = format!("{}/{PARCEL_TASK}", granted.other_address("shop"));
    let message = expect_rejection(&granted, &[], &url).await;
    assert!(message.contains("Spaces-1") && !message.contains("Parcel"), "{message}");

    let own = ListSetting(vec!["warehouse".to_owned()]);
    let granted = server(|config| agent(config).instances = own).await;
    let url = format!("{}/{PARCEL_TASK}", granted.other_address("shop"));
    let message = expect_rejection(&granted, &[], &url).await;
    assert!(
        message.contains("the URL belongs to 127.0.0.1:") && !message.contains("shop"),
        "{message}"
    );
    assert_eq!(granted.other_sample("shop").journal(), [], "an ungranted instance gets no request");
}

#[tokio::test]
async fn audit_record_names_target_instance_and_credential() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let list = read_rule(&json!({ "instances": ["shop"], "tenants": ["Brightwater Couriers"] }));
    let mut server = server(|config| {
        set_rules(config, &list);
        config.audit.file.path = Some(path.clone());
        let file = folder.path().join("token");
        std::fs::write(&file, unsigned_token("ci")).unwrap();
        shop(config).api_key = None;
        shop(config).exchange.audience = Some(keys::SERVICE_ACCOUNT.to_owned());
        shop(config).exchange.token_file = Some(file);
    })
    .await;
    let (target, own) = (server.other_address("shop"), server.octopus_url());
    expect_answer(&server, &format!("{target}/{PARCEL_TASK}")).await;
    expect_rejection(&server, &[], &format!("{target}/{DRIVER_TASK}")).await;
    expect_answer(&server, &format!("{own}/{PARCEL_TASK}")).await;
    // Without a target, the record names the instance of the request.
    let pinned = [("x-octopus-instance", "warehouse")];
    expect_rejection(&server, &pinned, &format!("{target}/{PARCEL_TASK}")).await;
    server.running.take().unwrap().stop().await;
    let records = read_records(&path);
    let message: Vec<Vec<&str>> = records
        .iter()
        .map(|record| {
            let fields = ["instance", "credential", "space", "project", "result", "rule"];
            fields.map(|field| record[field].as_str().unwrap_or("-")).to_vec()
        })
        .collect();
    assert_eq!(
        message,
        [
            ["shop", "access token", "Default", "Projects-1", "done", "-"],
            ["shop", "access token", "Default", "Projects-2", "refused", "secret"],
            ["warehouse", "API key", "Default", "Projects-1", "done", "-"],
            ["warehouse", "API key", "-", "-", "refused", "-"],
        ]
    );
}
