//! Time windows of rules, with a manual clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use octopus_mcp::policy::PolicyClock;
use serde_json::json;

use super::{APPROVAL_FLOWS, deploy_arguments, set_rules};
use crate::approval::{ApprovalFixture, CallOutcome};

const DEPLOY: &str = "deploy_release";

/// Returns a clock and a function that sets it.
fn manual_clock() -> (PolicyClock, impl Fn(&str)) {
    let second = Arc::new(AtomicI64::new(0));
    let told = Arc::clone(&second);
    let clock =
        PolicyClock::new(move || Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap());
    (clock, move |moment: &str| {
        let moment: Timestamp = moment.parse().unwrap();
        second.store(moment.as_second(), Ordering::SeqCst);
    })
}

#[tokio::test]
async fn window_that_opens_after_preview_blocks_approval() {
    for flow in APPROVAL_FLOWS {
        let (clock, turn) = manual_clock();
        let fixture = ApprovalFixture::with_clock(clock, |config| {
            let list = json!([{ "name": "friday", "effect": "deny", "environments": ["Production"],
                "message": "closed until Monday",
                "times": [{ "days": "fri", "from": "16:00", "to": "24:00", "zone": "Europe/Berlin" },
                          { "days": "sat,sun" }] }]);
            set_rules(config, &list);
        })
        .await;
        let arguments = deploy_arguments(&["Production"]);
        turn("2026-11-06T14:59:00Z");
        let (_, token) = fixture.call(flow, DEPLOY, &arguments).await.expect_approval_request();
        turn("2026-11-06T15:00:00Z");
        let outcome = fixture.approve(flow, DEPLOY, &arguments, &token).await;
        outcome.expect_error(
            "the policy rule 'friday' of this server denies this call: closed until Monday",
        );
        fixture.call(flow, DEPLOY, &arguments).await.expect_error("rule 'friday'");
        assert_eq!(fixture.sent_changes(), [], "{flow:?}");
        fixture.call(flow, DEPLOY, &deploy_arguments(&["Staging"])).await.expect_approval_request();
        // On Monday the same approval is valid again.
        turn("2026-11-09T00:00:00Z");
        fixture.approve(flow, DEPLOY, &arguments, &token).await.expect_result();
        assert_eq!(fixture.sent_changes().len(), 1, "{flow:?}");
    }
}

#[tokio::test]
async fn new_typed_confirmation_requires_new_approval() {
    for flow in APPROVAL_FLOWS {
        let (clock, turn) = manual_clock();
        let fixture = ApprovalFixture::with_clock(clock, |config| {
            let list = json!([{ "name": "night", "effect": "confirm", "type": "night",
                "times": [{ "from": "22:00", "to": "06:00" }] }]);
            set_rules(config, &list);
        })
        .await;
        let arguments = deploy_arguments(&["Staging"]);
        turn("2026-11-06T21:59:00Z");
        let (preview, token) =
            fixture.call(flow, DEPLOY, &arguments).await.expect_approval_request();
        assert!(!preview.contains("Word to type"), "{preview}");
        turn("2026-11-07T05:59:00Z");
        fixture.approve(flow, DEPLOY, &arguments, &token).await.expect_error("nothing was changed");
        assert_eq!(fixture.sent_changes(), [], "{flow:?}");
        let (preview, token) =
            fixture.call(flow, DEPLOY, &arguments).await.expect_approval_request();
        assert!(preview.contains("Word to type: night"), "{preview}");
        fixture
            .respond_with_word(flow, DEPLOY, &arguments, &token, "accept", Some("night"))
            .await
            .expect_result();
    }
}

/// A deployment scheduled into a window is rejected at the time of the call, not only during the
/// window.
#[tokio::test]
async fn rejects_deployments_scheduled_into_a_window() {
    // 2099-11-06 is a Friday.
    let list = json!([{ "name": "friday", "effect": "deny", "environments": ["Production"],
        "times": [{ "days": "fri", "from": "16:00", "zone": "Europe/Berlin" }] }]);
    let with = |mut arguments: serde_json::Value, key: &str, value: &str| {
        arguments[key] = json!(value);
        arguments
    };
    let body_with = |key: &str, value: serde_json::Value| {
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments", "body": {
            "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-3", key: value } })
    };
    let (friday, monday) = ("2099-11-06T18:00:00+01:00", "2099-11-09T08:00:00Z");
    for (tool, arguments, rejected) in [
        (DEPLOY, with(deploy_arguments(&["Production"]), "runAt", friday), true),
        (DEPLOY, with(deploy_arguments(&["Production"]), "runAt", monday), false),
        (DEPLOY, with(deploy_arguments(&["Staging"]), "runAt", friday), false),
        ("execute", body_with("QueueTime", json!(friday)), true),
        ("execute", body_with("queueTIME", json!(friday)), true),
        ("execute", body_with("QueueTime", json!(monday)), false),
        ("execute", body_with("QueueTime", json!(null)), false),
        // The start time is unknown.
        ("execute", body_with("QueueTime", json!("2099-11-09T08:00:00")), true),
        ("execute", body_with("QueueTime", json!({ "at": monday })), true),
    ] {
        let (clock, turn) = manual_clock();
        let fixture = ApprovalFixture::with_clock(clock, |config| set_rules(config, &list)).await;
        turn("2026-11-03T09:00:00Z");
        let outcome = fixture.call(APPROVAL_FLOWS[0], tool, &arguments).await;
        let is_rejected =
            matches!(&outcome, CallOutcome::Failed(message) if message.contains("rule 'friday'"));
        assert_eq!(is_rejected, rejected, "{arguments}: {outcome:?}");
        assert_eq!(
            matches!(outcome, CallOutcome::ApprovalRequired { .. }),
            !rejected,
            "{arguments}"
        );
        // During the window every start is rejected, regardless of the scheduled time.
        turn("2026-11-06T17:00:00Z");
        if !arguments.to_string().contains("Staging") {
            fixture.call(APPROVAL_FLOWS[0], tool, &arguments).await.expect_error("rule 'friday'");
        }
        assert_eq!(fixture.sent_changes(), []);
    }
}

#[tokio::test]
async fn trigger_start_time_is_unknown_and_matches_windows() {
    let (clock, turn) = manual_clock();
    let list = json!([{ "name": "night", "effect": "deny", "times": [{ "from": "22:00", "to": "06:00" }] }]);
    let fixture = ApprovalFixture::with_clock(clock, |config| set_rules(config, &list)).await;
    turn("2026-11-03T09:00:00Z");
    let call = json!({ "method": "POST", "path": "/api/Spaces-1/projecttriggers", "body": {
        "ProjectId": "Projects-1", "Name": "t", "Action": { "EnvironmentId": "Environments-2" } } });
    let outcome = fixture.call(APPROVAL_FLOWS[0], "execute", &call).await;
    outcome.expect_error("`times` could not be determined");
}
