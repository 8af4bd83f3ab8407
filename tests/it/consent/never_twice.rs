//! A call that comes twice is done once, whatever happened in between.

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
    for way in WAYS {
        for (tool, arguments, ..) in changes() {
            let desk = Desk::start().await;
            let keyed = with_key(&arguments, "change-17");
            let (_, sealed) = desk.call(way, tool, &keyed).await.asked();
            let first = desk.agree(way, tool, &keyed, &sealed).await.answered();
            // With and without the yes, it is done already.
            for again in
                [desk.call(way, tool, &keyed).await, desk.agree(way, tool, &keyed, &sealed).await]
            {
                let again = again.answered();
                assert_eq!(again["repeated"], true, "{tool}");
                assert_eq!(again.get("message"), first.get("message"));
            }
            assert_eq!(desk.changes().len(), 1);
            // The key was for that; for anything else it is another caller's mistake.
            let mut other = keyed.clone();
            if tool == "execute" {
                other["query"] = json!({ "x": "y" });
            } else {
                other["space"] = json!("Spaces-1 ");
            }
            desk.call(way, tool, &other).await.refused("give a new one");
            let mut empty = keyed.clone();
            empty["idempotencyKey"] = json!("");
            desk.call(way, tool, &empty).await.refused("idempotencyKey: expected");
        }
    }
}

#[tokio::test]
async fn keys_of_two_callers_are_two_keys() {
    let mut desk = Desk::start().await;
    let way = Way::Code(Era::Legacy);
    let (tool, arguments, ..) = changes().remove(3);
    let keyed = with_key(&arguments, "mine");
    let (_, sealed) = desk.call(way, tool, &keyed).await.asked();
    desk.agree(way, tool, &keyed, &sealed).await.answered();
    desk.key = keys::DEFAULT_SPACE_ONLY;
    // The same key tells this caller nothing of the other's deed.
    assert_eq!(desk.call(way, tool, &keyed).await.answered()["noOp"], true);
    assert_eq!(desk.changes().len(), 1);
}

#[tokio::test]
async fn two_calls_at_the_same_moment_are_one_deed() {
    for way in WAYS {
        let desk = Desk::start().await;
        let (tool, arguments, ..) = changes().remove(1);
        let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
        let agree = || desk.agree(way, tool, &arguments, &sealed);
        let (one, two, three) = tokio::join!(agree(), agree(), agree());
        let tasks: Vec<Value> = [one, two, three]
            .into_iter()
            .map(|came| came.answered()["deploymentTasks"].clone())
            .collect();
        assert_eq!(tasks[0], tasks[1]);
        assert_eq!(tasks[0], tasks[2]);
        assert_eq!(desk.changes().len(), 1);
    }
}

#[tokio::test]
async fn what_octopus_refuses_can_be_tried_again_with_the_same_yes() {
    for way in WAYS {
        let desk = Desk::start().await;
        let (tool, arguments, path, _) = changes().remove(0);
        let path = path.split(' ').next_back().unwrap();
        let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
        let refusal = r#"{"ErrorMessage":"The version does not suit.","Errors":[]}"#;
        let fault = Fault::on(path).method("POST").times(1).status(400).body(refusal);
        desk.server.sample.faults().add(fault);
        desk.agree(way, tool, &arguments, &sealed).await.refused("does not suit");
        desk.agree(way, tool, &arguments, &sealed).await.answered();
        assert_eq!(desk.changes().len(), 2);
    }
}

/// After an answer that never came, nobody knows. It is not sent again, and the caller is told so.
#[tokio::test]
async fn what_may_have_happened_is_not_tried_again() {
    for fault in [
        Fault::on("/create/").method("POST").status(503),
        Fault::on("/create/").method("POST").status(500),
        Fault::on("/create/").method("POST").cut_off(),
        Fault::on("/create/").method("POST").malformed_json(),
    ] {
        let desk = Desk::start().await;
        let way = Way::Rounds;
        let (tool, arguments, ..) = changes().remove(1);
        let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
        desk.server.sample.faults().add(fault.clone());
        let first = desk.agree(way, tool, &arguments, &sealed).await;
        first.refused("");
        let sent = desk.changes().len();
        assert_eq!(sent, 1, "{fault:?}: a change is never sent again by itself");
        desk.agree(way, tool, &arguments, &sealed).await.refused("");
        assert_eq!(desk.changes().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn whoever_may_not_change_things_in_octopus_is_told_by_octopus() {
    let mut desk = Desk::start().await;
    desk.key = keys::VIEW_ONLY;
    for (tool, arguments, ..) in changes() {
        let came = desk.call(Way::Rounds, tool, &arguments).await;
        let (_, sealed) = came.asked();
        desk.agree(Way::Rounds, tool, &arguments, &sealed).await.refused("may not do this");
    }
}

/// A client that stops waiting and asks again finds the deed done, once.
#[tokio::test]
async fn a_client_that_gave_up_and_asks_again_does_not_do_it_twice() {
    let desk = Desk::start().await;
    let way = Way::Code(Era::Modern);
    let (tool, arguments, ..) = changes().remove(1);
    let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
    let slow = Fault::on("/create/").method("POST").times(1);
    desk.server.sample.faults().add(slow.delay(std::time::Duration::from_millis(400)));
    {
        let call = desk.agree(way, tool, &arguments, &sealed);
        let begun = soon(async || (!desk.changes().is_empty()).then_some(()));
        tokio::select! { _ = call => panic!("it was not slow"), () = begun => {} }
    }
    let again = desk.agree(way, tool, &arguments, &sealed).await.answered();
    assert_eq!(again["repeated"], true);
    assert_eq!(desk.changes().len(), 1);
}

/// Answers can be larger than what is kept of all of them together. Which are forgotten then is not
/// said.
#[tokio::test]
async fn a_yes_whose_answer_is_forgotten_does_nothing_again() {
    let (desk, way) = (Desk::start().await, Way::Code(Era::Modern));
    let large = format!("{{}}{}", " ".repeat(24 * 1024 * 1024));
    // Of JSON only what is parsed is kept, and that is small.
    let fault = Fault::on("/tenants/").method("PUT").header("Content-Type", "text/plain");
    desk.server.sample.faults().add(fault.body(&large));
    let mut given = Vec::new();
    for number in 0..4 {
        let arguments = json!({ "method": "PUT", "path": "/api/Spaces-1/tenants/Tenants-5",
            "body": { "Name": format!("Renamed {number}") } });
        let (_, sealed) = desk.call(way, "execute", &arguments).await.asked();
        desk.agree(way, "execute", &arguments, &sealed).await.answered();
        given.push((arguments, sealed));
    }
    soon(async || {
        let mut forgotten = false;
        for (arguments, sealed) in &given {
            match desk.agree(way, "execute", arguments, sealed).await {
                Came::Refused(said) => {
                    assert!(said.contains("it is not sent again"), "{said}");
                    forgotten = true;
                }
                came => assert_eq!(came.answered()["repeated"], true),
            }
        }
        forgotten.then_some(())
    })
    .await;
    assert_eq!(desk.changes().len(), given.len());
}
