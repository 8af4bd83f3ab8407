//! Idempotency: a repeated call is executed once.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{APPROVAL_FLOWS, ApprovalFixture, ApprovalFlow, CallOutcome, write_calls};
use crate::support::{Era, wait_until_some};

fn with_key(arguments: &Value, key: &str) -> Value {
    let mut arguments = arguments.clone();
    arguments["idempotencyKey"] = json!(key);
    arguments
}

#[tokio::test]
async fn idempotency_key_identifies_the_change() {
    for flow in APPROVAL_FLOWS {
        for (tool, arguments, ..) in write_calls() {
            let fixture = ApprovalFixture::start().await;
            let keyed = with_key(&arguments, "change-17");
            let (_, token) = fixture.call(flow, tool, &keyed).await.expect_approval_request();
            let first = fixture.approve(flow, tool, &keyed, &token).await.expect_result();
            // Repeated calls return the stored result, with and without the approval.
            for again in [
                fixture.call(flow, tool, &keyed).await,
                fixture.approve(flow, tool, &keyed, &token).await,
            ] {
                let again = again.expect_result();
                assert_eq!(again["repeated"], true, "{tool}");
                assert_eq!(again.get("message"), first.get("message"));
            }
            assert_eq!(fixture.sent_changes().len(), 1);
            // The same key with other arguments is an error.
            let mut other = keyed.clone();
            if tool == "execute" {
                other["query"] = json!({ "x": "y" });
            } else {
                other["space"] = json!("Spaces-1 ");
            }
            fixture.call(flow, tool, &other).await.expect_error("pass a new one");
            let mut empty = keyed.clone();
            empty["idempotencyKey"] = json!("");
            fixture.call(flow, tool, &empty).await.expect_error("idempotencyKey: expected");
        }
    }
}

#[tokio::test]
async fn idempotency_keys_are_separate_per_caller() {
    let mut fixture = ApprovalFixture::start().await;
    let flow = ApprovalFlow::ConfirmCode(Era::Legacy);
    let (tool, arguments, ..) = write_calls().remove(3);
    let keyed = with_key(&arguments, "mine");
    let (_, token) = fixture.call(flow, tool, &keyed).await.expect_approval_request();
    fixture.approve(flow, tool, &keyed, &token).await.expect_result();
    fixture.key = keys::DEFAULT_SPACE_ONLY;
    // The key of another caller does not reveal the change of the first caller.
    assert_eq!(fixture.call(flow, tool, &keyed).await.expect_result()["noOp"], true);
    assert_eq!(fixture.sent_changes().len(), 1);
}

#[tokio::test]
async fn concurrent_approvals_with_one_token_send_one_change() {
    for flow in APPROVAL_FLOWS {
        let fixture = ApprovalFixture::start().await;
        let (tool, arguments, ..) = write_calls().remove(1);
        let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
        let approve = || fixture.approve(flow, tool, &arguments, &token);
        let (one, two, three) = tokio::join!(approve(), approve(), approve());
        let tasks: Vec<Value> = [one, two, three]
            .into_iter()
            .map(|outcome| outcome.expect_result()["deploymentTasks"].clone())
            .collect();
        assert_eq!(tasks[0], tasks[1]);
        assert_eq!(tasks[0], tasks[2]);
        assert_eq!(fixture.sent_changes().len(), 1);
    }
}

#[tokio::test]
async fn rejected_change_can_be_retried_with_same_approval() {
    for flow in APPROVAL_FLOWS {
        let fixture = ApprovalFixture::start().await;
        let (tool, arguments, path, _) = write_calls().remove(0);
        let path = path.split(' ').next_back().unwrap();
        let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
        let refusal = r#"{"ErrorMessage":"The version does not suit.","Errors":[]}"#;
        let fault = Fault::on(path).method("POST").times(1).status(400).body(refusal);
        fixture.server.sample.faults().add(fault);
        fixture.approve(flow, tool, &arguments, &token).await.expect_error("does not suit");
        fixture.approve(flow, tool, &arguments, &token).await.expect_result();
        assert_eq!(fixture.sent_changes().len(), 2);
    }
}

