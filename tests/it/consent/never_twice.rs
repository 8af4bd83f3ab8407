//! Idempotency: a repeated call is executed once.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{Came, Desk, WAYS, Way, changes};
use crate::support::{Era, soon};

fn with_key(arguments: &Value, key: &str) -> Value {
    let mut arguments = arguments.clone();
    arguments["idempotencyKey"] = json!(key);
    arguments
}

#[tokio::test]
async fn a_key_of_the_caller_names_the_deed() {
    for flow in WAYS {
        for (tool, arguments, ..) in changes() {
            let fixture = Desk::start().await;
            let keyed = with_key(&arguments, "change-17");
            let (_, token) = fixture.call(flow, tool, &keyed).await.asked();
            let first = fixture.agree(flow, tool, &keyed, &token).await.answered();
            // Repeated calls return the stored result, with and without the approval.
            for again in [
                fixture.call(flow, tool, &keyed).await,
                fixture.agree(flow, tool, &keyed, &token).await,
            ] {
                let again = again.answered();
                assert_eq!(again["repeated"], true, "{tool}");
                assert_eq!(again.get("message"), first.get("message"));
            }
            assert_eq!(fixture.changes().len(), 1);
            // The same key with other arguments is an error.
            let mut other = keyed.clone();
            if tool == "execute" {
                other["query"] = json!({ "x": "y" });
            } else {
                other["space"] = json!("Spaces-1 ");
            }
            fixture.call(flow, tool, &other).await.refused("pass a new one");
            let mut empty = keyed.clone();
            empty["idempotencyKey"] = json!("");
            fixture.call(flow, tool, &empty).await.refused("idempotencyKey: expected");
        }
    }
}

#[tokio::test]
async fn keys_of_two_callers_are_two_keys() {
    let mut fixture = Desk::start().await;
    let flow = Way::Code(Era::Legacy);
    let (tool, arguments, ..) = changes().remove(3);
    let keyed = with_key(&arguments, "mine");
    let (_, token) = fixture.call(flow, tool, &keyed).await.asked();
    fixture.agree(flow, tool, &keyed, &token).await.answered();
    fixture.key = keys::DEFAULT_SPACE_ONLY;
    // The key of another caller does not reveal the change of the first caller.
    assert_eq!(fixture.call(flow, tool, &keyed).await.answered()["noOp"], true);
    assert_eq!(fixture.changes().len(), 1);
}

#[tokio::test]
async fn two_calls_at_the_same_moment_are_one_deed() {
    for flow in WAYS {
        let fixture = Desk::start().await;
        let (tool, arguments, ..) = changes().remove(1);
        let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
        let agree = || fixture.agree(flow, tool, &arguments, &token);
        let (one, two, three) = tokio::join!(agree(), agree(), agree());
        let tasks: Vec<Value> = [one, two, three]
            .into_iter()
            .map(|outcome| outcome.answered()["deploymentTasks"].clone())
            .collect();
        assert_eq!(tasks[0], tasks[1]);
        assert_eq!(tasks[0], tasks[2]);
        assert_eq!(fixture.changes().len(), 1);
    }
}

#[tokio::test]
async fn what_octopus_refuses_can_be_tried_again_with_the_same_yes() {
    for flow in WAYS {
        let fixture = Desk::start().await;
        let (tool, arguments, path, _) = changes().remove(0);
        let path = path.split(' ').next_back().unwrap();
        let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
        let refusal = r#"{"ErrorMessage":"The version does not suit.","Errors":[]}"#;
        let fault = Fault::on(path).method("POST").times(1).status(400).body(refusal);
        fixture.server.sample.faults().add(fault);
        fixture.agree(flow, tool, &arguments, &token).await.refused("does not suit");
        fixture.agree(flow, tool, &arguments, &token).await.answered();
        assert_eq!(fixture.changes().len(), 2);
    }
}

/// If Octopus did not respond, the change may have been made, so it is not sent again.
#[tokio::test]
async fn what_may_have_happened_is_not_tried_again() {
    for fault in [
        Fault::on("/create/").method("POST").status(503),
        Fault::on("/create/").method("POST").status(500),
        Fault::on("/create/").method("POST").cut_off(),
        Fault::on("/create/").method("POST").malformed_json(),
    ] {
        let fixture = Desk::start().await;
        let flow = Way::Rounds;
        let (tool, arguments, ..) = changes().remove(1);
        let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
        fixture.server.sample.faults().add(fault.clone());
        let first = fixture.agree(flow, tool, &arguments, &token).await;
        first.refused("it is not known whether the change was made");
        let sent = fixture.changes().len();
        assert_eq!(sent, 1, "{fault:?}: the server does not retry changes");
        fixture
            .agree(flow, tool, &arguments, &token)
            .await
            .refused("it is not known whether the change was made");
        assert_eq!(fixture.changes().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn whoever_may_not_change_things_in_octopus_is_told_by_octopus() {
    let mut fixture = Desk::start().await;
    fixture.key = keys::VIEW_ONLY;
    for (tool, arguments, ..) in changes() {
        let outcome = fixture.call(Way::Rounds, tool, &arguments).await;
        let (_, token) = outcome.asked();
        fixture.agree(Way::Rounds, tool, &arguments, &token).await.refused("lacks a permission");
    }
}

/// A client that times out and repeats the call gets the result of the first call.
#[tokio::test]
async fn a_client_that_gave_up_and_asks_again_does_not_do_it_twice() {
    let fixture = Desk::start().await;
    let flow = Way::Code(Era::Modern);
    let (tool, arguments, ..) = changes().remove(1);
    let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
    let fault = Fault::on("/create/").method("POST").times(1);
    fixture.server.sample.faults().add(fault.delay(std::time::Duration::from_millis(400)));
    {
        let call = fixture.agree(flow, tool, &arguments, &token);
        let sent_to_octopus = soon(async || (!fixture.changes().is_empty()).then_some(()));
        tokio::select! { _ = call => panic!("the delayed call was answered"), () = sent_to_octopus => {} }
    }
    let again = fixture.agree(flow, tool, &arguments, &token).await.answered();
    assert_eq!(again["repeated"], true);
    assert_eq!(fixture.changes().len(), 1);
}

/// Stored responses are limited in total size. The order of eviction is not specified.
#[tokio::test]
async fn a_yes_whose_answer_is_forgotten_does_nothing_again() {
    let (fixture, flow) = (Desk::start().await, Way::Code(Era::Modern));
    let large = format!("{{}}{}", " ".repeat(24 * 1024 * 1024));
    // The parsed form of this JSON would be small, so the response has another media type.
    let fault = Fault::on("/tenants/").method("PUT").header("Content-Type", "text/plain");
    fixture.server.sample.faults().add(fault.body(&large));
    let mut approved = Vec::new();
    for number in 0..4 {
        let arguments = json!({ "method": "PUT", "path": "/api/Spaces-1/tenants/Tenants-5",
            "body": { "Name": format!("Renamed {number}") } });
        let (_, token) = fixture.call(flow, "execute", &arguments).await.asked();
        fixture.agree(flow, "execute", &arguments, &token).await.answered();
        approved.push((arguments, token));
    }
    soon(async || {
        let mut is_evicted = false;
        for (arguments, token) in &approved {
            match fixture.agree(flow, "execute", arguments, token).await {
                Came::Refused(message) => {
                    assert!(message.contains("is not sent again"), "{message}");
                    is_evicted = true;
                }
                outcome => assert_eq!(outcome.answered()["repeated"], true),
            }
        }
        is_evicted.then_some(())
    })
    .await;
    assert_eq!(fixture.changes().len(), approved.len());
}
