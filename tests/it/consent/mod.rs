//! Changes: nothing before a yes, exactly what was shown after it, and nothing twice.

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

/// Whether everything in `part` stands in `whole`.
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
    for way in WAYS {
        for (tool, arguments, sends, body) in changes() {
            let desk = Desk::start().await;
            let (words, sealed) = desk.call(way, tool, &arguments).await.asked();
            assert_eq!(desk.changes(), [], "{tool} before a yes, {way:?}");
            assert!(words.lines().count() > 3, "{words}");

            let answer = desk.agree(way, tool, &arguments, &sealed).await.answered();
            assert_eq!(answer["success"], true, "{tool}: {answer}");
            assert_eq!(answer.get("repeated"), None, "{tool}");
            let sent = desk.changes();
            let [sent] = sent.as_slice() else { panic!("{tool}: {sent:#?}") };
            assert_eq!(format!("{} {}", sent.method, sent.path), sends);
            let none = json!({});
            let sent_body = sent.body.as_ref().unwrap_or(&none);
            assert!(holds(sent_body, &body), "{tool}: {:#?}", sent.body);
            assert!(sent.status.unwrap() < 300, "{tool}: {sent:#?}");

            let again = desk.agree(way, tool, &arguments, &sealed).await.answered();
            assert_eq!(again["repeated"], true, "{tool}: {again}");
            assert_eq!(desk.changes().len(), 1, "{tool} twice, {way:?}");
            for key in ["releaseId", "deploymentTasks", "slug", "runbookRunTasks", "response"] {
                assert_eq!(answer.get(key), again.get(key), "{tool}");
            }
        }
    }
}

#[tokio::test]
async fn a_no_changes_nothing_and_is_told_apart_from_no_answer() {
    let desk = Desk::start().await;
    for (tool, arguments, ..) in changes() {
        for (action, reason) in [("decline", "declined"), ("cancel", "cancelled")] {
            let (_, sealed) = desk.call(Way::Rounds, tool, &arguments).await.asked();
            let came = desk.answer(Way::Rounds, tool, &arguments, &sealed, action).await;
            came.refused(&format!("\\\"reason\\\":\\\"{reason}\\\""));
        }
        // An answer that does not read is none: the question comes again.
        let (_, sealed) = desk.call(Way::Rounds, tool, &arguments).await.asked();
        desk.answer(Way::Rounds, tool, &arguments, &sealed, "sure").await.asked();
    }
    assert_eq!(desk.changes(), []);
}

#[tokio::test]
async fn while_the_server_only_reads_there_are_no_such_tools() {
    let server = TestServer::start().await;
    for (tool, arguments, ..) in changes() {
        for era in crate::support::ERAS {
            let params = json!({ "name": tool, "arguments": arguments });
            let reply = server.ask(era, "tools/call", params).await;
            // This one reads as well, so it is there.
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
