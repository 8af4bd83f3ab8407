//! Records of requests that the endpoint rejects, of abandoned changes, and of declined changes.

use std::time::Duration;

use octopus_mcp::config::{ApprovalMode, AuthMode, AuthModes, ListSetting, Networks, Secret};
use octopus_sample::{Fault, keys};
use serde_json::json;

use super::{AuditFixture, deployment, read_records};
use crate::{
    approval::ApprovalFlow,
    auth::test_issuer::{Signer, TestIssuer},
    support::{Era, LEGACY_VERSION, wait_until_some},
};

const LIST_TOOLS: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

/// Starts a server behind a trusted proxy that sends the user name.
async fn start_behind_proxy(change: impl FnOnce(&mut octopus_mcp::config::Config)) -> AuditFixture {
    AuditFixture::with(|config| {
        config.auth.mode = Some(AuthModes(vec![AuthMode::Proxy]));
        config.http.trusted_proxies = Networks(vec!["127.0.0.0/8".parse().unwrap()]);
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        change(config);
    })
    .await
}

const MARIA_HEADERS: [(&str, &str); 2] = [("x-octopus-apikey", ""), ("x-forwarded-user", "maria")];

/// Request headers as name and value.
type Headers = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn each_rejected_request_has_one_record_with_its_caller() {
    let recorded = start_behind_proxy(|config| {
        config.limits.caller_rate = 1;
        config.limits.caller_burst = 1;
        config.limits.far_over = 2;
    })
    .await;
    let server = &recorded.approval.server;
    let ask = async |path: &str, extra_headers: &[(&str, &str)]| {
        let mut headers = MARIA_HEADERS.to_vec();
        headers.retain(|(name, _)| !extra_headers.iter().any(|(other, _)| other == name));
        headers.extend(extra_headers);
        let call =
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_spaces"}}"#;
        server.post_at(path, &headers, call).await.status
    };
    let cases: [(&str, Headers, u16, &str); 7] = [
        ("/i/nowhere", &[], 404, "instance 'nowhere' not found"),
        ("", &[("x-mcp-toolsets", "nonsense")], 400, "unknown toolset `nonsense`"),
        ("", &[("x-octopus-apikey", keys::ADMIN)], 400, "remove the header X-Octopus-ApiKey"),
        ("/i/default/Elsewhere", &[], 404, "space 'Elsewhere' not found"),
        ("", &[], 200, "exceeds the request rate"),
        ("", &[], 429, "ignores Retry-After"),
        ("/readonly", &[("x-mcp-readonly", "false")], 400, "remove one of them"),
    ];
    for (path, headers, status, expected) in cases {
        assert_eq!(ask(path, headers).await, status, "{expected}");
    }
    let records = recorded.records().await;
    assert_eq!(records.len(), cases.len(), "{records:#?}");
    for (record, (path, _, status, expected)) in records.iter().zip(cases) {
        assert_eq!((&record["kind"], &record["result"]), (&json!("refused"), &json!("refused")));
        assert_eq!(record["status"], status, "{expected}");
        let reason = record["rule"].as_str().unwrap();
        assert!(reason.contains(expected), "{reason}");
        assert_eq!(record["caller"]["name"], "maria", "{expected}");
        assert_eq!(record["caller"]["way"], "proxy");
        assert_eq!(record["tool"], "list_spaces", "{expected}");
        assert!(record["request"].is_string() && record["id"].is_string());
        if path.starts_with("/i/default/") {
            assert_eq!(
                (&record["instance"], &record["space"]),
                (&json!("default"), &json!("Elsewhere"))
            );
        }
        assert!(!record.to_string().contains(keys::ADMIN));
    }
}

#[tokio::test]
async fn call_with_insufficient_scope_is_recorded() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::start(&[&signer]);
    let recorded = AuditFixture::with(|config| issuer.configure(config)).await;
    let token = signer.sign(&issuer.claims_with(&json!({ "scope": "octopus:read" })));
    let authorization = format!("Bearer {token}");
    let (tool, arguments) = deployment();
    let params = json!({ "name": tool, "arguments": arguments });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let headers = [("x-octopus-apikey", ""), ("authorization", authorization.as_str())];
    let reply = recorded.approval.server.post(&headers, call.to_string()).await;
    assert_eq!(reply.status, 403, "{}", reply.text);
    let records = recorded.records().await;
    let [record] = records.as_slice() else { panic!("{records:#?}") };
    assert_eq!((&record["kind"], &record["status"]), (&json!("refused"), &json!(403)));
    assert_eq!((&record["tool"], &record["caller"]["way"]), (&json!(tool), &json!("oauth")));
    assert!(record["rule"].as_str().unwrap().contains("octopus:deploy"), "{record}");
}

#[tokio::test]
async fn unauthenticated_rejections_are_recorded_and_405_is_not() {
    let recorded = start_behind_proxy(|config| {
        config.limits.failed_rate = 1;
        config.limits.failed_burst = 1;
    })
    .await;
    let server = &recorded.approval.server;
    let no_key = ("x-octopus-apikey", "");
    let mut statuses = Vec::new();
    for (path, extra_headers) in [
        ("", ("host", "evil.example")),
        ("/nowhere", ("x-a", "a")),
        ("", ("x-a", "a")),
        ("", ("x-a", "a")),
    ] {
        statuses.push(server.post_at(path, &[no_key, extra_headers], LIST_TOOLS).await.status);
    }
    assert_eq!(statuses, [403, 404, 401, 429]);
    assert_eq!(server.http.get(&server.url).send().await.unwrap().status(), 405);
    let records = recorded.records().await;
    let results: Vec<_> =
        records.iter().map(|r| (r["kind"].as_str(), r["status"].as_u64())).collect();
    let kind = Some("unauthenticated");
    assert_eq!(results, [403, 404, 401, 429].map(|status| (kind, Some(status))), "{records:#?}");
    assert!(records.iter().all(|record| record.get("caller").is_none()));
}

