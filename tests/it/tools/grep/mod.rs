//! `grep_task_log` and `grep_llms_txt`.

mod answers;
mod catalog;
mod hostile;
mod large;
mod matching;
mod pages;
mod refusals;

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::held::{Held, snapshot};

/// The task whose log has 13.6 MB.
const BIG: &str = "ServerTasks-90032";
const LINES: u64 = 118_044;

fn arguments(more: &Value) -> Value {
    let mut arguments = json!({ "space": "Default", "taskId": "ServerTasks-90004" });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

async fn grep(server: &Held, more: Value) -> Value {
    server.answer("grep_task_log", arguments(&more)).await
}

/// The same once, on the big log.
async fn big(server: &Held, more: Value) -> Value {
    let mut arguments = arguments(&more);
    arguments["taskId"] = json!(BIG);
    server.answer_once("grep_task_log", arguments).await
}

/// Octopus has this log for every task.
fn log(server: &Held, log: &[u8]) {
    server.server.sample.faults().clear();
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").bytes(log);
    server.server.sample.faults().add(fault);
}

fn matches(answer: &Value) -> Vec<(u64, &str)> {
    let number = |found: &Value| found["lineNumber"].as_u64().unwrap();
    let matches = answer["matches"].as_array().unwrap();
    matches.iter().map(|found| (number(found), found["line"].as_str().unwrap())).collect()
}

/// The numbers of all lines that are shown, in the order in which they stand.
fn numbers(answer: &Value) -> Vec<u64> {
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
