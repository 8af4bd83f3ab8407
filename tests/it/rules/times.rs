//! Windows of time, by a clock that the test turns.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use octopus_mcp::rules::Clock;
use serde_json::json;

use super::{WAYS, deploys, rules};
use crate::consent::Desk;

const DEPLOY: &str = "deploy_release";

/// A clock, and what turns it.
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
        came.refused("the rule 'friday' of this server does not allow this: closed until Monday");
        desk.call(way, DEPLOY, &arguments).await.refused("rule 'friday'");
        assert_eq!(desk.changes(), [], "{way:?}");
        desk.call(way, DEPLOY, &deploys(&["Staging"])).await.asked();
        // On Monday the same yes is as good as before.
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
