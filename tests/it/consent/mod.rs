//! Approval of changes: nothing is sent before the approval, exactly the previewed request after it, and
//! nothing twice.

mod afterwards;
mod calls;
mod codes;
mod desk;
mod drift;
mod expired;
mod never_twice;
mod trace;
mod twice_approved;
mod words;
mod wrong;

use serde_json::{Value, json};

pub use self::{
    calls::changes,
    desk::{Came, Desk, WAYS, Way, read},
};
use crate::support::TestServer;

/// Returns whether `whole` contains all fields of `part`, recursively.
pub fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|own| holds(own, value)))
        }
        (whole, part) => whole == part,
    }
}

#[tokio::test]
async fn nothing_happens_before_a_yes_and_exactly_what_was_shown_after_it_and_nothing_twice() {
    for flow in WAYS {
        for (tool, arguments, request, body) in changes() {
            let fixture = Desk::start().await;
            let (preview, token) = fixture.call(flow, tool, &arguments).await.asked();
            assert_eq!(fixture.changes(), [], "{tool} before the approval, {flow:?}");
            let (question, details) = preview.split_once("?\n").unwrap();
            assert!(!question.contains('\n'), "{preview}");
            let field = if tool == "execute" { "Path" } else { "Space" };
            assert!(details.contains(&format!("\n{field}: ")), "{preview}");

            let answer = fixture.agree(flow, tool, &arguments, &token).await.answered();
            assert_eq!(answer["success"], true, "{tool}: {answer}");
            assert_eq!(answer.get("repeated"), None, "{tool}");
            let sent = fixture.changes();
            let [sent] = sent.as_slice() else { panic!("{tool}: {sent:#?}") };
            assert_eq!(format!("{} {}", sent.method, sent.path), request);
            let none = json!({});
            let sent_body = sent.body.as_ref().unwrap_or(&none);
            assert!(holds(sent_body, &body), "{tool}: {:#?}", sent.body);
            assert!(sent.status.unwrap() < 300, "{tool}: {sent:#?}");

            let repeated = fixture.agree(flow, tool, &arguments, &token).await.answered();
            assert_eq!(repeated["repeated"], true, "{tool}: {repeated}");
            assert_eq!(fixture.changes().len(), 1, "{tool} twice, {flow:?}");
            for key in ["releaseId", "deploymentTasks", "slug", "runbookRunTasks", "response"] {
                assert_eq!(answer.get(key), repeated.get(key), "{tool}");
            }
        }
    }
}

#[tokio::test]
async fn a_no_changes_nothing_and_is_told_apart_from_no_answer() {
    let fixture = Desk::start().await;
    for (tool, arguments, ..) in changes() {
        for (action, reason) in [("decline", "declined"), ("cancel", "cancelled")] {
            let (_, token) = fixture.call(Way::Rounds, tool, &arguments).await.asked();
            let outcome = fixture.answer(Way::Rounds, tool, &arguments, &token, action).await;
            outcome.refused(&format!("\\\"reason\\\":\\\"{reason}\\\""));
        }
        // An unknown action counts as no response, so the approval is requested again.
        let (_, token) = fixture.call(Way::Rounds, tool, &arguments).await.asked();
        fixture.answer(Way::Rounds, tool, &arguments, &token, "sure").await.asked();
    }
    assert_eq!(fixture.changes(), []);
}

#[tokio::test]
async fn while_the_server_only_reads_there_are_no_such_tools() {
    let server = TestServer::start().await;
    for (tool, arguments, ..) in changes() {
        for era in crate::support::ERAS {
            let params = json!({ "name": tool, "arguments": arguments });
            let reply = server.ask(era, "tools/call", params).await;
            // `execute` also reads, so it is listed.
            if tool == "execute" {
                assert!(reply.text.contains("does not allow tools that change things"), "{tool}");
                continue;
            }
            assert_eq!(reply.code(), -32602, "{tool}");
            assert!(reply.message().contains("unknown tool"), "{tool}");
        }
    }
    assert_eq!(server.sample.changes(), []);
}