#[tokio::test]
async fn rejection_records_are_limited_per_caller() {
    let recorded = start_behind_proxy(|_| {}).await;
    let server = &recorded.approval.server;
    for _ in 0..100 {
        assert_eq!(server.post_at("/i/nowhere", &MARIA_HEADERS, LIST_TOOLS).await.status, 404);
    }
    let otto = [("x-octopus-apikey", ""), ("x-forwarded-user", "otto")];
    assert_eq!(server.post_at("/i/nowhere", &otto, LIST_TOOLS).await.status, 404);
    assert_eq!(server.post(&[("x-octopus-apikey", "")], LIST_TOOLS).await.status, 401);
    let records = recorded.records().await;
    let of = |name: &str| records.iter().filter(|r| r["caller"]["name"] == name).count();
    assert_eq!((of("maria"), of("otto"), records.len()), (60, 1, 62));
}

#[tokio::test]
async fn mcp_errors_are_recorded_once_for_any_status() {
    let recorded = AuditFixture::with(|config| config.tools.confirm = ApprovalMode::Ask).await;
    let server = &recorded.approval.server;
    let unknown = json!({ "name": "drop_everything", "arguments": {} });
    assert_eq!(server.rpc(Era::Modern, "tools/call", unknown).await.error_code(), -32602);
    let (tool, arguments) = deployment();
    let params = json!({ "name": tool, "arguments": arguments });
    let reply = server.rpc(Era::Modern, "tools/call", params).await;
    assert_eq!((reply.status, reply.error_code()), (400, -32021), "{}", reply.text);
    let records = recorded.records().await;
    let results: Vec<_> =
        records.iter().map(|r| (r["kind"].as_str(), r["error"].as_str())).collect();
    let call = Some("call");
    assert_eq!(results, [(call, Some("unknown_tool")), (call, Some("cannot_ask"))], "{records:#?}");
}

#[tokio::test]
async fn abandoned_change_is_recorded_when_sent_and_when_finished() {
    for is_rejected in [false, true] {
        let recorded = AuditFixture::start().await;
        let (tool, mut arguments) = deployment();
        let flow = ApprovalFlow::ConfirmCode(Era::Legacy);
        let (_, token) =
            recorded.approval.call(flow, tool, &arguments).await.expect_approval_request();
        let server = &recorded.approval.server;
        let fault = Fault::on("/deployments/create").delay(Duration::from_secs(1));
        server.sample.faults().add(if is_rejected { fault.status(400) } else { fault });
        arguments["confirm"] = json!(token);
        let params = json!({ "name": tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let headers = [("mcp-protocol-version", LEGACY_VERSION)];
        let sent = wait_until_some(async || (!server.sample.changes().is_empty()).then_some(()));
        tokio::select! {
            _ = server.post(&headers, call.to_string()) => panic!("the call was answered"),
            () = sent => {}
        }
        let path = recorded.path();
        let call_records = wait_until_some(async || {
            Some(read_records(&path)).filter(|records| records.len() == 3)
        })
        .await;
        let results: Vec<_> =
            call_records.iter().map(|record| record["result"].as_str().unwrap()).collect();
        let final_result = if is_rejected { "refused" } else { "done" };
        assert_eq!(results, ["asked", "abandoned", final_result], "{call_records:#?}");
        for record in &call_records[1..] {
            assert_eq!(record["tool"], tool);
            assert_eq!(record["change"], call_records[0]["change"]);
            assert_eq!(record["route"], "POST /api/{id}/deployments/create/untenanted/v1");
            assert_eq!(record["consent"], "code");
            assert_eq!(record["environments"], json!(["Development", "Staging"]));
        }
        assert_ne!(call_records[1]["id"], call_records[2]["id"]);
        assert_eq!(call_records[2].get("tasks").is_some(), !is_rejected, "{call_records:#?}");
        assert_eq!(server.sample.changes().len(), 1);
        drop(recorded.stop().await);
    }
}

#[tokio::test]
async fn decline_is_recorded_with_its_change() {
    let recorded = AuditFixture::with(|config| {
        config.audit.fields = ListSetting(vec!["releaseVersion".to_owned()]);
    })
    .await;
    let (tool, arguments) = deployment();
    for action in ["decline", "cancel"] {
        let preview = recorded.deploy_and_respond(action).await;
        assert!(preview.contains("Audit ID: "), "{preview}");
    }
    let (_, token) = recorded
        .approval
        .call(ApprovalFlow::InputRequired, tool, &arguments)
        .await
        .expect_approval_request();
    let mut other = arguments.clone();
    other["releaseVersion"] = json!("1.11.7");
    recorded.approval.respond(ApprovalFlow::InputRequired, tool, &other, &token, "decline").await;
    let records = recorded.records().await;
    let results: Vec<_> = records.iter().map(|record| record["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["asked", "declined", "asked", "declined", "asked", "declined"]);
    for pair in [&records[..2], &records[2..4]] {
        assert!(pair[0]["change"].is_string());
        assert_eq!(pair[0]["change"], pair[1]["change"], "{records:#?}");
        assert_eq!(pair[1]["arguments"]["releaseVersion"], "1.12.0");
    }
    assert_ne!(records[0]["change"], records[2]["change"]);
    assert_eq!(records[5].get("change"), None, "the approval request belongs to another call");
}
