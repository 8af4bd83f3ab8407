//! `get_task_raw`.

use serde_json::{Value, json};

use super::checked_server::{CAP, CheckedServer};

/// A task with a log of 13.6 MB.
const BIG_TASK: &str = "ServerTasks-90032";
const BIG_LOG_LINES: u64 = 118_044;
const BIG_LOG_BYTES: u64 = 13_606_384;

async fn big(server: &CheckedServer, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    arguments["taskId"] = json!(BIG_TASK);
    server.call_ok_once("get_task_raw", arguments).await
}

fn lines(answer: &Value) -> Vec<String> {
    answer["text"].as_str().unwrap().split('\n').map(str::to_owned).collect()
}

fn number(answer: &Value, key: &str) -> u64 {
    answer[key].as_u64().unwrap_or_else(|| panic!("no {key} in {answer}"))
}

#[tokio::test]
async fn big_log_returns_its_end_and_total_size() {
    let server = CheckedServer::start().await;
    let end = big(&server, json!({})).await;
    assert!(end["text"].as_str().unwrap().ends_with("Exit code: 0"));
    assert_eq!(number(&end, "lastLine"), BIG_LOG_LINES);
    assert_eq!(
        (number(&end, "totalLines"), number(&end, "totalBytes")),
        (BIG_LOG_LINES, BIG_LOG_BYTES)
    );
    assert_eq!(lines(&end).len() as u64, BIG_LOG_LINES - number(&end, "firstLine") + 1);
    assert!(end.to_string().len() > 18_000, "the answer fills most of its budget");
    assert!(end.get("nextFromLine").is_none());
}

#[tokio::test]
async fn big_log_pages_join_in_both_directions() {
    let server = CheckedServer::start().await;
    let end = big(&server, json!({})).await;
    let before = big(&server, json!({ "beforeLine": end["nextBeforeLine"] })).await;
    assert_eq!(number(&before, "lastLine") + 1, number(&end, "firstLine"));
    assert_eq!(before["nextFromLine"], end["firstLine"]);
    assert!(before.get("totalLines").is_none(), "a page before the end has no line count");
    let forth = big(&server, json!({ "fromLine": before["firstLine"] })).await;
    assert_eq!(forth["firstLine"], before["firstLine"]);
    assert_eq!(lines(&forth)[0], lines(&before)[0]);
    let start = big(&server, json!({ "fromLine": 1 })).await;
    assert!(start["text"].as_str().unwrap().starts_with("Task ID:        ServerTasks-90032"));
    assert!(start.get("nextBeforeLine").is_none());
    let second = big(&server, json!({ "fromLine": start["nextFromLine"] })).await;
    assert_eq!(number(&second, "firstLine"), number(&start, "lastLine") + 1);
}

#[tokio::test]
async fn only_problems_finds_errors_among_118_000_lines() {
    let server = CheckedServer::start().await;
    let found = big(&server, json!({ "onlyProblems": true })).await;
    let expected = [
        ("28: ", "A call took longer than 10 seconds"),
        ("41245: ", "quota for storage in region south-2 is 92 % used"),
        ("73588: ", "the slow call is PUT /v1/pools/freight-b"),
        ("90049: ", "retrying after 429 Too Many Requests"),
    ];
    assert_eq!(lines(&found).len(), expected.len());
    for (line, (number, text)) in lines(&found).iter().zip(expected) {
        assert!(line.starts_with(number) && line.contains(text), "{line}");
    }
    let problems = json!({
        "total": 4, "alert": 0, "warning": 4, "error": 0, "fatal": 0, "failedHeadings": 0,
    });
    assert_eq!((&found["problems"], number(&found, "totalLines")), (&problems, BIG_LOG_LINES));
    let around = big(&server, json!({ "fromLine": 73588, "maxBytes": 1024 })).await;
    assert!(lines(&around)[0].contains("PUT /v1/pools/freight-b"));
    let earlier = big(&server, json!({ "onlyProblems": true, "beforeLine": 73588 })).await;
    assert_eq!(lines(&earlier).len(), 2);
}

#[tokio::test]
async fn counts_problems_by_category_and_ignores_their_text() {
    let server = CheckedServer::start().await;
    let log = "                    | == Failed: Deploy web ==\n\
               08:10:01   Info     |   error: retried after an error\n\
               08:10:02   Verbose  |   Warning: this is verbose\n\
               08:10:03   Alert    |   certificate expires soon\n\
               08:10:04   Warning  |   slow\n\
               08:10:05   Warning  |   slower\n\
               08:10:06   Error    |   disk full\n\
               08:10:07   Fatal    |   the step failed\n\
                                   |     Failed: web-01\n";
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(log));
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let read = server.call_ok("get_task_raw", task.clone()).await;
    let expected = json!({
        "total": 7, "alert": 1, "warning": 2, "error": 1, "fatal": 1, "failedHeadings": 2,
    });
    assert_eq!(read["problems"], expected);
    let mut only = task.clone();
    only["onlyProblems"] = json!(true);
    assert_eq!(lines(&server.call_ok("get_task_raw", only).await).len(), 7);
    let pattern = json!({ "space": "Default", "taskId": "ServerTasks-90004", "pattern": "error|warning", "caseInsensitive": true });
    let found = server.call_ok("grep_task_log", pattern).await;
    assert_eq!(found["totalMatches"], 5, "grep matches text and categories of all lines: {found}");
}

