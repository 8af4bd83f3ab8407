//! Time windows of rules, with a manual clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use octopus_mcp::rules::Clock;
use serde_json::json;

use super::{WAYS, deploys, rules};
use crate::consent::{Came, Desk};

const DEPLOY: &str = "deploy_release";

/// Returns a clock and a function that sets it.
fn clock() -> (Clock, impl Fn(&str)) {
    let second = Arc::new(AtomicI64::new(0));
    let told = Arc::clone(&second);
    let clock = Clock::of(move || Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap());
    (clock, move |moment: &str| {
        let moment: Timestamp = moment.parse().unwrap();
        second.store(moment.as_second(), Ordering::SeqCst);
    })
}

#[tokio::test]
async fn a_window_closes_between_the_question_and_the_yes() {
    for way in WAYS {
        let (clock, turn) = clock();
        let desk = Desk::by(clock, |config| {
            let list = json!([{ "name": "friday", "effect": "deny", "environments": ["Production"],
                "message": "closed until Monday",
                "times": [{ "days": "fri", "from": "16:00", "to": "24:00", "zone": "Europe/Berlin" },
                          { "days": "sat,sun" }] }]);
            rules(config, &list);
        })
        .await;
        let arguments = deploys(&["Production"]);
        turn("2026-11-06T14:59:00Z");
        let (_, sealed) = desk.call(way, DEPLOY, &arguments).await.asked();
        turn("2026-11-06T15:00:00Z");
        let came = desk.agree(way, DEPLOY, &arguments, &sealed).await;
        came.refused(
            "the policy rule 'friday' of this server denies this call: closed until Monday",
        );
        desk.call(way, DEPLOY, &arguments).await.refused("rule 'friday'");
        assert_eq!(desk.changes(), [], "{way:?}");
        desk.call(way, DEPLOY, &deploys(&["Staging"])).await.asked();
        // On Monday the same approval is valid again.
        turn("2026-11-09T00:00:00Z");
        desk.agree(way, DEPLOY, &arguments, &sealed).await.answered();
        assert_eq!(desk.changes().len(), 1, "{way:?}");
    }
}

#[tokio::test]
async fn what_was_agreed_to_before_a_word_was_wanted_is_asked_anew() {
    for way in WAYS {
        let (clock, turn) = clock();
        let desk = Desk::by(clock, |config| {
            let list = json!([{ "name": "night", "effect": "confirm", "type": "night",
                "times": [{ "from": "22:00", "to": "06:00" }] }]);
            rules(config, &list);
        })
        .await;
        let arguments = deploys(&["Staging"]);
        turn("2026-11-06T21:59:00Z");
        let (words, sealed) = desk.call(way, DEPLOY, &arguments).await.asked();
        assert!(!words.contains("Word to type"), "{words}");
        turn("2026-11-07T05:59:00Z");
        desk.agree(way, DEPLOY, &arguments, &sealed).await.refused("nothing was changed");
        assert_eq!(desk.changes(), [], "{way:?}");
        let (words, sealed) = desk.call(way, DEPLOY, &arguments).await.asked();
        assert!(words.contains("Word to type: night"), "{words}");
        desk.typed(way, DEPLOY, &arguments, &sealed, "accept", Some("night")).await.answered();
    }
}

/// A deployment scheduled into a window is refused at the time of the call, not only during the
/// window.
#[tokio::test]
async fn a_deployment_that_begins_in_a_window_is_refused_days_before() {
    // 2099-11-06 is a Friday.
    let list = json!([{ "name": "friday", "effect": "deny", "environments": ["Production"],
        "times": [{ "days": "fri", "from": "16:00", "zone": "Europe/Berlin" }] }]);
    let with = |mut arguments: serde_json::Value, key: &str, value: &str| {
        arguments[key] = json!(value);
        arguments
    };
    let made = |key: &str, value: serde_json::Value| {
        json!({ "method": "POST", "path": "/api/Spaces-1/deployments", "body": {
            "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-3", key: value } })
    };
    let (friday, monday) = ("2099-11-06T18:00:00+01:00", "2099-11-09T08:00:00Z");
    for (tool, arguments, refused) in [
        (DEPLOY, with(deploys(&["Production"]), "runAt", friday), true),
        (DEPLOY, with(deploys(&["Production"]), "runAt", monday), false),
        (DEPLOY, with(deploys(&["Staging"]), "runAt", friday), false),
        ("execute", made("QueueTime", json!(friday)), true),
        ("execute", made("queueTIME", json!(friday)), true),
        ("execute", made("QueueTime", json!(monday)), false),
        ("execute", made("QueueTime", json!(null)), false),
        // The start time is unknown.
        ("execute", made("QueueTime", json!("2099-11-09T08:00:00")), true),
        ("execute", made("QueueTime", json!({ "at": monday })), true),
    ] {
        let (clock, turn) = clock();
        let desk = Desk::by(clock, |config| rules(config, &list)).await;
        turn("2026-11-03T09:00:00Z");
        let came = desk.call(WAYS[0], tool, &arguments).await;
        let is_refused =
            matches!(&came, Came::Refused(message) if message.contains("rule 'friday'"));
        assert_eq!(is_refused, refused, "{arguments}: {came:?}");
        assert_eq!(matches!(came, Came::Asked { .. }), !refused, "{arguments}");
        // During the window every start is refused, whatever the scheduled time.
        turn("2026-11-06T17:00:00Z");
        if !arguments.to_string().contains("Staging") {
            desk.call(WAYS[0], tool, &arguments).await.refused("rule 'friday'");
        }
        assert_eq!(desk.changes(), []);
    }
}

#[tokio::test]
async fn nobody_knows_when_a_trigger_begins_something() {
    let (clock, turn) = clock();
    let list = json!([{ "name": "night", "effect": "deny", "times": [{ "from": "22:00", "to": "06:00" }] }]);
    let desk = Desk::by(clock, |config| rules(config, &list)).await;
    turn("2026-11-03T09:00:00Z");
    let call = json!({ "method": "POST", "path": "/api/Spaces-1/projecttriggers", "body": {
        "ProjectId": "Projects-1", "Name": "t", "Action": { "EnvironmentId": "Environments-2" } } });
    let came = desk.call(WAYS[0], "execute", &call).await;
    came.refused("`times` could not be determined");
}
