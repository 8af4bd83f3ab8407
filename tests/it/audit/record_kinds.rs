//! Every kind of request is recorded: rejected calls, completions, resources, prompts,
//! unauthenticated requests.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{AuditFixture, deployment};
use crate::support::Era;

#[tokio::test]
async fn rejected_calls_are_recorded() {
    let recorded = AuditFixture::start().await;
    let server = &recorded.approval.server;
    let unknown = json!({ "name": "drop_everything", "arguments": { "a": 1 } });
    assert_eq!(server.rpc(Era::Legacy, "tools/call", unknown).await.error_code(), -32602);
    server.call_as(keys::ADMIN, "list_projects", json!({ "spice": "Default" })).await;
    server.call_as(keys::ADMIN, "list_projects", json!({ "space": "Nowhere" })).await;
    let (tool, mut arguments) = deployment();
    arguments["confirm"] = json!("not a code");
    server.call_as(keys::ADMIN, tool, arguments).await;
    let records = recorded.records().await;
    let values =
        |name: &str| -> Vec<Value> { records.iter().map(|record| record[name].clone()).collect() };
    assert_eq!(values("result"), ["refused"; 4]);
    let kinds = ["unknown_tool", "unknown_argument", "octopus_not_found", "consent"];
    assert_eq!(values("error"), kinds);
    assert_eq!(values("tool"), ["drop_everything", "list_projects", "list_projects", tool]);
    assert_eq!(
        records[0].get("hashes"),
        None,
        "argument names of an unknown tool are not recorded"
    );
}

#[tokio::test]
async fn completions_are_recorded_with_space_and_arguments_hash() {
    let recorded = AuditFixture::with(|config| {
        let deny = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
            "projects": ["Parcel*"] }]);
        crate::policy::set_rules(config, &deny);
    })
    .await;
    let server = &recorded.approval.server;
    for (reference, argument) in [
        (json!({ "type": "ref/prompt", "name": "diagnose_failed_deployment" }), "project"),
        (
            json!({ "type": "ref/resource",
                "uri": "octopus://spaces/{spaceName}/releases/{releaseId}" }),
            "nonsense",
        ),
    ] {
        let params = json!({ "ref": reference, "argument": { "name": argument, "value": "dep" },
            "context": { "arguments": { "space": "Default" } } });
        server.rpc(Era::Modern, "completion/complete", params).await;
    }
    let records = recorded.records().await;
    let [done, rejected] = records.as_slice() else { panic!("{records:#?}") };
    assert_eq!((&done["kind"], &done["result"]), (&json!("completion"), &json!("done")));
    assert_eq!(done["prompt"], "diagnose_failed_deployment");
    assert_eq!((&done["space"], &done["credential"]), (&json!("Default"), &json!("API key")));
    assert_eq!(done["argumentsHash"].as_str().unwrap().len(), 32);
    assert!(done["caller"]["name"].is_string());
    assert_eq!(rejected["resource"], "release");
    assert_eq!(
        (&rejected["result"], &rejected["error"]),
        (&json!("refused"), &json!("completion"))
    );
}

#[tokio::test]
async fn resource_and_prompt_requests_are_recorded() {
    let recorded = AuditFixture::start().await;
    let server = &recorded.approval.server;
    for uri in ["octopus://spaces/Default", "octopus://nothing/at/all"] {
        server.rpc(Era::Modern, "resources/read", json!({ "uri": uri })).await;
    }
    let arguments = json!({ "space": "Default" });
    for name in ["what_is_deployed_where", "no_such_prompt"] {
        let params = json!({ "name": name, "arguments": arguments });
        server.rpc(Era::Modern, "prompts/get", params).await;
    }
    let records = recorded.records().await;
    let values: Vec<String> = records
        .iter()
        .map(|record| format!("{} {} {}", record["kind"], record["result"], record["error"]))
        .collect();
    assert_eq!(
        values,
        [
            "\"resource\" \"done\" null",
            "\"resource\" \"refused\" \"no_resource\"",
            "\"prompt\" \"done\" null",
            "\"prompt\" \"refused\" \"prompt\"",
        ],
        "{records:#?}"
    );
    assert_eq!(records[2]["prompt"], "what_is_deployed_where");
}

#[tokio::test]
async fn unauthenticated_requests_are_recorded_up_to_a_limit() {
    let recorded = AuditFixture::start().await;
    let server = &recorded.approval.server;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    for _ in 0..100 {
        let reply = server.post(&[("x-octopus-apikey", "nonsense")], list.clone()).await;
        assert_eq!(reply.status, 401);
    }
    let records = recorded.records().await;
    assert_eq!(records.len(), 60);
    for record in &records {
        assert_eq!(record["kind"], "unauthenticated");
        assert_eq!((&record["status"], &record["result"]), (&json!(401), &json!("refused")));
        assert!(record.get("caller").is_none());
    }
    assert!(!serde_json::to_string(&records).unwrap().contains("nonsense"));
}
