//! Approval of changes: nothing is sent before the approval, exactly the previewed request after
//! it, and nothing twice.

mod approval_binding;
mod change_log;
mod create_commands;
mod drift;
mod duplicate_approvals;
mod errors_after_change;
mod expired_credential;
mod fixture;
mod freezes;
mod idempotency;
mod invalid_arguments;
mod lifecycles;
mod preview_facts;
mod previews;
mod runbook_runs;
mod write_calls;

use serde_json::{Value, json};

pub use self::{
    fixture::{APPROVAL_FLOWS, ApprovalFixture, ApprovalFlow, CallOutcome, parse_outcome},
    write_calls::write_calls,
};
use crate::support::TestServer;

/// Returns whether `whole` contains all fields of `part`, recursively.
pub fn contains_json(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, value)| whole.get(key).is_some_and(|own| contains_json(own, value))),
        (whole, part) => whole == part,
    }
}

#[tokio::test]
async fn sends_exactly_the_approved_change_once() {
    for flow in APPROVAL_FLOWS {
        for (tool, arguments, request, body) in write_calls() {
            let fixture = ApprovalFixture::start().await;
            let (preview, token) =
                fixture.call(flow, tool, &arguments).await.expect_approval_request();
            assert_eq!(fixture.sent_changes(), [], "{tool} before the approval, {flow:?}");
            let (title, details) = preview.split_once("?\n").unwrap();
            assert!(!title.contains('\n'), "{preview}");
            let field = if tool == "execute" { "Path" } else { "Space" };
            assert!(details.contains(&format!("\n{field}: ")), "{preview}");

            let answer = fixture.approve(flow, tool, &arguments, &token).await.expect_result();
            assert_eq!(answer["success"], true, "{tool}: {answer}");
            assert_eq!(answer.get("repeated"), None, "{tool}");
            let sent = fixture.sent_changes();
            let [sent] = sent.as_slice() else { panic!("{tool}: {sent:#?}") };
            assert_eq!(format!("{} {}", sent.method, sent.path), request);
            let none = json!({});
            let sent_body = sent.body.as_ref().unwrap_or(&none);
            assert!(contains_json(sent_body, &body), "{tool}: {:#?}", sent.body);
            assert!(sent.status.unwrap() < 300, "{tool}: {sent:#?}");

            let repeated = fixture.approve(flow, tool, &arguments, &token).await.expect_result();
            assert_eq!(repeated["repeated"], true, "{tool}: {repeated}");
            assert_eq!(fixture.sent_changes().len(), 1, "{tool} twice, {flow:?}");
            for key in ["releaseId", "deploymentTasks", "slug", "runbookRunTasks", "response"] {
                assert_eq!(answer.get(key), repeated.get(key), "{tool}");
            }
        }
    }
}

#[tokio::test]
async fn decline_and_cancel_send_nothing_and_differ_in_the_error() {
    let fixture = ApprovalFixture::start().await;
    for (tool, arguments, ..) in write_calls() {
        for (action, reason) in [("decline", "declined"), ("cancel", "cancelled")] {
            let (_, token) = fixture
                .call(ApprovalFlow::InputRequired, tool, &arguments)
                .await
                .expect_approval_request();
            let outcome = fixture
                .respond(ApprovalFlow::InputRequired, tool, &arguments, &token, action)
                .await;
            outcome.expect_error(&format!("\\\"reason\\\":\\\"{reason}\\\""));
        }
        // An unknown action is treated as no response, so the approval is requested again.
        let (_, token) = fixture
            .call(ApprovalFlow::InputRequired, tool, &arguments)
            .await
            .expect_approval_request();
        fixture
            .respond(ApprovalFlow::InputRequired, tool, &arguments, &token, "sure")
            .await
            .expect_approval_request();
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn read_only_server_hides_write_tools() {
    let server = TestServer::start().await;
    for (tool, arguments, ..) in write_calls() {
        for era in crate::support::ERAS {
            let params = json!({ "name": tool, "arguments": arguments });
            let reply = server.rpc(era, "tools/call", params).await;
            // `execute` also reads, so it is listed.
            if tool == "execute" {
                assert!(reply.text.contains("does not allow tools that change things"), "{tool}");
                continue;
            }
            assert_eq!(reply.error_code(), -32602, "{tool}");
            assert!(reply.error_message().contains("unknown tool"), "{tool}");
        }
    }
    assert_eq!(server.sample.changes(), []);
}
