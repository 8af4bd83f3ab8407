//! `grep_task_log` and `grep_llms_txt`.

mod catalog;
mod compute_limits;
mod errors;
mod large;
mod matching;
mod pages;
mod responses;

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::checked_server::{CheckedServer, assert_snapshot};

/// A task with a log of 13.6 MB.
const BIG_TASK: &str = "ServerTasks-90032";
const BIG_LOG_LINES: u64 = 118_044;

fn arguments(more: &Value) -> Value {
    let mut arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

async fn grep(server: &CheckedServer, more: Value) -> Value {
    server.call_ok("grep_task_log", arguments(&more)).await
}

/// Searches the big log, in one era only.
async fn grep_big_log(server: &CheckedServer, more: Value) -> Value {
    let mut arguments = arguments(&more);
    arguments["taskId"] = json!(BIG_TASK);
    server.call_ok_once("grep_task_log", arguments).await
}

/// Makes Octopus return this log for every task.
fn mock_log(server: &CheckedServer, log: &[u8]) {
    server.server.sample.faults().clear();
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").bytes(log);
    server.server.sample.faults().add(fault);
}

fn matches(answer: &Value) -> Vec<(u64, &str)> {
    let number = |found: &Value| found["lineNumber"].as_u64().unwrap();
    let matches = answer["matches"].as_array().unwrap();
    matches.iter().map(|found| (number(found), found["line"].as_str().unwrap())).collect()
}

/// Returns the numbers of all lines of the answer, context included, in their order.
fn line_numbers(answer: &Value) -> Vec<u64> {
    let mut numbers = Vec::new();
    for found in answer["matches"].as_array().unwrap() {
        let around = |key: &str| found[key].as_array().cloned().unwrap_or_default();
        let lines = around("before").into_iter().chain([found.clone()]).chain(around("after"));
        numbers.extend(lines.map(|line| line["lineNumber"].as_u64().unwrap()));
    }
    numbers
}

fn totals(answer: &Value) -> (u64, u64, u64) {
    let number = |key: &str| answer[key].as_u64().unwrap();
    (number("totalLines"), number("totalMatches"), number("returnedMatches"))
}