/// If Octopus did not respond, the change may have been made, so it is not sent again.
#[tokio::test]
async fn uncertain_change_is_not_sent_again() {
    for fault in [
        Fault::on("/create/").method("POST").status(503),
        Fault::on("/create/").method("POST").status(500),
        Fault::on("/create/").method("POST").cut_off(),
        Fault::on("/create/").method("POST").malformed_json(),
    ] {
        let fixture = ApprovalFixture::start().await;
        let flow = ApprovalFlow::InputRequired;
        let (tool, arguments, ..) = write_calls().remove(1);
        let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
        fixture.server.sample.faults().add(fault.clone());
        let first = fixture.approve(flow, tool, &arguments, &token).await;
        first.expect_error("it is not known whether the change was made");
        let sent = fixture.sent_changes().len();
        assert_eq!(sent, 1, "{fault:?}: the server does not retry changes");
        fixture
            .approve(flow, tool, &arguments, &token)
            .await
            .expect_error("it is not known whether the change was made");
        assert_eq!(fixture.sent_changes().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn missing_octopus_permission_fails_the_approved_change() {
    let mut fixture = ApprovalFixture::start().await;
    fixture.key = keys::VIEW_ONLY;
    for (tool, arguments, ..) in write_calls() {
        let outcome = fixture.call(ApprovalFlow::InputRequired, tool, &arguments).await;
        let (_, token) = outcome.expect_approval_request();
        fixture
            .approve(ApprovalFlow::InputRequired, tool, &arguments, &token)
            .await
            .expect_error("lacks a permission");
    }
}

/// A client that times out and repeats the call gets the result of the first call.
#[tokio::test]
async fn retry_after_client_timeout_does_not_repeat_the_change() {
    let fixture = ApprovalFixture::start().await;
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    let (tool, arguments, ..) = write_calls().remove(1);
    let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
    let fault = Fault::on("/create/").method("POST").times(1);
    fixture.server.sample.faults().add(fault.delay(std::time::Duration::from_millis(400)));
    {
        let call = fixture.approve(flow, tool, &arguments, &token);
        let sent_to_octopus =
            wait_until_some(async || (!fixture.sent_changes().is_empty()).then_some(()));
        tokio::select! { _ = call => panic!("the delayed call was answered"), () = sent_to_octopus => {} }
    }
    let again = fixture.approve(flow, tool, &arguments, &token).await.expect_result();
    assert_eq!(again["repeated"], true);
    assert_eq!(fixture.sent_changes().len(), 1);
}

/// Stored responses are limited in total size. The order of eviction is not specified.
#[tokio::test]
async fn approval_with_evicted_response_sends_nothing() {
    let (fixture, flow) = (ApprovalFixture::start().await, ApprovalFlow::ConfirmCode(Era::Modern));
    let large = format!("{{}}{}", " ".repeat(24 * 1024 * 1024));
    // The parsed form of this JSON would be small, so the response has another media type.
    let fault = Fault::on("/tenants/").method("PUT").header("Content-Type", "text/plain");
    fixture.server.sample.faults().add(fault.body(&large));
    let mut approved = Vec::new();
    for number in 0..4 {
        let arguments = json!({ "method": "PUT", "path": "/api/Spaces-1/tenants/Tenants-5",
            "body": { "Name": format!("Renamed {number}") } });
        let (_, token) = fixture.call(flow, "execute", &arguments).await.expect_approval_request();
        fixture.approve(flow, "execute", &arguments, &token).await.expect_result();
        approved.push((arguments, token));
    }
    wait_until_some(async || {
        let mut is_evicted = false;
        for (arguments, token) in &approved {
            match fixture.approve(flow, "execute", arguments, token).await {
                CallOutcome::Failed(message) => {
                    assert!(message.contains("is not sent again"), "{message}");
                    is_evicted = true;
                }
                outcome => assert_eq!(outcome.expect_result()["repeated"], true),
            }
        }
        is_evicted.then_some(())
    })
    .await;
    assert_eq!(fixture.sent_changes().len(), approved.len());
}
