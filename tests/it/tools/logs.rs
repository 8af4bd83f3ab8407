//! `get_task_raw`.

use serde_json::{Value, json};

use super::held::{CAP, Held};

/// The task whose log has 13.6 MB.
const BIG: &str = "ServerTasks-90032";
const LINES: u64 = 118_044;
const BYTES: u64 = 13_606_384;

async fn big(server: &Held, mut arguments: Value) -> Value {
    arguments["space"] = json!("Default");
    arguments["taskId"] = json!(BIG);
    server.answer_once("get_task_raw", arguments).await
}

fn lines(answer: &Value) -> Vec<String> {
    answer["text"].as_str().unwrap().split('\n').map(str::to_owned).collect()
}

fn number(answer: &Value, key: &str) -> u64 {
    answer[key].as_u64().unwrap_or_else(|| panic!("no {key} in {answer}"))
}

#[tokio::test]
async fn a_big_log_comes_end_first_and_says_how_big_it_is() {
    let server = Held::start().await;
    let end = big(&server, json!({})).await;
    assert!(end["text"].as_str().unwrap().ends_with("Exit code: 0"));
    assert_eq!(number(&end, "lastLine"), LINES);
    assert_eq!((number(&end, "totalLines"), number(&end, "totalBytes")), (LINES, BYTES));
    assert_eq!(lines(&end).len() as u64, LINES - number(&end, "firstLine") + 1);
    assert!(end.to_string().len() > 18_000, "the answer is used well");
    assert!(end.get("nextFromLine").is_none());
}

#[tokio::test]
async fn pages_of_a_big_log_join_in_both_directions() {
    let server = Held::start().await;
    let end = big(&server, json!({})).await;
    let before = big(&server, json!({ "beforeLine": end["nextBeforeLine"] })).await;
    assert_eq!(number(&before, "lastLine") + 1, number(&end, "firstLine"));
    assert_eq!(before["nextFromLine"], end["firstLine"]);
    assert!(before.get("totalLines").is_none(), "its end was not read");
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
async fn only_problems_finds_the_odd_lines_among_118_000() {
    let server = Held::start().await;
    let found = big(&server, json!({ "onlyProblems": true })).await;
    let words = [
        ("28: ", "A call took longer than 10 seconds"),
        ("41245: ", "quota for storage in region south-2 is 92 % used"),
        ("73588: ", "the slow call is PUT /v1/pools/freight-b"),
        ("90049: ", "retrying after 429 Too Many Requests"),
    ];
    assert_eq!(lines(&found).len(), words.len());
    for (line, (number, text)) in lines(&found).iter().zip(words) {
        assert!(line.starts_with(number) && line.contains(text), "{line}");
    }
    assert_eq!((number(&found, "problems"), number(&found, "totalLines")), (4, LINES));
    let around = big(&server, json!({ "fromLine": 73588, "maxBytes": 1024 })).await;
    assert!(lines(&around)[0].contains("PUT /v1/pools/freight-b"));
    let earlier = big(&server, json!({ "onlyProblems": true, "beforeLine": 73588 })).await;
    assert_eq!(lines(&earlier).len(), 2);
}

#[tokio::test]
async fn the_size_that_is_asked_for_is_kept_and_capped() {
    let server = Held::start().await;
    for (asked, least, most) in [(1, 400, 1024), (3000, 2400, 3000), (10_000_000, 95_000, CAP)] {
        let part = big(&server, json!({ "maxBytes": asked })).await;
        let size = part.to_string().len();
        assert!((least..=most).contains(&size), "{asked}: {size}");
        assert!(part.get("truncated").is_none());
    }
}

#[tokio::test]
async fn every_line_is_visited_once_in_either_direction() {
    let server = Held::start().await;
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let whole = server.answer("get_task_raw", task.clone()).await;
    assert_eq!((number(&whole, "totalLines"), number(&whole, "totalBytes")), (50, 3488));
    for (next, first) in [("nextBeforeLine", "beforeLine"), ("nextFromLine", "fromLine")] {
        let mut seen: Vec<String> = Vec::new();
        let mut place = if first == "fromLine" { json!(1) } else { Value::Null };
        loop {
            let mut arguments = task.clone();
            arguments["maxBytes"] = json!(1024);
            arguments[first] = place;
            let part = server.answer("get_task_raw", arguments).await;
            let at = if first == "fromLine" { seen.len() } else { 0 };
            seen.splice(at..at, lines(&part));
            place = part[next].clone();
            if place.is_null() {
                break;
            }
        }
        assert_eq!(seen, lines(&whole), "{first}");
    }
}

#[tokio::test]
async fn odd_logs_are_read() {
    let server = Held::start().await;
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    for (log, text, lines) in [
        ("42", "42", 1),
        ("{\"a\":1}", "{\"a\":1}", 1),
        ("one\r\ntwo\r\n", "one\ntwo", 2),
        ("08:10:02   Error    | caf\u{e9}\u{202e}", "08:10:02   Error    | caf\u{e9}", 1),
    ] {
        let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
        server.server.sample.faults().add(fault.body(log));
        let read = server.answer("get_task_raw", task.clone()).await;
        assert_eq!((read["text"].as_str(), number(&read, "totalLines")), (Some(text), lines));
        server.server.sample.faults().clear();
    }
    let long = format!("short\n{}\n\"quoted\"\n", "\"\\".repeat(60_000));
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(&long));
    let read = server.answer("get_task_raw", task.clone()).await;
    assert_eq!(lines_of(&read), ["short", " ...", "\"quoted\""]);
    server.server.sample.faults().clear();
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(""));
    let empty = server.answer("get_task_raw", task).await;
    assert!(empty["hint"].as_str().unwrap().contains("the log is empty"));
}

