//! Large logs, long lines and costly patterns are searched in time.

use octopus_sample::Fault;
use serde_json::json;

use super::{
    BIG_TASK, CheckedServer, arguments, grep, grep_big_log, line_numbers, mock_log, totals,
};
use crate::support::ERAS;

#[tokio::test]
async fn finds_matches_among_118_000_lines() {
    let server = CheckedServer::start().await;
    let found = grep_big_log(&server, json!({ "pattern": r"quota .* 92 %|429 Too Many" })).await;
    assert_eq!(line_numbers(&found), [41_245, 90_049]);
    let found = grep_big_log(
        &server,
        json!({ "pattern": "PUT /v1", "beforeContext": 50, "afterContext": 50 }),
    )
    .await;
    assert_eq!(line_numbers(&found), (73_538..=73_638).collect::<Vec<_>>());
    let found =
        grep_big_log(&server, json!({ "pattern": "TRACE", "invertMatch": true, "maxCount": 1 }))
            .await;
    assert!(totals(&found).1 < 1_000);
}

#[tokio::test]
async fn exponential_backtracking_patterns_are_answered() {
    let server = CheckedServer::start().await;
    let line = format!("{}!\n", "a".repeat(100_000));
    mock_log(&server, line.as_bytes());
    let found = grep(&server, json!({ "pattern": "^(a+)+$" })).await;
    assert_eq!(totals(&found), (1, 0, 0));
    let found = grep(&server, json!({ "pattern": "(a|aa)+!" })).await;
    let line = found["matches"][0]["line"].as_str().unwrap();
    assert!(line.len() < 2_100 && line.ends_with(" ..."), "{}", line.len());
}

#[tokio::test]
async fn reports_how_much_of_a_100_mb_line_was_searched() {
    let server = CheckedServer::start().await;
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").huge(100_000_000);
    server.server.sample.faults().add(fault);
    let found = grep_big_log(&server, json!({ "pattern": r"^\s+$", "beforeContext": 50 })).await;
    assert_eq!(totals(&found), (1, 1, 1));
    assert!(found["hint"].as_str().unwrap().contains("1 lines are longer than"), "{found}");
}

#[tokio::test]
async fn long_search_sends_progress() {
    let server = CheckedServer::start().await;
    for era in ERAS {
        let mut arguments = arguments(&json!({ "pattern": "x" }));
        arguments["taskId"] = json!(BIG_TASK);
        let params = json!({ "name": "grep_task_log", "arguments": arguments,
            "_meta": { "progressToken": "p" } });
        let reply = server.server.rpc(era, "tools/call", params).await;
        assert!(reply.text.contains("MiB of the log searched"));
    }
}
