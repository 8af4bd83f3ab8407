//! What `execute` changes: after a yes, once, and nothing that was edited meanwhile.

use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use super::{get, open};
use crate::support::{Called, ERAS, Era, TestServer};

/// The preview and the code that a call came to.
fn asked(called: &Called) -> (String, String) {
    assert!(called.is_error, "{called:?}");
    assert_eq!(called.structured["confirmationRequired"], true, "{called:?}");
    let text = |key: &str| called.structured[key].as_str().unwrap().to_owned();
    (text("preview"), text("confirm"))
}

fn with(arguments: &Value, code: &str) -> Value {
    let mut arguments = arguments.clone();
    arguments["confirm"] = json!(code);
    arguments
}

#[tokio::test]
async fn nothing_is_sent_before_a_yes_and_then_once() {
    for era in ERAS {
        let server = open().await;
        let body = json!({ "Name": "Canary", "Description": "a\u{202e}b\nc" });
        let path = "/api/Spaces-1/environments";
        let arguments =
            json!({ "method": "POST", "path": path, "query": { "x": 1 }, "body": body });
        let called = server.call_in(era, keys::ADMIN, "execute", arguments.clone()).await;
        let (preview, code) = asked(&called);
        for line in [
            "Send this to Octopus?",
            "Method: POST",
            "Path: /api/Spaces-1/environments",
            "Query: x=1",
            r#"Body: {"Name":"Canary","Description":"a\u202eb\nc"}"#,
        ] {
            assert!(preview.lines().any(|shown| shown == line), "no {line:?} in {preview:?}");
        }
        assert!(server.sample.changes().is_empty());
        let sent = with(&arguments, &code);
        let done = server.call_in(era, keys::ADMIN, "execute", sent.clone()).await;
        assert!(!done.is_error, "{}", done.text);
        assert_eq!(done.structured["response"]["Name"], "Canary");
        assert_eq!(done.structured["tier"], "write");
        let again = server.call_in(era, keys::ADMIN, "execute", sent).await;
        assert_eq!(again.structured["repeated"], true, "{}", again.text);
        let changes = server.sample.changes();
        assert_eq!(changes.len(), 1);
        assert_eq!((&changes[0].query, &changes[0].body), (&Some("x=1".to_owned()), &Some(body)));
    }
}

#[tokio::test]
async fn what_was_edited_meanwhile_is_not_overwritten_and_what_is_removed_is_named() {
    let server = open().await;
    let path = "/api/Spaces-1/tenants/Tenants-9";
    let read = server.call_as(keys::ADMIN, "execute", get(path)).await.structured;
    let mut document = read["response"].clone();
    let name = document["Name"].as_str().unwrap().to_owned();
    document["Description"] = json!("Mine");
    let put = |document: &Value| json!({ "method": "PUT", "path": path, "body": document });
    let mine = put(&document);
    let (preview, code) = asked(&server.call_as(keys::ADMIN, "execute", mine.clone()).await);
    assert!(preview.contains(&format!("Changes: {name} (Tenants-9)")), "{preview}");
    let remove = json!({ "method": "DELETE", "path": path });
    let (preview, removal) = asked(&server.call_as(keys::ADMIN, "execute", remove.clone()).await);
    assert!(preview.contains("cannot be undone"), "{preview}");
    assert!(preview.contains(&format!("Deletes: {name} (Tenants-9)")), "{preview}");
    // Somebody else is faster.
    document["Description"] = json!("Theirs");
    let theirs = put(&document);
    let (_, theirs_code) = asked(&server.call_as(keys::ADMIN, "execute", theirs.clone()).await);
    let done = server.call_as(keys::ADMIN, "execute", with(&theirs, &theirs_code)).await;
    assert!(!done.is_error, "{}", done.text);
    for (arguments, code) in [(&mine, code), (&remove, removal)] {
        let late = server.call_as(keys::ADMIN, "execute", with(arguments, &code)).await;
        assert!(late.is_error && late.text.contains("something else has changed"), "{}", late.text);
    }
    assert_eq!(server.sample.changes().len(), 1);
    let (_, code) = asked(&server.call_as(keys::ADMIN, "execute", remove.clone()).await);
    let gone = server.call_as(keys::ADMIN, "execute", with(&remove, &code)).await;
    assert_eq!(gone.structured["response"], "", "{}", gone.text);
    assert_eq!(gone.structured["tier"], "delete");
    let again = server.call_as(keys::ADMIN, "execute", remove).await;
    assert!(again.text.contains("there is no resource"), "{}", again.text);
    assert_eq!(server.sample.changes().len(), 2);
}

#[tokio::test]
async fn a_text_goes_out_as_json_and_an_answer_that_is_none_hides_nothing() {
    let sample = Sample::new();
    let server = TestServer::on(sample, |config| config.tools.read_only = false).await;
    let kind = ("Content-Type", "application/octet-stream");
    let fault = Fault::on("/tasks/").method("POST").header(kind.0, kind.1).body("\u{1}\u{2}");
    server.sample.faults().add(fault);
    let path = "/api/tasks/ServerTasks-90203/prioritize";
    let arguments = json!({ "method": "POST", "path": path, "body": "plain" });
    let (preview, code) = asked(&server.call_as(keys::ADMIN, "execute", arguments.clone()).await);
    assert!(preview.contains("(ServerTasks-90203)"), "{preview}");
    assert!(preview.contains("Body: \"plain\""), "{preview}");
    let done = server.call_in(Era::Modern, keys::ADMIN, "execute", with(&arguments, &code)).await;
    let said = done.structured["response"].as_str().unwrap_or_else(|| panic!("{}", done.text));
    assert!(said.contains("2 bytes (application/octet-stream)"), "{said}");
    assert_eq!(server.sample.changes()[0].body, Some(json!("plain")));
}
