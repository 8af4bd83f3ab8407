//! Contents of a call record, and values that must not be recorded.

use octopus_mcp::config::{AuthMode, AuthModes, ByteSize, ListSetting, Secret, TokenSettings};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{AuditFixture, read_records};
use crate::{
    approval::{ApprovalFlow, write_calls},
    auth::{
        call_with_token,
        tokens::{AGENT_TOKEN, sha256_hex},
    },
    support::{Era, TestServer},
};

#[tokio::test]
async fn read_record_contains_caller_space_arguments_and_sizes() {
    let recorded = AuditFixture::with(|config| {
        config.audit.fields = ListSetting(vec!["partialName".to_owned()]);
    })
    .await;
    let arguments = json!({ "space": "default", "partialName": "Parcel" });
    let called = recorded
        .approval
        .server
        .call_in(Era::Modern, keys::ADMIN, "list_projects", arguments)
        .await;
    assert!(!called.is_error, "{}", called.text);
    let records = recorded.records().await;
    let [record] = records.as_slice() else { panic!("{records:#?}") };
    assert_eq!(record["v"], 1);
    assert_eq!(record["kind"], "call");
    assert_eq!(record["tool"], "list_projects");
    assert_eq!(record["tier"], "read");
    assert_eq!(record["result"], "done");
    assert_eq!(record["instance"], "default");
    assert_eq!(record["space"], "Default");
    assert_eq!(record["client"], json!({ "name": "test", "version": "1" }));
    assert_eq!(record["caller"]["way"], "octopus");
    assert!(record["caller"]["name"].as_str().unwrap().starts_with("API key "));
    assert_eq!(record["credential"], "API key");
    assert_eq!(record["arguments"], json!({ "partialName": "Parcel" }));
    assert_eq!(record["hashes"]["space"].as_str().unwrap().len(), 32);
    assert_eq!(record["argumentsHash"].as_str().unwrap().len(), 32);
    assert_eq!(record["bytes"]["before"], record["bytes"]["after"]);
    assert!(record["bytes"]["before"].as_u64().unwrap() > 100);
    assert!(record["durationMs"].is_u64());
    let id: uuid::Uuid = record["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    assert_eq!(record["change"], Value::Null);
}

/// A request of an earlier revision without a session does not name its client.
#[tokio::test]
async fn record_omits_a_client_that_is_not_named() {
    let recorded = AuditFixture::start().await;
    let server = &recorded.approval.server;
    server.call_in(Era::Legacy, keys::ADMIN, "list_spaces", json!({})).await;
    let params = json!({ "uri": "octopus://caller/calls" });
    let calls = server.rpc(Era::Legacy, "resources/read", params).await.text;
    assert!(calls.contains("list_spaces") && !calls.contains("rmcp"), "{calls}");
    let user_agents: Vec<_> =
        server.sample.journal().into_iter().filter_map(|entry| entry.user_agent).collect();
    assert!(user_agents.iter().all(|agent| !agent.contains("rmcp")), "{user_agents:?}");
    let records = recorded.records().await;
    assert!(!records.is_empty());
    assert!(records.iter().all(|record| record.get("client").is_none()), "{records:#?}");
}

#[tokio::test]
async fn record_names_the_owner_of_a_token() {
    let recorded = AuditFixture::with(|config| {
        config.auth.mode = Some(AuthModes(vec![AuthMode::Tokens]));
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        let settings = TokenSettings {
            sha256: sha256_hex(AGENT_TOKEN),
            owner: Some("platform team".to_owned()),
            ..TokenSettings::default()
        };
        config.auth.tokens.insert("build-agent".to_owned(), settings);
    })
    .await;
    call_with_token(&recorded.approval.server, AGENT_TOKEN, "list_spaces", &json!({})).await;
    let records = recorded.records().await;
    let caller = &records[0]["caller"];
    assert_eq!((&caller["name"], &caller["way"]), (&json!("build-agent"), &json!("token")));
    assert_eq!(caller["owner"], "platform team", "{caller}");
    assert!(caller.get("client").is_none(), "{caller}");
}

#[tokio::test]
async fn record_contains_request_id_and_trace_id() {
    let recorded = AuditFixture::start().await;
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let headers = [
        ("x-request-id", "request-of-a-proxy"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    assert_eq!(recorded.approval.server.post(&headers, body.to_string()).await.status, 200);
    let records = recorded.records().await;
    assert_eq!(records[0]["request"], "request-of-a-proxy");
    assert_eq!(records[0]["trace"], "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn record_counts_bytes_before_and_after_truncation() {
    let recorded = AuditFixture::with(|config| config.tools.answer_bytes = ByteSize(1024)).await;
    let arguments = json!({ "space": "Default" });
    recorded.approval.server.call_as(keys::ADMIN, "list_projects", arguments).await;
    let records = recorded.records().await;
    let bytes = |name: &str| records[0]["bytes"][name].as_u64().unwrap();
    assert!(bytes("before") > bytes("after"), "{records:#?}");
}

#[tokio::test]
async fn records_contain_no_credentials_or_unlisted_arguments() {
    const SECRETS: [&str; 4] =
        ["API-FAKEFAKEFAKEFAKEFAKEFAKE", "hunter2-hunter2", "Sekret-D07", "Ev\u{202e}il"];
    let recorded = AuditFixture::with(|config| {
        config.tools.allow_deletes = true;
        config.audit.hash_key = Some(Secret::from("k".repeat(32)));
        config.audit.fields = ListSetting(vec!["body".to_owned()]);
    })
    .await;
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    for (tool, mut arguments, ..) in write_calls() {
        if tool == "run_runbook" && arguments.get("gitRef").is_some() {
            arguments["promptedVariableValues"] = json!({ "Depot.Code": SECRETS[2] });
        }
        let (_, token) =
            recorded.approval.call(flow, tool, &arguments).await.expect_approval_request();
        let _ = recorded.approval.approve(flow, tool, &arguments, &token).await;
    }
    let body =
        json!({ "Name": "x", "Password": SECRETS[1], "Note": SECRETS[0], "Odd": SECRETS[3] });
    let arguments = json!({ "method": "POST", "path": "/api/Spaces-1/tenants", "body": body });
    let _ = recorded.approval.call(flow, "execute", &arguments).await;
    let server = &recorded.approval.server;
    server.call_as(keys::ADMIN, "list_projects", json!({ (SECRETS[1]): SECRETS[0] })).await;
    server.call_as(keys::ADMIN, "list_projects", json!({ "space": SECRETS[0] })).await;
    let uri = format!("octopus://spaces/{}", SECRETS[1]);
    server.rpc(Era::Modern, "resources/read", json!({ "uri": uri })).await;

    let path = recorded.path();
    let folder = recorded.stop().await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(read_records(&path).len() > 18);
    drop(folder);
    // Names of accessed resources are recorded on purpose, arguments are not.
    let argument_values = ["1.13.0", "One\\nTwo", "D07", "eta-window", "restart-tracking-workers"];
    for word in SECRETS.iter().chain(&[keys::ADMIN]).chain(&argument_values) {
        let context = text.find(word).map(|index| &text[index.saturating_sub(200)..index + 60]);
        assert!(context.is_none(), "{word} in {context:?}");
    }
}

#[tokio::test]
async fn changes_carry_no_audit_id_without_audit_settings() {
    let server = TestServer::with(|config| config.tools.read_only = false).await;
    let (tool, arguments, ..) = write_calls().remove(0);
    let called = server.call_as(keys::ADMIN, tool, arguments).await;
    let preview = called.structured["preview"].as_str().unwrap();
    assert!(preview.starts_with("Create release 1.13.0 of Parcel Tracking API"), "{preview}");
    assert!(!called.text.contains("Audit ID"), "{}", called.text);
}