#[tokio::test]
async fn secrets_that_are_taken_out_cost_no_lines_at_the_end() {
    let server = Held::start().await;
    let log: String =
        (1..=3000).fold(String::new(), |log, n| log + &format!("{n} password=a1B2c\n"));
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(&log));
    let task = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    let end = server.answer("get_task_raw", task.clone()).await;
    assert!(!end.to_string().contains("a1B2c"));
    assert!(lines(&end).last().unwrap().starts_with("3000 "));
    assert_eq!((number(&end, "lastLine"), number(&end, "totalLines")), (3000, 3000));
    assert_eq!(lines(&end).len() as u64, 3001 - number(&end, "firstLine"));
    assert!(end.get("truncated").is_none());
    let mut forth = task;
    forth["fromLine"] = json!(1);
    let start = server.answer("get_task_raw", forth.clone()).await;
    assert_eq!(number(&start, "nextFromLine"), number(&start, "lastLine") + 1);
    assert_eq!(lines(&start).len() as u64, number(&start, "lastLine"));

    // As it is this log fits into one answer; with the marks of the secrets it does not.
    server.server.sample.faults().clear();
    let log: String =
        (1..=900).fold(String::new(), |log, n| log + &format!("{n} password=a1B2c\n"));
    let fault = octopus_sample::Fault::on("/raw").header("Content-Type", "text/plain");
    server.server.sample.faults().add(fault.body(&log));
    forth["fromLine"] = json!(1);
    let start = server.answer("get_task_raw", forth.clone()).await;
    assert!(number(&start, "lastLine") < 900 && start["totalLines"] == 900);
    forth["fromLine"] = start["nextFromLine"].clone();
    let rest = server.answer("get_task_raw", forth).await;
    assert_eq!(lines(&start).len() + lines(&rest).len(), 900);
}

/// The lines with what repeats taken out.
fn lines_of(answer: &Value) -> Vec<String> {
    lines(answer).iter().map(|line| line.replace("\"\\", "")).collect()
}

#[tokio::test]
async fn what_there_is_not_is_told() {
    let server = Held::start().await;
    let task = |more: Value| {
        let mut task = json!({ "space": "Default", "taskId": "ServerTasks-90009" });
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task
    };
    let past = server.answer("get_task_raw", task(json!({ "fromLine": 900 }))).await;
    assert_eq!(
        (past["hint"].as_str(), past["text"].as_str()),
        (Some("the log ends at line 11"), Some(""))
    );
    let well = server.answer("get_task_raw", task(json!({ "onlyProblems": true }))).await;
    assert!(well["hint"].as_str().unwrap().contains("no errors or warnings"));
    let words = ["not both"];
    server.refuses("get_task_raw", task(json!({ "fromLine": 1, "beforeLine": 2 })), &words).await;
    for line in [0, 1] {
        let words = ["nothing comes before line 1"];
        server.refuses("get_task_raw", task(json!({ "beforeLine": line })), &words).await;
    }
    server
        .refuses("get_task_raw", task(json!({ "fromLine": "x" })), &["fromLine", "not a text"])
        .await;
}
