//! What a record says of a call, and what it must not say.

use octopus_mcp::{
    config::{ByteSize, List, Secret},
    sample::keys,
};
use serde_json::{Value, json};

use super::{Recorded, records};
use crate::{
    consent::{Way, changes},
    support::{Era, TestServer},
};

fn deployment() -> (&'static str, Value) {
    let (tool, arguments, ..) = changes().remove(1);
    (tool, arguments)
}

#[tokio::test]
async fn a_read_says_who_where_with_what_and_how_much() {
    let recorded = Recorded::with(|config| {
        config.audit.fields = List(vec!["partialName".to_owned()]);
    })
    .await;
    let arguments = json!({ "space": "default", "partialName": "Parcel" });
    let called =
        recorded.desk.server.call_in(Era::Modern, keys::ADMIN, "list_projects", arguments).await;
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

#[tokio::test]
async fn a_record_leads_to_the_request_and_the_trace() {
    let recorded = Recorded::start().await;
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_spaces" } });
    let headers = [
        ("x-request-id", "request-of-a-proxy"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    assert_eq!(recorded.desk.server.post(&headers, body.to_string()).await.status, 200);
    let records = recorded.records().await;
    assert_eq!(records[0]["request"], "request-of-a-proxy");
    assert_eq!(records[0]["trace"], "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn what_was_cut_is_counted() {
    let recorded = Recorded::with(|config| config.tools.answer_bytes = ByteSize(1024)).await;
    let arguments = json!({ "space": "Default" });
    recorded.desk.server.call_as(keys::ADMIN, "list_projects", arguments).await;
    let records = recorded.records().await;
    let bytes = |name: &str| records[0]["bytes"][name].as_u64().unwrap();
    assert!(bytes("before") > bytes("after"), "{records:#?}");
}

#[tokio::test]
async fn refused_calls_have_records_too() {
    let recorded = Recorded::start().await;
    let server = &recorded.desk.server;
    let unknown = json!({ "name": "drop_everything", "arguments": { "a": 1 } });
    assert_eq!(server.ask(Era::Legacy, "tools/call", unknown).await.code(), -32602);
    server.call_as(keys::ADMIN, "list_projects", json!({ "spice": "Default" })).await;
    server.call_as(keys::ADMIN, "list_projects", json!({ "space": "Nowhere" })).await;
    let (tool, mut arguments) = deployment();
    arguments["confirm"] = json!("not a code");
    server.call_as(keys::ADMIN, tool, arguments).await;
    let records = recorded.records().await;
    let said =
        |name: &str| -> Vec<Value> { records.iter().map(|record| record[name].clone()).collect() };
    assert_eq!(said("result"), ["refused"; 4]);
    let kinds = ["unknown_tool", "unknown_argument", "octopus_not_found", "consent"];
    assert_eq!(said("error"), kinds);
    assert_eq!(said("tool"), ["drop_everything", "list_projects", "list_projects", tool]);
    assert_eq!(records[0].get("hashes"), None, "names of arguments that nobody knows");
}

#[tokio::test]
async fn completions_have_records_with_what_they_touch_and_the_rule_that_left_something_out() {
    let recorded = Recorded::with(|config| {
        let deny = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
            "projects": ["Parcel*"] }]);
        crate::rules::rules(config, &deny);
    })
    .await;
    let server = &recorded.desk.server;
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
        server.ask(Era::Modern, "completion/complete", params).await;
    }
    let records = recorded.records().await;
    let [done, refused] = records.as_slice() else { panic!("{records:#?}") };
    assert_eq!((&done["kind"], &done["result"]), (&json!("completion"), &json!("done")));
    assert_eq!(done["prompt"], "diagnose_failed_deployment");
    assert_eq!((&done["space"], &done["credential"]), (&json!("Default"), &json!("API key")));
    assert_eq!(done["argumentsHash"].as_str().unwrap().len(), 32);
    assert!(done["caller"]["name"].is_string());
    assert_eq!(refused["resource"], "release");
    assert_eq!((&refused["result"], &refused["error"]), (&json!("refused"), &json!("completion")));
}

