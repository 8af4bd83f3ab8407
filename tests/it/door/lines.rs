//! A secret that is known over several lines alone is hidden line by line too, whatever part of
//! them is shown.

use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::support::{Era, TestServer, client, reply, serve};

pub(super) const TASK: &str = "ServerTasks-90004";
const INSIDE: &str = "RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U";

/// Lines of a manifest, a configuration and two private keys, with four secrets in them.
fn lines() -> Vec<String> {
    let text = format!(
        "env:\n\
         - name: DB_PASSWORD\n\
         \u{20} value: hunter2-x1y2z3\n\
         <setting name=\"ApiPassword\" serializeAs=\"String\">\n\
         \u{20} <value>hunter3-x1y2z3</value>\n\
         </setting>\n\
         Private-Lines: 2\n{INSIDE}\n{INSIDE}\n\
         the key was read\n\
         -----BEGIN RSA PRIVATE KEY-----\n\
         Proc-Type: 4,ENCRYPTED\n\
         {INSIDE}\n{INSIDE}\nRkFLRQ==\n\
         -----END RSA PRIVATE KEY-----\n\
         the end"
    );
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn hidden(what: &str, shown: &Value) {
    let text = shown.to_string();
    for secret in ["hunter2", "hunter3", "RkFL"] {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

pub(super) async fn with_log(log: &str) -> TestServer {
    let server = TestServer::with(|config| config.limits.caller_rate = 0).await;
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").body(log);
    server.sample.faults().add(fault);
    server
}

/// The log as it is, and with the time and level that Octopus writes before each line.
fn logs() -> [String; 2] {
    let prefix = "08:10:02   Info     |   ";
    let logged = format!("{prefix}{}\r\n", lines().join(&format!("\r\n{prefix}")));
    [lines().join("\n"), logged]
}

#[tokio::test]
async fn each_page_of_a_log_hides_what_the_whole_log_hides() {
    for log in logs() {
        let server = with_log(&log).await;
        let mut shown = Vec::new();
        for line in 1..=lines().len() {
            for part in ["fromLine", "beforeLine"] {
                let mut arguments = json!({ "space": "Default", "taskId": TASK });
                arguments[part] = json!(line + usize::from(part == "beforeLine"));
                let page = server.call_as(keys::ADMIN, "get_task_raw", arguments).await;
                hidden(&format!("{part} {line}"), &page.structured);
                shown.push(page.text);
            }
        }
        for (kind, count) in [("password", 10), ("private-key", 20)] {
            let shown = shown.iter().filter(|page| page.contains(&format!("[redacted:{kind}]")));
            assert!(shown.count() > count, "{kind}");
        }
        assert!(shown.iter().any(|page| page.contains("the key was read")));
    }
}

#[tokio::test]
async fn a_search_shows_and_finds_no_secret_that_only_the_line_before_tells() {
    for log in logs() {
        let server = with_log(&log).await;
        for (pattern, matches) in [
            ("hunter", 0),
            ("RkFL", 0),
            ("value: .redacted:password", 1),
            ("<value>.redacted:password.</value>", 1),
            ("the key was read|the end", 2),
            (".", lines().len()),
        ] {
            for context in [0, 3] {
                let arguments = json!({ "space": "Default", "taskId": TASK, "pattern": pattern,
                    "beforeContext": context, "afterContext": context });
                let found = server.call_as(keys::ADMIN, "grep_task_log", arguments).await;
                hidden(pattern, &found.structured["matches"]);
                assert_eq!(found.structured["totalMatches"], matches, "{pattern}");
            }
        }
    }
}

#[tokio::test]
async fn messages_of_a_task_hide_what_messages_before_them_tell() {
    let sample = Sample::new();
    let octopus = serve(sample.router());
    let url = format!("http://{}/api/Spaces-1/tasks/{TASK}/details", octopus.address);
    let request = client().get(url).header("x-octopus-apikey", keys::ADMIN);
    let mut details = reply(request).await.json();
    let message = |text: &String| json!({ "Category": "Info", "MessageText": text });
    let all = lines();
    // What is shown begins at each of the messages in turn.
    for first in 0..all.len() {
        let more = (0..40 - (all.len() - first)).map(|_| "and so on".to_owned());
        let messages: Vec<Value> = all.iter().cloned().chain(more).map(|it| message(&it)).collect();
        let root = &mut details["ActivityLogs"][0];
        root["Status"] = json!("Failed");
        root["Children"] = json!([]);
        root["LogElements"] = json!(messages);
        let server = TestServer::with(|config| config.limits.caller_rate = 0).await;
        server.sample.faults().add(Fault::on("/details").body(&details.to_string()));
        let arguments = json!({ "space": "Default", "taskId": TASK });
        let found = server.call_as(keys::ADMIN, "get_task_details", arguments).await;
        let shown = &found.structured["failures"][0]["messages"];
        hidden(&format!("from {first}"), shown);
        assert_eq!(shown.as_array().unwrap().len(), 40, "{}", found.text);
        if first < 3 {
            assert!(shown.to_string().contains("value: [redacted:password]"), "{shown}");
        }
        if first == 0 {
            let uri = format!("octopus://spaces/Default/tasks/{TASK}/details");
            let read = server.ask(Era::Modern, "resources/read", json!({ "uri": uri })).await;
            let read = read.json();
            assert!(read.to_string().contains("DB_PASSWORD"), "{read}");
            hidden("the resource", &read);
        }
    }
}

#[tokio::test]
async fn a_line_of_sequences_that_never_end_is_read_as_fast_as_any_other() {
    let line = "\u{90}\u{9d}".repeat(60_000);
    let server = with_log(&format!("one\n{line}two\nthree\n")).await;
    let arguments = json!({ "space": "Default", "taskId": TASK, "pattern": "^two$" });
    let found = server.call_as(keys::ADMIN, "grep_task_log", arguments).await;
    assert_eq!(found.structured["totalMatches"], 1, "{}", found.text);
}
