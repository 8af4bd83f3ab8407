//! Secrets in other spellings: after Unicode spaces, encoded, on the next line, wrapped, and in
//! command arguments. No tool returns them, and searches do not find them.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::multi_line_secrets::{TASK, server_with_log};
use crate::support::{Era, TestServer};

/// Returns lines with secrets, which contain `hunter` or `fa4e0`, and some ordinary values.
fn secret_lines() -> Vec<String> {
    let token = concat!("gh", "p_hunter2aFAKEfake0");
    let text = format!(
        "db password\u{a0}:\u{2003}hunter2-a1\n\
         пароль：hunter2-b1\n\
         GET /login?user%3Dapp%26password%3Dhunter2-c1 HTTP/1.1\n\
         POST body: password%253A%2520hunter2-d1\n\
         Enter the db password:\n\
         \u{20} hunter2-e1\n\
         - --password\n\
         - hunter2-f1\n\
         {} {token}\n\
         hunter2aFAKEfake1FAKEfake2, and more\n\
         user=app pass=hunter2-g1 retries=3\n\
         mstsc /v:web.example /user:app /pass:hunter2-h1\n\
         net user deploy hunter2-i1 /add\n\
         htpasswd -b /etc/nginx/htpasswd app hunter2-j1\n\
         db.example:5432:orders:app:hunter2-k1\n\
         bindpw hunter2-l1\n\
         Passwort: hunter2-m1\n\
         Credentials: app / hunter2-n1\n\
         validationKey=\"fa4e0fa4e1fa4e2fa4e3fa4e4fa4e5fa4e6fa4e7\"\n\
         user=ci pass=214 fail=0, public key token: b77a5c561934e089\n\
         Passwort: vergessen?",
        "-".repeat(80 - token.len() - 1),
    );
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_secrets_hidden(label: &str, shown: &Value) {
    let text = shown.to_string();
    assert!(!text.contains("hunter") && !text.contains("fa4e0"), "{label}: {text}");
    for ordinary in ["b77a5c561934e089", "pass=214", "vergessen?"] {
        assert!(text.contains(ordinary), "{label}: {text}");
    }
}

#[tokio::test]
async fn log_pages_hide_secrets_in_other_spellings() {
    let server = server_with_log(&secret_lines().join("\r\n")).await;
    let arguments = json!({ "space": "Default", "taskId": TASK });
    let page = server.call_as(keys::ADMIN, "get_task_raw", arguments).await;
    assert_secrets_hidden("the page", &page.structured);
    for line in 1..=secret_lines().len() {
        let arguments = json!({ "space": "Default", "taskId": TASK, "fromLine": line });
        let page = server.call_as(keys::ADMIN, "get_task_raw", arguments).await;
        assert!(!page.structured.to_string().contains("hunter"), "from {line}: {}", page.text);
    }
}

#[tokio::test]
async fn search_does_not_find_secrets_in_other_spellings() {
    let server = server_with_log(&secret_lines().join("\r\n")).await;
    for (pattern, matches) in [
        ("hunter", 0),
        ("fa4e0", 0),
        ("redacted:", 17),
        ("public key token: b77a5c561934e089", 1),
        (".", secret_lines().len()),
    ] {
        let arguments = json!({ "space": "Default", "taskId": TASK, "pattern": pattern });
        let result = server.call_as(keys::ADMIN, "grep_task_log", arguments).await;
        assert_eq!(result.structured["totalMatches"], matches, "{pattern}: {}", result.text);
        assert!(!result.structured["matches"].to_string().contains("hunter"), "{}", result.text);
    }
}

/// Returns a document that marks values as sensitive in each form that Octopus uses.
fn sensitive_document() -> Value {
    json!({
        "Id": TASK, "SpaceId": "Spaces-1", "Name": "Deploy", "State": "Success",
        "Variables": [
            { "Name": "Db.Word", "Value": "correct-horse", "IsSensitive": true },
            { "Name": "Db.Pin", "Value": "correct-horse", "Type": "Sensitive" },
            { "Name": "Db.Host", "Value": "db01", "IsSensitive": false },
        ],
        "Properties": { "Word": { "HasValue": true, "NewValue": "correct-horse", "Hint": null } },
    })
}

#[tokio::test]
async fn raw_documents_hide_sensitive_values() {
    let server = TestServer::start().await;
    let answer = |path: &str| Fault::on(path).body(&sensitive_document().to_string());
    server.sample.faults().add(answer("/variables/"));
    server.sample.faults().add(answer(TASK));
    let path = "/api/Spaces-1/variables/variableset-Projects-1";
    let arguments = json!({ "method": "GET", "path": path });
    let executed = server.call_as(keys::ADMIN, "execute", arguments).await;
    let uri = format!("octopus://spaces/Default/tasks/{TASK}");
    let arguments = json!({ "uri": uri });
    let called = server.call_as(keys::ADMIN, "read_resource", arguments.clone()).await;
    let read = server.rpc(Era::Modern, "resources/read", arguments).await;
    for (label, text) in [("execute", executed.text), ("a tool", called.text), ("read", read.text)]
    {
        assert!(text.contains("db01"), "{label}: {text}");
        assert!(!text.contains("correct-horse"), "{label}: {text}");
        assert_eq!(text.matches("[redacted:sensitive-value]").count() % 3, 0, "{label}: {text}");
    }
}
