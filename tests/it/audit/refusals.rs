//! Requests that the endpoint refuses, changes that nobody waited for, and changes that somebody
//! said no to.

use std::time::Duration;

use octopus_mcp::config::{AuthMode, Confirm, List, Modes, Networks, Secret};
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{Recorded, records};
use crate::{
    callers::issuer::{Signer, TestIssuer},
    consent::{Way, changes},
    support::{Era, LEGACY, soon},
};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

fn deployment() -> (&'static str, Value) {
    let (tool, arguments, ..) = changes().remove(1);
    (tool, arguments)
}

/// A server behind a proxy that names its callers.
async fn named_by_a_proxy(change: impl FnOnce(&mut octopus_mcp::config::Config)) -> Recorded {
    Recorded::with(|config| {
        config.auth.mode = Some(Modes(vec![AuthMode::Proxy]));
        config.http.trusted_proxies = Networks(vec!["127.0.0.0/8".parse().unwrap()]);
        config.octopus.api_key = Some(Secret::from(keys::ADMIN.to_owned()));
        change(config);
    })
    .await
}

const MARIA: [(&str, &str); 2] = [("x-octopus-apikey", ""), ("x-forwarded-user", "maria")];

/// Headers of a request.
type Headers = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn each_refusal_of_the_endpoint_has_one_record_with_its_caller() {
    let recorded = named_by_a_proxy(|config| {
        config.limits.caller_rate = 1;
        config.limits.caller_burst = 1;
        config.limits.far_over = 2;
    })
    .await;
    let server = &recorded.desk.server;
    let ask = async |path: &str, more: &[(&str, &str)]| {
        let mut headers = MARIA.to_vec();
        headers.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        headers.extend(more);
        let call =
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_spaces"}}"#;
        server.post_at(path, &headers, call).await.status
    };
    let cases: [(&str, Headers, u16, &str); 7] = [
        ("/i/nowhere", &[], 404, "there is no instance 'nowhere'"),
        ("", &[("x-mcp-toolsets", "nonsense")], 400, "there is no toolset `nonsense`"),
        ("", &[("x-octopus-apikey", keys::ADMIN)], 400, "leave X-Octopus-ApiKey out"),
        ("/i/default/Elsewhere", &[], 404, "has no space 'Elsewhere'"),
        ("", &[], 200, "asks for more than the rate"),
        ("", &[], 429, "goes on although"),
        ("/readonly", &[("x-mcp-readonly", "false")], 400, "leave one of the two out"),
    ];
    for (path, headers, status, words) in cases {
        assert_eq!(ask(path, headers).await, status, "{words}");
    }
    let records = recorded.records().await;
    assert_eq!(records.len(), cases.len(), "{records:#?}");
    for (record, (path, _, status, words)) in records.iter().zip(cases) {
        assert_eq!((&record["kind"], &record["result"]), (&json!("refused"), &json!("refused")));
        assert_eq!(record["status"], status, "{words}");
        let why = record["rule"].as_str().unwrap();
        assert!(why.contains(words), "{why}");
        assert_eq!(record["caller"]["name"], "maria", "{words}");
        assert_eq!(record["caller"]["way"], "proxy");
        assert_eq!(record["tool"], "list_spaces", "{words}");
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
async fn a_call_that_the_scope_of_a_token_does_not_allow_has_a_record() {
    let signer = Signer::new("one");
    let issuer = TestIssuer::with(&[&signer]);
    let recorded = Recorded::with(|config| issuer.trusted(config)).await;
    let token = signer.sign(&issuer.claims_with(&json!({ "scope": "octopus:read" })));
    let authorization = format!("Bearer {token}");
    let (tool, arguments) = deployment();
    let params = json!({ "name": tool, "arguments": arguments });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let headers = [("x-octopus-apikey", ""), ("authorization", authorization.as_str())];
    let reply = recorded.desk.server.post(&headers, call.to_string()).await;
    assert_eq!(reply.status, 403, "{}", reply.text);
    let records = recorded.records().await;
    let [record] = records.as_slice() else { panic!("{records:#?}") };
    assert_eq!((&record["kind"], &record["status"]), (&json!("refused"), &json!(403)));
    assert_eq!((&record["tool"], &record["caller"]["way"]), (&json!(tool), &json!("oauth")));
    assert!(record["rule"].as_str().unwrap().contains("octopus:deploy"), "{record}");
}

#[tokio::test]
async fn refusals_of_nobody_say_so_and_what_browsers_are_told_is_none() {
    let recorded = named_by_a_proxy(|config| {
        config.limits.failed_rate = 1;
        config.limits.failed_burst = 1;
    })
    .await;
    let server = &recorded.desk.server;
    let nobody = ("x-octopus-apikey", "");
    let mut found = Vec::new();
    for (path, more) in [
        ("", ("host", "evil.example")),
        ("/nowhere", ("x-a", "a")),
        ("", ("x-a", "a")),
        ("", ("x-a", "a")),
    ] {
        found.push(server.post_at(path, &[nobody, more], LIST).await.status);
    }
    assert_eq!(found, [403, 404, 401, 429]);
    assert_eq!(server.http.get(&server.url).send().await.unwrap().status(), 405);
    let records = recorded.records().await;
    let said: Vec<_> = records.iter().map(|r| (r["kind"].as_str(), r["status"].as_u64())).collect();
    let kind = Some("unauthenticated");
    assert_eq!(said, [403, 404, 401, 429].map(|status| (kind, Some(status))), "{records:#?}");
    assert!(records.iter().all(|record| record.get("caller").is_none()));
}

#[tokio::test]
async fn refusals_of_one_known_caller_are_bounded_and_leave_room_for_others() {
    let recorded = named_by_a_proxy(|_| {}).await;
    let server = &recorded.desk.server;
    for _ in 0..100 {
        assert_eq!(server.post_at("/i/nowhere", &MARIA, LIST).await.status, 404);
    }
    let otto = [("x-octopus-apikey", ""), ("x-forwarded-user", "otto")];
    assert_eq!(server.post_at("/i/nowhere", &otto, LIST).await.status, 404);
    assert_eq!(server.post(&[("x-octopus-apikey", "")], LIST).await.status, 401);
    let records = recorded.records().await;
    let of = |name: &str| records.iter().filter(|r| r["caller"]["name"] == name).count();
    assert_eq!((of("maria"), of("otto"), records.len()), (60, 1, 62));
}

#[tokio::test]
async fn what_mcp_answers_is_recorded_once_whatever_the_status() {
    let recorded = Recorded::with(|config| config.tools.confirm = Confirm::Ask).await;
    let server = &recorded.desk.server;
    let unknown = json!({ "name": "drop_everything", "arguments": {} });
    assert_eq!(server.ask(Era::Modern, "tools/call", unknown).await.code(), -32602);
    let (tool, arguments) = deployment();
    let params = json!({ "name": tool, "arguments": arguments });
    let cannot = server.ask(Era::Modern, "tools/call", params).await;
    assert_eq!((cannot.status, cannot.code()), (400, -32021), "{}", cannot.text);
    let records = recorded.records().await;
    let said: Vec<_> = records.iter().map(|r| (r["kind"].as_str(), r["error"].as_str())).collect();
    let call = Some("call");
    assert_eq!(said, [(call, Some("unknown_tool")), (call, Some("cannot_ask"))], "{records:#?}");
}

#[tokio::test]
async fn a_change_that_nobody_waited_for_has_a_record_of_what_was_sent_and_of_what_became_of_it() {
    for refused in [false, true] {
        let recorded = Recorded::start().await;
        let (tool, mut arguments) = deployment();
        let way = Way::Code(Era::Legacy);
        let (_, sealed) = recorded.desk.call(way, tool, &arguments).await.asked();
        let server = &recorded.desk.server;
        let fault = Fault::on("/deployments/create").delay(Duration::from_secs(1));
        server.sample.faults().add(if refused { fault.status(400) } else { fault });
        arguments["confirm"] = json!(sealed);
        let params = json!({ "name": tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let headers = [("mcp-protocol-version", LEGACY)];
        let sent = soon(async || (!server.sample.changes().is_empty()).then_some(()));
        tokio::select! {
            _ = server.post(&headers, call.to_string()) => panic!("it came to an answer"),
            () = sent => {}
        }
        let path = recorded.path();
        let all = soon(async || Some(records(&path)).filter(|records| records.len() == 3)).await;
        let said: Vec<_> = all.iter().map(|record| record["result"].as_str().unwrap()).collect();
        let came = if refused { "refused" } else { "done" };
        assert_eq!(said, ["asked", "abandoned", came], "{all:#?}");
        for record in &all[1..] {
            assert_eq!(record["tool"], tool);
            assert_eq!(record["change"], all[0]["change"]);
            assert_eq!(record["route"], "POST /api/{id}/deployments/create/untenanted/v1");
            assert_eq!(record["consent"], "code");
            assert_eq!(record["environments"], json!(["Development", "Staging"]));
        }
        assert_ne!(all[1]["id"], all[2]["id"]);
        assert_eq!(all[2].get("tasks").is_some(), !refused, "{all:#?}");
        assert_eq!(server.sample.changes().len(), 1);
        drop(recorded.stop().await);
    }
}

#[tokio::test]
async fn a_no_is_recorded_with_the_change_that_it_is_about() {
    let recorded =
        Recorded::with(|config| config.audit.fields = List(vec!["releaseVersion".to_owned()]))
            .await;
    let (tool, arguments) = deployment();
    for action in ["decline", "cancel"] {
        let (words, sealed) = recorded.desk.call(Way::Rounds, tool, &arguments).await.asked();
        recorded.desk.answer(Way::Rounds, tool, &arguments, &sealed, action).await;
        assert!(words.contains("Audit ID: "), "{words}");
    }
    let (_, sealed) = recorded.desk.call(Way::Rounds, tool, &arguments).await.asked();
    let mut other = arguments.clone();
    other["releaseVersion"] = json!("1.11.7");
    recorded.desk.answer(Way::Rounds, tool, &other, &sealed, "decline").await;
    let records = recorded.records().await;
    let said: Vec<_> = records.iter().map(|record| record["result"].as_str().unwrap()).collect();
    assert_eq!(said, ["asked", "declined", "asked", "declined", "asked", "declined"]);
    for pair in [&records[..2], &records[2..4]] {
        assert!(pair[0]["change"].is_string());
        assert_eq!(pair[0]["change"], pair[1]["change"], "{records:#?}");
        assert_eq!(pair[1]["arguments"]["releaseVersion"], "1.12.0");
    }
    assert_ne!(records[0]["change"], records[2]["change"]);
    assert_eq!(records[5].get("change"), None, "a question for another call");
}