#[tokio::test]
async fn resources_and_prompts_have_records() {
    let recorded = Recorded::start().await;
    let server = &recorded.desk.server;
    for uri in ["octopus://spaces/Default", "octopus://nothing/at/all"] {
        server.ask(Era::Modern, "resources/read", json!({ "uri": uri })).await;
    }
    let arguments = json!({ "space": "Default" });
    for name in ["what_is_deployed_where", "no_such_prompt"] {
        let params = json!({ "name": name, "arguments": arguments });
        server.ask(Era::Modern, "prompts/get", params).await;
    }
    let records = recorded.records().await;
    let said: Vec<String> = records
        .iter()
        .map(|record| format!("{} {} {}", record["kind"], record["result"], record["error"]))
        .collect();
    assert_eq!(
        said,
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
async fn a_change_is_asked_about_agreed_to_and_done_under_one_id() {
    for way in [Way::Rounds, Way::Code(Era::Legacy), Way::Code(Era::Modern)] {
        let recorded = Recorded::start().await;
        let (tool, arguments) = deployment();
        let (words, sealed) = recorded.desk.call(way, tool, &arguments).await.asked();
        recorded.desk.agree(way, tool, &arguments, &sealed).await.answered();
        recorded.desk.agree(way, tool, &arguments, &sealed).await.answered();
        let records = recorded.records().await;
        let said = |name: &str| -> Vec<Value> {
            records.iter().map(|record| record[name].clone()).collect()
        };
        assert_eq!(said("result"), ["asked", "done", "repeated"], "{records:#?}");
        let change = records[0]["change"].as_str().unwrap();
        assert_eq!(said("change"), [change; 3]);
        assert!(words.contains(&format!("Audit ID: {change}")), "{words}");
        let consent = if way == Way::Rounds { "person" } else { "code" };
        assert_eq!(records[1]["consent"], consent);
        assert_eq!(records[1]["tier"], "write");
        assert_eq!(
            records[1]["route"], "POST /api/{id}/deployments/create/untenanted/v1",
            "{records:#?}"
        );
        assert!(records[1]["user"].as_str().unwrap().contains("(Users-1)"), "{records:#?}");
        assert_eq!(records[1]["tasks"].as_array().unwrap().len(), 2);
        assert_eq!(records[1]["tasks"], records[2]["tasks"]);
    }
}

#[tokio::test]
async fn a_declined_change_is_recorded_as_that() {
    let recorded = Recorded::start().await;
    let (tool, arguments) = deployment();
    for action in ["decline", "cancel"] {
        let (_, sealed) = recorded.desk.call(Way::Rounds, tool, &arguments).await.asked();
        recorded.desk.answer(Way::Rounds, tool, &arguments, &sealed, action).await;
    }
    assert_eq!(recorded.desk.changes(), []);
    let records = recorded.records().await;
    let ends: Vec<_> = records.iter().map(|r| (r["result"].clone(), r["error"].clone())).collect();
    assert_eq!(ends[1], (json!("declined"), json!("declined")));
    assert_eq!(ends[3], (json!("declined"), json!("cancelled")));
}

/// From what stands in Octopus to the records, and to whom it was.
#[tokio::test]
async fn what_was_made_leads_back_to_its_record() {
    for way in [Way::Rounds, Way::Code(Era::Modern)] {
        let recorded = Recorded::start().await;
        let (release, notes, ..) = changes().remove(0);
        let (words, sealed) = recorded.desk.call(way, release, &notes).await.asked();
        let made = recorded.desk.agree(way, release, &notes, &sealed).await.answered();
        let (deploy, arguments) = deployment();
        let (_, sealed) = recorded.desk.call(way, deploy, &arguments).await.asked();
        recorded.desk.agree(way, deploy, &arguments, &sealed).await.answered();

        let release = json!({ "space": "Default", "releaseId": made["releaseId"] });
        let read = recorded.desk.server.call_as(keys::ADMIN, "get_release_by_id", release).await;
        let notes = read.structured["releaseNotes"].as_str().unwrap_or_default().to_owned();
        assert!(notes.starts_with("One\nTwo\n\nMade through octopus-mcp by API key "), "{notes}");
        let in_notes = notes.split("(audit ").nth(1).unwrap().trim_end_matches(')').to_owned();
        assert!(words.contains(&format!("(audit {in_notes})")), "shown before: {words}");
        let sent = recorded.desk.changes();
        let agent = sent[1].user_agent.clone().unwrap();
        let in_agent = agent.split(" audit/").nth(1).unwrap().to_owned();

        let records = recorded.records().await;
        for (id, tool) in [(in_notes, "create_release"), (in_agent, "deploy_release")] {
            let found = records.iter().find(|r| r["change"] == *id && r["result"] == "done");
            let found = found.unwrap_or_else(|| panic!("{id} in {records:#?}"));
            assert_eq!(found["tool"], tool);
            assert!(found["caller"]["subject"].is_string());
        }
    }
}

#[tokio::test]
async fn nothing_is_marked_where_the_settings_say_so() {
    let recorded = Recorded::with(|config| config.audit.mark_changes = false).await;
    let (tool, arguments, ..) = changes().remove(0);
    let way = Way::Code(Era::Modern);
    let (words, sealed) = recorded.desk.call(way, tool, &arguments).await.asked();
    recorded.desk.agree(way, tool, &arguments, &sealed).await.answered();
    assert!(!words.to_lowercase().contains("audit"), "{words}");
    let sent = recorded.desk.changes();
    assert_eq!(sent[0].body.as_ref().unwrap()["ReleaseNotes"], "One\nTwo");
    assert!(!sent[0].user_agent.as_ref().unwrap().contains("audit"));
    assert!(recorded.records().await[1]["change"].is_string());
}

#[tokio::test]
async fn requests_of_nobody_are_recorded_and_cannot_flood() {
    let recorded = Recorded::start().await;
    let server = &recorded.desk.server;
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

#[tokio::test]
async fn no_record_holds_a_credential_or_an_argument_that_no_setting_names() {
    const SECRETS: [&str; 4] =
        ["API-FAKEFAKEFAKEFAKEFAKEFAKE", "hunter2-hunter2", "Sekret-D07", "Ev\u{202e}il"];
    let recorded = Recorded::with(|config| {
        config.tools.allow_deletes = true;
        config.audit.hash_key = Some(Secret::from("k".repeat(32)));
        config.audit.fields = List(vec!["body".to_owned()]);
    })
    .await;
    let way = Way::Code(Era::Modern);
    for (tool, mut arguments, ..) in changes() {
        if tool == "run_runbook" && arguments.get("gitRef").is_some() {
            arguments["promptedVariableValues"] = json!({ "Depot.Code": SECRETS[2] });
        }
        let (_, sealed) = recorded.desk.call(way, tool, &arguments).await.asked();
        let _ = recorded.desk.agree(way, tool, &arguments, &sealed).await;
    }
    let body =
        json!({ "Name": "x", "Password": SECRETS[1], "Note": SECRETS[0], "Odd": SECRETS[3] });
    let arguments = json!({ "method": "POST", "path": "/api/Spaces-1/tenants", "body": body });
    let _ = recorded.desk.call(way, "execute", &arguments).await;
    let server = &recorded.desk.server;
    server.call_as(keys::ADMIN, "list_projects", json!({ (SECRETS[1]): SECRETS[0] })).await;
    server.call_as(keys::ADMIN, "list_projects", json!({ "space": SECRETS[0] })).await;
    let uri = format!("octopus://spaces/{}", SECRETS[1]);
    server.ask(Era::Modern, "resources/read", json!({ "uri": uri })).await;

    let path = recorded.path();
    let folder = recorded.stop().await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(records(&path).len() > 18);
    drop(folder);
    // The names of places are no arguments: they are what the call touches.
    let clear = ["1.13.0", "One\\nTwo", "D07", "eta-window", "restart-tracking-workers"];
    for word in SECRETS.iter().chain(&[keys::ADMIN]).chain(&clear) {
        let place = text.find(word).map(|at| &text[at.saturating_sub(200)..at + 60]);
        assert!(place.is_none(), "{word} in {place:?}");
    }
}

#[tokio::test]
async fn without_settings_nothing_is_recorded_or_marked() {
    let server = TestServer::with(|config| config.tools.read_only = false).await;
    let (tool, arguments, ..) = changes().remove(0);
    let called = server.call_as(keys::ADMIN, tool, arguments).await;
    assert!(!called.text.contains("Audit ID"), "{}", called.text);
}
