//! Reads through `execute`: JSON, text, pages, and errors of Octopus.

use octopus_sample::{Fault, keys};
use serde_json::json;

use super::get;
use crate::tools::checked_server::CheckedServer;

#[tokio::test]
async fn reads_on_a_read_only_server() {
    let server = CheckedServer::start().await;
    let mut arguments = get("/API/Spaces-1/Environments/");
    arguments["query"] = json!({ "skip": 1, "take": "2", "partialName": "a&b=c d" });
    let answer = server.call_ok("execute", arguments).await;
    let sent = "/api/Spaces-1/Environments?partialName=a%26b%3Dc+d&skip=1&take=2";
    assert_eq!(
        (&answer["success"], &answer["method"], &answer["tier"], &answer["path"]),
        (&json!(true), &json!("GET"), &json!("read"), &json!(sent))
    );
    assert_eq!(
        server.take_requests(),
        [sent, sent],
        "the reported path is the path of the request"
    );
    let answer = server.call_ok("execute", get("/api/Spaces-1/environments/Environments-3")).await;
    assert_eq!(answer["response"]["Name"], "Production");
    assert!(answer["response"].get("Links").is_none() && answer.get("skip").is_none());
    let root = server.call_ok("execute", get("/api")).await;
    assert_eq!(root["response"]["Application"], "Octopus Deploy");
    let log = server.call_ok("execute", get("/api/tasks/ServerTasks-90004/raw")).await;
    assert!(log["response"].as_str().unwrap().contains("ServerTasks-90004"));
}

#[tokio::test]
async fn octopus_errors_name_the_request() {
    let server = CheckedServer::start().await;
    let expected = ["resource '/api/Spaces-1/environments/Environments-99' not found"];
    let path = "/api/Spaces-1/environments/Environments-99";
    server.assert_error_contains("execute", get(path), &expected).await;
    let called = server.server.call_as(keys::WITHOUT_TASK_VIEW, "execute", get("/api/tasks")).await;
    assert!(called.is_error && called.text.contains("TaskView"), "{}", called.text);
    let faults = server.server.sample.faults();
    faults.add(Fault::on("/tenants").status(400).body(r#"{"ErrorMessage":"No.","Errors":["a"]}"#));
    server.assert_error_contains("execute", get("/api/Spaces-1/tenants"), &["(400): No. a"]).await;
}

#[tokio::test]
async fn returns_text_and_rejects_binary_content() {
    let server = CheckedServer::start().await;
    let respond_with = |kind: &str, body: &str| {
        let faults = server.server.sample.faults();
        faults.clear();
        faults.add(Fault::on("/artifacts").header("Content-Type", kind).body(body));
    };
    let arguments = get("/api/Spaces-1/artifacts/Artifacts-1/content");
    respond_with("text/csv; charset=utf-8", "Id,Name\n1,x\n");
    let mut csv = arguments.clone();
    csv["asCsv"] = json!(true);
    assert_eq!(server.call_ok("execute", csv).await["response"], "Id,Name\n1,x\n");
    assert!(server.take_requests().iter().all(|sent| sent.ends_with("?format=csv")));
    for (kind, body) in [("text/plain", "x"), ("application/xml", "<x/>"), ("text/plain", "")] {
        respond_with(kind, body);
        assert_eq!(server.call_ok("execute", arguments.clone()).await["response"], body);
    }
    respond_with("application/octet-stream", "PK\u{3}\u{4}");
    let expected = ["4 bytes", "application/octet-stream", "portal"];
    server.assert_error_contains("execute", arguments.clone(), &expected).await;
    respond_with("text/html", "<html>Sign in</html>");
    server
        .assert_error_contains("execute", arguments.clone(), &["text/html", "sign-in page"])
        .await;
    respond_with("application/json", "{\"a\":");
    server.assert_error_contains("execute", arguments, &["unexpected response from Octopus"]).await;
}

#[tokio::test]
async fn redacts_a_password_next_to_its_key() {
    let server = CheckedServer::start().await;
    let body = json!({ "Variables": [{ "Name": "DbPassword", "Value": "hunter2hunter2" }] });
    server.mock_response("/variables/", &body);
    let shown =
        server.call_ok("execute", get("/api/Spaces-1/variables/variableset-Projects-1")).await;
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn truncates_large_pages_between_items() {
    let server = CheckedServer::start().await;
    let (mut seen, mut skip, mut cuts) = (Vec::new(), json!(0), 0);
    loop {
        let mut arguments = get("/api/Spaces-1/deployments");
        arguments["query"] = json!({ "skip": skip, "take": 100, "projects": "Projects-1" });
        arguments["maxBytes"] = json!(10_000);
        let answer = server.call_ok("execute", arguments).await;
        let items = answer["response"]["Items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["Id"].as_str().unwrap().to_owned()));
        assert_eq!(answer["skip"], skip);
        let Some(next) = answer.get("nextSkip") else { break };
        let how = answer["truncated"]["how"].as_str().unwrap();
        assert!(how.contains(&format!("skip {next} in `query`")), "{how}");
        skip = next.clone();
        cuts += 1;
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert!(cuts > 1 && all > 20 && seen.len() == all, "{cuts} {all} {}", seen.len());
}
