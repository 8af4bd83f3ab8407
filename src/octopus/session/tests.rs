//! Tests of sessions.

use std::time::Duration;

use super::*;
use crate::{
    compute::{ComputeError, ComputePool, INLINE_BYTES},
    config::Instance,
    octopus::{Answer, AnswerMemory, ReplyBody},
    telemetry::Metrics,
    text::steps,
};

fn client(call_time: Duration) -> Client {
    Client::new(
        "default",
        "http://127.0.0.1:9".parse().unwrap(),
        &Instance::default(),
        &Metrics::default(),
        &ComputePool::new(1, call_time),
        &AnswerMemory::new(1024 * 1024),
    )
    .unwrap()
}

#[test]
fn invented_credentials_share_one_share_of_the_compute_pool() {
    let client = client(Duration::from_secs(1));
    let share = |key: &str, is_configured: bool| {
        let credentials = Credentials::api_key(key).unwrap();
        let credentials = if is_configured { credentials.configured() } else { credentials };
        let caller = Fingerprint::of([key.as_bytes()]);
        let session = Session::new(client.clone(), credentials, caller, None);
        (session.compute().caller(), CallerKey::new(*caller.as_bytes()))
    };
    for key in ["API-INVENTED1", "API-INVENTED2"] {
        assert_eq!(share(key, false).0, CallerKey::UNPROVEN);
    }
    let (known, own) = share("API-CONFIGURED", true);
    assert_eq!(known, own);
}

/// Parses the response to a change with this compute time, and counts the steps on this thread.
fn replied(call_time: Duration, answer: &Answer) -> (Reply, usize) {
    let caller = Fingerprint::of([b"caller".as_slice()]);
    let session = Session::new(client(call_time), Credentials::nobody(), caller, None);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let parsed = || runtime.block_on(session.reply(answer.clone(), "/api/x".to_owned()));
    let (reply, steps) = steps::of(parsed);
    (reply.unwrap(), steps)
}

#[test]
fn large_answer_to_a_change_is_parsed_outside_the_async_worker() {
    for (size, is_inline) in [(INLINE_BYTES, true), (INLINE_BYTES + 1, false)] {
        let text = r#"{"TaskId":"ServerTasks-7"}"#.to_owned();
        let body = text.clone() + &" ".repeat(size - text.len());
        let answer = Answer { content_type: "application/json".to_owned(), body: body.into() };
        let (reply, steps) = replied(Duration::from_mins(1), &answer);
        assert_eq!(steps, if is_inline { size } else { 0 });
        assert_eq!((reply.size, reply.tasks.len()), (size, 1));
        assert!(matches!(reply.body, ReplyBody::Json(_)));
        // Without compute time the result contains the reason instead of an error, because the
        // change is made.
        let (reply, _) = replied(Duration::ZERO, &answer);
        let unread = reply.json::<serde_json::Value>("/api/x").err();
        let spent = Error::Compute(ComputeError::BudgetSpent(Duration::ZERO));
        assert_eq!(unread, (!is_inline).then_some(spent));
    }
}
