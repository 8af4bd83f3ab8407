//! `explain_access`.

use octopus_mcp::config::ListSetting;
use octopus_sample::keys;
use serde_json::{Value, json};

use super::set_rules;
use crate::support::TestServer;

const TOOL: &str = "explain_access";

async fn explain(server: &TestServer, arguments: Value) -> Value {
    server.call_ok(TOOL, arguments).await
}

#[tokio::test]
async fn explains_identity_and_server_limits() {
    let server = TestServer::start().await;
    let explanation = explain(&server, json!({})).await;
    assert_eq!(explanation["caller"]["knownBy"], "octopus");
    assert!(
        explanation["caller"]["name"].as_str().unwrap().starts_with("API key "),
        "{explanation}"
    );
    assert_eq!(explanation["octopus"]["user"], "Users-1");
    assert_eq!(explanation["octopus"]["credential"], "API key");
    assert_eq!(explanation["octopus"]["instance"], "default");
    assert_eq!(explanation["octopus"]["accessLevel"], "FullAccess");
    assert_eq!(explanation["octopus"]["actorType"], "User");
    assert!(explanation["octopus"]["expires"].is_string(), "{explanation}");
    let agent = server.call_as(keys::AGENT, TOOL, json!({})).await.structured;
    assert_eq!(agent["octopus"]["actorType"], "AiAgent", "{agent}");
    assert_eq!(agent["octopus"]["scopes"][0]["projectIds"], json!(["Projects-1"]), "{agent}");
    assert!(explanation["ceilings"].to_string().contains("tools.read_only"), "{explanation}");
    assert!(!explanation.to_string().contains(keys::ADMIN), "{explanation}");
}

#[tokio::test]
async fn explains_hidden_tools_and_who_can_change_that() {
    let server = TestServer::with(|config| {
        config.tools.toolsets = ListSetting(vec!["projects".to_owned()]);
    })
    .await;
    for (tool, shown, setting) in [
        ("list_projects", true, None),
        ("deploy_release", false, Some("tools.toolsets")),
        // The toolset of `explain_access` itself is disabled, too.
        ("explain_access", false, Some("tools.toolsets")),
        ("execute", true, Some("tools.allow_deletes")),
    ] {
        let explanation = explain(&server, json!({ "tool": tool })).await;
        let (about, decision) = (&explanation["tool"], &explanation["decision"]);
        assert_eq!(about["isShown"], shown, "{explanation}");
        let (given, absent) = if shown { ("limited", "hidden") } else { ("hidden", "limited") };
        assert_eq!(about[absent], Value::Null, "{explanation}");
        let by = about[given]["changedBy"].as_str();
        assert_eq!(by.is_some(), setting.is_some(), "{explanation}");
        assert!(by.is_none_or(|by| by.contains(setting.unwrap())), "{explanation}");
        let effect = if shown { "allow" } else { "deny" };
        assert_eq!(decision["effect"], effect, "{explanation}");
        if !shown {
            assert_eq!(decision["message"], about["hidden"]["what"], "{explanation}");
            assert_eq!(decision["changedBy"], about["hidden"]["changedBy"], "{explanation}");
        }
    }
    // The decision is about a call that the caller may make.
    let explanation = explain(&server, json!({ "tool": "execute" })).await;
    assert_eq!(explanation["decision"]["tier"], "read", "{explanation}");
    let server = TestServer::start().await;
    let explanation = explain(&server, json!({ "tool": "deploy_release" })).await;
    assert!(
        explanation["tool"]["hidden"]["changedBy"].as_str().unwrap().contains("tools.read_only")
    );
    let message = server.call_error(TOOL, json!({ "tool": "deploy" })).await;
    assert!(message.contains("tool 'deploy' not found"), "{message}");
}

#[tokio::test]
async fn explains_the_deciding_rule_and_its_requirements() {
    let server = TestServer::with(|config| {
        config.tools.read_only = false;
        let list = json!([
            { "name": "group", "effect": "deny", "project_groups": ["Back Office"] },
            { "name": "prod", "effect": "confirm", "type": "environment", "environments": ["prod*"],
              "message": "customers are there" },
        ]);
        set_rules(config, &list);
    })
    .await;
    let deploy_to = |project: &str, environment: &str| {
        json!({ "tool": "deploy_release", "spaceName": "Default", "project": project,
            "environment": environment })
    };
    let explanation = explain(&server, deploy_to("Parcel Tracking API", "production")).await;
    let decision = &explanation["decision"];
    assert_eq!(decision["rule"], "prod", "{explanation}");
    assert_eq!(decision["effect"], "confirm");
    assert_eq!(decision["risk"], "high");
    assert_eq!(decision["wordToType"], "Production");
    assert_eq!(decision["message"], "customers are there");
    let steps = json!(["group: `project_groups` does not match", "prod: matches"]);
    assert_eq!(decision["rules"], steps);
    let explanation = explain(&server, deploy_to("Billing Engine", "Staging")).await;
    assert_eq!(explanation["decision"]["effect"], "deny", "{explanation}");
    let explanation = explain(&server, deploy_to("Parcel Tracking API", "Staging")).await;
    assert_eq!(explanation["decision"]["rule"], Value::Null, "{explanation}");
    // Omitted arguments are unknown, so a rule that denies applies.
    let explanation = explain(&server, json!({ "tool": "deploy_release" })).await;
    assert_eq!(explanation["decision"]["effect"], "deny", "{explanation}");
}
