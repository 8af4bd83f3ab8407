//! Tests of sessions.

use std::time::Duration;

use super::*;
use crate::{
    compute::{ComputeError, ComputePool, INLINE_BYTES},
    config::InstanceSettings,
    octopus::{
        client::{budget::ResponseMemory, change_request::RawResponse},
        model::change_response::ChangeResponseBody,
    },
    telemetry::Metrics,
    text::step_counter,
};

fn client(call_time: Duration) -> Client {
    Client::new(
        "default",
        "http://127.0.0.1:9".parse().unwrap(),
        &InstanceSettings::default(),
        &Metrics::default(),
        &ComputePool::new(1, call_time),
        &ResponseMemory::new(1024 * 1024),
    )
    .unwrap()
}

#[test]
fn unproven_callers_share_one_compute_queue() {
    let client = client(Duration::from_secs(1));
    let share = |key: &str, is_configured: bool| {
        let credentials = Credentials::api_key(key).unwrap();
        let credentials = if is_configured { credentials.into_configured() } else { credentials };
        let caller = Fingerprint::of([key.as_bytes()]);
        let session = Session::new(client.clone(), credentials, caller, None);
        (session.compute().caller(), CallerKey::new(*caller.as_bytes()))
    };
    for key in ["API-INVENTED1", "API-INVENTED2"] {
        assert_eq!(share(key, false).0, CallerKey::UNVERIFIED);
    }
    let (known, own) = share("API-CONFIGURED", true);
    assert_eq!(known, own);
}

/// Parses the response to a change with this compute time, and counts the steps on this thread.
fn parse_in_session(call_time: Duration, answer: &RawResponse) -> (ChangeResponse, usize) {
    let caller = Fingerprint::of([b"caller".as_slice()]);
    let session = Session::new(client(call_time), Credentials::none(), caller, None);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let parsed =
        || runtime.block_on(session.parse_change_response(answer.clone(), "/api/x".to_owned()));
    let (reply, steps) = step_counter::count(parsed);
    (reply.unwrap(), steps)
}

#[test]
fn large_answer_to_a_change_is_parsed_outside_the_async_worker() {
    for (size, is_inline) in [(INLINE_BYTES, true), (INLINE_BYTES + 1, false)] {
        let text = r#"{"TaskId":"ServerTasks-7"}"#.to_owned();
        let body = text.clone() + &" ".repeat(size - text.len());
        let answer = RawResponse { content_type: "application/json".to_owned(), body: body.into() };
        let (reply, steps) = parse_in_session(Duration::from_mins(1), &answer);
        assert_eq!(steps, if is_inline { size } else { 0 });
        assert_eq!((reply.size, reply.tasks.len()), (size, 1));
        assert!(matches!(reply.body, ChangeResponseBody::Json(_)));
        // Without compute time the result contains the reason instead of an error, because the
        // change is made.
        let (reply, _) = parse_in_session(Duration::ZERO, &answer);
        let unread = reply.json::<serde_json::Value>("/api/x").err();
        let spent = Error::Compute(ComputeError::BudgetSpent(Duration::ZERO));
        assert_eq!(unread, (!is_inline).then_some(spent));
    }
}
