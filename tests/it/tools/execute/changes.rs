//! Changes through `execute`: sent once, after approval, and rejected if the document was edited
//! meanwhile.

use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use super::{get, writable_server};
use crate::support::{CallResult, ERAS, Era, TestServer};

/// Returns the preview and the approval code of a call that needs approval.
fn preview_and_code(called: &CallResult) -> (String, String) {
    assert!(called.is_error, "{called:?}");
    assert_eq!(called.structured["confirmationRequired"], true, "{called:?}");
    let text = |key: &str| called.structured[key].as_str().unwrap().to_owned();
    (text("preview"), text("confirm"))
}

fn with_code(arguments: &Value, code: &str) -> Value {
    let mut arguments = arguments.clone();
    arguments["confirm"] = json!(code);
    arguments
}

#[tokio::test]
async fn sends_the_change_once_after_approval() {
    for era in ERAS {
        let server = writable_server().await;
        // The preview shows any parameter, and Octopus ignores those that it does not know.
        server.sample.refuse_unknown(false);
        let body = json!({ "Name": "Canary", "Description": "a\u{202e}b\nc" });
        let path = "/api/Spaces-1/environments";
        let arguments =
            json!({ "method": "POST", "path": path, "query": { "x": 1 }, "body": body });
        let called = server.call_in(era, keys::ADMIN, "execute", arguments.clone()).await;
        let (preview, code) = preview_and_code(&called);
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
        let sent = with_code(&arguments, &code);
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
async fn stale_changes_are_rejected_and_delete_preview_shows_name() {
    let server = writable_server().await;
    let path = "/api/Spaces-1/tenants/Tenants-9";
    let read = server.call_as(keys::ADMIN, "execute", get(path)).await.structured;
    let mut document = read["response"].clone();
    let name = document["Name"].as_str().unwrap().to_owned();
    document["Description"] = json!("Mine");
    let put = |document: &Value| json!({ "method": "PUT", "path": path, "body": document });
    let first_change = put(&document);
    let (preview, code) =
        preview_and_code(&server.call_as(keys::ADMIN, "execute", first_change.clone()).await);
    assert!(preview.contains(&format!("Changes: {name} (Tenants-9)")), "{preview}");
    let remove = json!({ "method": "DELETE", "path": path });
    let (preview, removal) =
        preview_and_code(&server.call_as(keys::ADMIN, "execute", remove.clone()).await);
    assert!(preview.contains("cannot be undone"), "{preview}");
    assert!(preview.contains(&format!("Deletes: {name} (Tenants-9)")), "{preview}");
    // Another user edits the document before the approval.
    document["Description"] = json!("Theirs");
    let second_change = put(&document);
    let (_, second_code) =
        preview_and_code(&server.call_as(keys::ADMIN, "execute", second_change.clone()).await);
    let done =
        server.call_as(keys::ADMIN, "execute", with_code(&second_change, &second_code)).await;
    assert!(!done.is_error, "{}", done.text);
    for (arguments, code) in [(&first_change, code), (&remove, removal)] {
        let stale = server.call_as(keys::ADMIN, "execute", with_code(arguments, &code)).await;
        assert!(
            stale.is_error && stale.text.contains("the state differs from the approved preview"),
            "{}",
            stale.text
        );
    }
    assert_eq!(server.sample.changes().len(), 1);
    let (_, code) = preview_and_code(&server.call_as(keys::ADMIN, "execute", remove.clone()).await);
    let deleted = server.call_as(keys::ADMIN, "execute", with_code(&remove, &code)).await;
    assert_eq!(deleted.structured["response"], "", "{}", deleted.text);
    assert_eq!(deleted.structured["tier"], "delete");
    let again = server.call_as(keys::ADMIN, "execute", remove).await;
    assert!(again.text.contains(&format!("resource '{path}' not found")), "{}", again.text);
    assert_eq!(server.sample.changes().len(), 2);
}

#[tokio::test]
async fn sends_text_bodies_as_json_and_returns_text_answers() {
    let sample = Sample::new();
    let server = TestServer::with_sample(sample, |config| config.tools.read_only = false).await;
    let kind = ("Content-Type", "application/octet-stream");
    let fault = Fault::on("/tasks/").method("POST").header(kind.0, kind.1).body("\u{1}\u{2}");
    server.sample.faults().add(fault);
    let path = "/api/tasks/ServerTasks-90203/prioritize";
    let arguments = json!({ "method": "POST", "path": path, "body": "plain" });
    let (preview, code) =
        preview_and_code(&server.call_as(keys::ADMIN, "execute", arguments.clone()).await);
    assert!(preview.contains("(ServerTasks-90203)"), "{preview}");
    assert!(preview.contains("Body: \"plain\""), "{preview}");
    let done =
        server.call_in(Era::Modern, keys::ADMIN, "execute", with_code(&arguments, &code)).await;
    let message = done.structured["response"].as_str().unwrap_or_else(|| panic!("{}", done.text));
    assert!(message.contains("2 bytes (application/octet-stream)"), "{message}");
    assert_eq!(server.sample.changes()[0].body, Some(json!("plain")));
}
