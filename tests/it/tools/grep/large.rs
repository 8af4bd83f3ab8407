//! Large logs, long lines and costly patterns: all of them are searched, and in time.

use octopus_sample::Fault;
use serde_json::json;

use super::{BIG, Held, arguments, big, grep, log, numbers, totals};
use crate::support::ERAS;

#[tokio::test]
async fn needles_are_found_among_118_000_lines() {
    let server = Held::start().await;
    let found = big(&server, json!({ "pattern": r"quota .* 92 %|429 Too Many" })).await;
    assert_eq!(numbers(&found), [41_245, 90_049]);
    let found =
        big(&server, json!({ "pattern": "PUT /v1", "beforeContext": 50, "afterContext": 50 }))
            .await;
    assert_eq!(numbers(&found), (73_538..=73_638).collect::<Vec<_>>());
    let found =
        big(&server, json!({ "pattern": "TRACE", "invertMatch": true, "maxCount": 1 })).await;
    assert!(totals(&found).1 < 1_000);
}

#[tokio::test]
async fn a_pattern_that_hangs_others_is_answered() {
    let server = Held::start().await;
    let line = format!("{}!\n", "a".repeat(100_000));
    log(&server, line.as_bytes());
    let found = grep(&server, json!({ "pattern": "^(a+)+$" })).await;
    assert_eq!(totals(&found), (1, 0, 0));
    let found = grep(&server, json!({ "pattern": "(a|aa)+!" })).await;
    let line = found["matches"][0]["line"].as_str().unwrap();
    assert!(line.len() < 2_100 && line.ends_with(" ..."), "{}", line.len());
}

#[tokio::test]
async fn one_line_of_100_mb_is_searched_as_far_as_it_is_told() {
    let server = Held::start().await;
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").huge(100_000_000);
    server.server.sample.faults().add(fault);
    let found = big(&server, json!({ "pattern": r"^\s+$", "beforeContext": 50 })).await;
    assert_eq!(totals(&found), (1, 1, 1));
    assert!(found["hint"].as_str().unwrap().contains("1 lines have more than"), "{found}");
}

#[tokio::test]
async fn a_long_search_tells_how_far_it_is() {
    let server = Held::start().await;
    for era in ERAS {
        let mut arguments = arguments(&json!({ "pattern": "x" }));
        arguments["taskId"] = json!(BIG);
        let params = json!({ "name": "grep_task_log", "arguments": arguments,
            "_meta": { "progressToken": "p" } });
        let reply = server.server.ask(era, "tools/call", params).await;
        assert!(reply.text.contains("MiB of the log searched"));
    }
}
