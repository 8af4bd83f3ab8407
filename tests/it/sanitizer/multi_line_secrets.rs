//! Secrets that span several lines are redacted in every excerpt of the text.

use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::support::{Era, TestServer, client, send, serve};

pub(super) const TASK: &str = "ServerTasks-90004";
const KEY_LINE: &str = "RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U";

/// Returns lines of a manifest, a configuration file and two private keys, with four secrets.
fn secret_lines() -> Vec<String> {
    let text = format!(
        "env:\n\
         - name: DB_PASSWORD\n\
         \u{20} value: hunter2-x1y2z3\n\
         <setting name=\"ApiPassword\" serializeAs=\"String\">\n\
         \u{20} <value>hunter3-x1y2z3</value>\n\
         </setting>\n\
         Private-Lines: 2\n{KEY_LINE}\n{KEY_LINE}\n\
         the key was read\n\
         -----BEGIN RSA PRIVATE KEY-----\n\
         Proc-Type: 4,ENCRYPTED\n\
         {KEY_LINE}\n{KEY_LINE}\nRkFLRQ==\n\
         -----END RSA PRIVATE KEY-----\n\
         the end"
    );
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_secrets_hidden(label: &str, shown: &Value) {
    let text = shown.to_string();
    for secret in ["hunter2", "hunter3", "RkFL"] {
        assert!(!text.contains(secret), "{label}: {text}");
    }
}

pub(super) async fn server_with_log(log: &str) -> TestServer {
    let server = TestServer::with(|config| config.limits.caller_rate = 0).await;
    let fault = Fault::on("/raw").header("Content-Type", "text/plain").body(log);
    server.sample.faults().add(fault);
    server
}

/// Returns the log without prefixes, and with the time and level that Octopus adds to each line.
fn log_variants() -> [String; 2] {
    let prefix = "08:10:02   Info     |   ";
    let logged = format!("{prefix}{}\r\n", secret_lines().join(&format!("\r\n{prefix}")));
    [secret_lines().join("\n"), logged]
}

#[tokio::test]
async fn log_pages_hide_multi_line_secrets() {
    for log in log_variants() {
        let server = server_with_log(&log).await;
        let mut shown = Vec::new();
        for line in 1..=secret_lines().len() {
            for part in ["fromLine", "beforeLine"] {
                let mut arguments = json!({ "space": "Default", "taskId": TASK });
                arguments[part] = json!(line + usize::from(part == "beforeLine"));
                let page = server.call_as(keys::ADMIN, "get_task_raw", arguments).await;
                assert_secrets_hidden(&format!("{part} {line}"), &page.structured);
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
async fn search_does_not_find_multi_line_secrets() {
    for log in log_variants() {
        let server = server_with_log(&log).await;
        for (pattern, matches) in [
            ("hunter", 0),
            ("RkFL", 0),
            ("value: .redacted:password", 1),
            ("<value>.redacted:password.</value>", 1),
            ("the key was read|the end", 2),
            (".", secret_lines().len()),
        ] {
            for context in [0, 3] {
                let arguments = json!({ "space": "Default", "taskId": TASK, "pattern": pattern,
                    "beforeContext": context, "afterContext": context });
                let result = server.call_as(keys::ADMIN, "grep_task_log", arguments).await;
                assert_secrets_hidden(pattern, &result.structured["matches"]);
                assert_eq!(result.structured["totalMatches"], matches, "{pattern}");
            }
        }
    }
}

#[tokio::test]
async fn task_messages_hide_multi_line_secrets() {
    let sample = Sample::new();
    let octopus = serve(sample.router());
    let url = format!("http://{}/api/Spaces-1/tasks/{TASK}/details", octopus.address);
    let request = client().get(url).header("x-octopus-apikey", keys::ADMIN);
    let mut details = send(request).await.json();
    let message = |text: &String| json!({ "Category": "Info", "MessageText": text });
    let lines_of_log = secret_lines();
    // The excerpt starts at each message in turn.
    for first in 0..lines_of_log.len() {
        let padding = (0..40 - (lines_of_log.len() - first)).map(|_| "and so on".to_owned());
        let messages: Vec<Value> =
            lines_of_log.iter().cloned().chain(padding).map(|it| message(&it)).collect();
        let root = &mut details["ActivityLogs"][0];
        root["Status"] = json!("Failed");
        root["Children"] = json!([]);
        root["LogElements"] = json!(messages);
        let server = TestServer::with(|config| config.limits.caller_rate = 0).await;
        server.sample.faults().add(Fault::on("/details").body(&details.to_string()));
        let arguments = json!({ "space": "Default", "taskId": TASK });
        let result = server.call_as(keys::ADMIN, "get_task_details", arguments).await;
        let shown = &result.structured["failures"][0]["messages"];
        assert_secrets_hidden(&format!("from {first}"), shown);
        assert_eq!(shown.as_array().unwrap().len(), 40, "{}", result.text);
        if first < 3 {
            assert!(shown.to_string().contains("value: [redacted:password]"), "{shown}");
        }
        if first == 0 {
            let uri = format!("octopus://spaces/Default/tasks/{TASK}/details");
            let read = server.rpc(Era::Modern, "resources/read", json!({ "uri": uri })).await;
            let read = read.json();
            assert!(read.to_string().contains("DB_PASSWORD"), "{read}");
            assert_secrets_hidden("the resource", &read);
        }
    }
}

#[tokio::test]
async fn unterminated_terminal_sequences_are_searched_in_linear_time() {
    let line = "\u{90}\u{9d}".repeat(60_000);
    let server = server_with_log(&format!("one\n{line}two\nthree\n")).await;
    let arguments = json!({ "space": "Default", "taskId": TASK, "pattern": "^two$" });
    let result = server.call_as(keys::ADMIN, "grep_task_log", arguments).await;
    assert_eq!(result.structured["totalMatches"], 1, "{}", result.text);
}