#[tokio::test]
async fn respects_and_caps_the_requested_size() {
    let server = CheckedServer::start().await;
    for (max_bytes, min_size, max_size) in
        [(1, 400, 1024), (3000, 2400, 3000), (10_000_000, 95_000, CAP)]
    {
        let part = big(&server, json!({ "maxBytes": max_bytes })).await;
        let size = part.to_string().len();
        assert!((min_size..=max_size).contains(&size), "{max_bytes}: {size}");
        assert!(part.get("truncated").is_none());
    }
}

#[tokio::test]
async fn paging_visits_every_line_once_in_both_directions() {
    let server = CheckedServer::start().await;
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let complete = server.call_ok("get_task_raw", task.clone()).await;
    assert_eq!((number(&complete, "totalLines"), number(&complete, "totalBytes")), (50, 3488));
    for (next, first) in [("nextBeforeLine", "beforeLine"), ("nextFromLine", "fromLine")] {
        let mut seen: Vec<String> = Vec::new();
        let mut position = if first == "fromLine" { json!(1) } else { Value::Null };
        loop {
            let mut arguments = task.clone();
            arguments["maxBytes"] = json!(1024);
            arguments[first] = position;
            let part = server.call_ok("get_task_raw", arguments).await;
            let at = if first == "fromLine" { seen.len() } else { 0 };
            seen.splice(at..at, lines(&part));
            position = part[next].clone();
            if position.is_null() {
                break;
            }
        }
        assert_eq!(seen, lines(&complete), "{first}");
    }
}

#[tokio::test]
async fn reads_unusual_logs() {
    let server = CheckedServer::start().await;
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    for (log, text, lines) in [
        ("42", "42", 1),
        ("{\"a\":1}", "{\"a\":1}", 1),
        ("one\r\ntwo\r\n", "one\ntwo", 2),
        ("08:10:02   Error    | caf\u{e9}\u{202e}", "08:10:02   Error    | caf\u{e9}", 1),
    ] {
        let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
        server.server.sample.faults().add(fault.body(log));
        let read = server.call_ok("get_task_raw", task.clone()).await;
        assert_eq!((read["text"].as_str(), number(&read, "totalLines")), (Some(text), lines));
        server.server.sample.faults().clear();
    }
    let long = format!("short\n{}\n\"quoted\"\n", "\"\\".repeat(60_000));
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(&long));
    let read = server.call_ok("get_task_raw", task.clone()).await;
    assert_eq!(lines_without_padding(&read), ["short", " ...", "\"quoted\""]);
    server.server.sample.faults().clear();
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(""));
    let empty = server.call_ok("get_task_raw", task).await;
    assert!(empty["hint"].as_str().unwrap().contains("the log is empty"));
}

#[tokio::test]
async fn redactions_drop_no_lines_at_the_end() {
    let server = CheckedServer::start().await;
    let log: String =
        (1..=3000).fold(String::new(), |log, n| log + &format!("{n} password=a1B2c\n"));
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(&log));
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let end = server.call_ok("get_task_raw", task.clone()).await;
    assert!(!end.to_string().contains("a1B2c"));
    assert!(lines(&end).last().unwrap().starts_with("3000 "));
    assert_eq!((number(&end, "lastLine"), number(&end, "totalLines")), (3000, 3000));
    assert_eq!(lines(&end).len() as u64, 3001 - number(&end, "firstLine"));
    assert!(end.get("truncated").is_none());
    let mut forth = task;
    forth["fromLine"] = json!(1);
    let start = server.call_ok("get_task_raw", forth.clone()).await;
    assert_eq!(number(&start, "nextFromLine"), number(&start, "lastLine") + 1);
    assert_eq!(lines(&start).len() as u64, number(&start, "lastLine"));

    // The original log fits into one answer; with redaction marks it does not.
    server.server.sample.faults().clear();
    let log: String =
        (1..=900).fold(String::new(), |log, n| log + &format!("{n} password=a1B2c\n"));
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(&log));
    forth["fromLine"] = json!(1);
    let start = server.call_ok("get_task_raw", forth.clone()).await;
    assert!(number(&start, "lastLine") < 900 && start["totalLines"] == 900);
    forth["fromLine"] = start["nextFromLine"].clone();
    let rest = server.call_ok("get_task_raw", forth).await;
    assert_eq!(lines(&start).len() + lines(&rest).len(), 900);
}

/// Returns the lines without the repeated padding.
fn lines_without_padding(answer: &Value) -> Vec<String> {
    lines(answer).iter().map(|line| line.replace("\"\\", "")).collect()
}

#[tokio::test]
async fn reports_positions_outside_the_log_and_clean_logs() {
    let server = CheckedServer::start().await;
    let task = |more: Value| {
        let mut task = json!({ "space": "Default", "taskId": "ServerTasks-90009" });
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task
    };
    let past = server.call_ok("get_task_raw", task(json!({ "fromLine": 900 }))).await;
    assert_eq!(
        (past["hint"].as_str(), past["text"].as_str()),
        (Some("the log ends at line 12"), Some(""))
    );
    let successful = server.call_ok("get_task_raw", task(json!({ "onlyProblems": true }))).await;
    assert!(successful["hint"].as_str().unwrap().contains("no lines of the categories Alert"));
    let expected = ["not both"];
    server
        .assert_error_contains(
            "get_task_raw",
            task(json!({ "fromLine": 1, "beforeLine": 2 })),
            &expected,
        )
        .await;
    for line in [0, 1] {
        let expected = ["no line precedes line 1"];
        server
            .assert_error_contains("get_task_raw", task(json!({ "beforeLine": line })), &expected)
            .await;
    }
    server
        .assert_error_contains(
            "get_task_raw",
            task(json!({ "fromLine": "x" })),
            &["fromLine", "not a text"],
        )
        .await;
}
