//! Releases that their lifecycle deploys as soon as they are there.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{CODE, desk};
use crate::consent::Came;

/// Its default channel goes to Development by itself; the channel Hotfix goes nowhere by itself.
fn creates(channel: Option<&str>) -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API", "channelName": channel,
        "releaseVersion": "9.9.9" })
}

async fn came(matcher: Value, channel: Option<&str>) -> Came {
    let mut rule = matcher;
    (rule["name"], rule["effect"]) = (json!("r"), json!("deny"));
    let desk = desk(json!([rule])).await;
    let came = desk.call(CODE, "create_release", &creates(channel)).await;
    assert_eq!(desk.changes(), []);
    came
}

#[tokio::test]
async fn a_release_reaches_the_environments_that_its_lifecycle_deploys_it_to() {
    for (matcher, channel, refused) in [
        (json!({ "environments": ["Development"] }), None, true),
        (json!({ "environments": ["Development"] }), Some("Hotfix"), false),
        (json!({ "environments": ["Production"] }), None, false),
        (json!({ "risks": ["medium"] }), None, true),
        (json!({ "risks": ["low"] }), None, false),
        (json!({ "risks": ["low"] }), Some("Hotfix"), true),
    ] {
        let came = came(matcher.clone(), channel).await;
        let is_refused = matches!(&came, Came::Refused(said) if said.contains("rule 'r'"));
        assert_eq!(is_refused, refused, "{matcher} {channel:?}: {came:?}");
        if let Came::Asked { words, .. } = came {
            let said = "Is deployed by itself to: Development";
            assert_eq!(words.contains(said), channel.is_none(), "{words}");
        }
    }
}

#[tokio::test]
async fn where_the_lifecycle_is_hidden_a_rule_about_environments_counts() {
    let desk = desk(json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }]));
    let desk = desk.await;
    let hidden = Fault::on("/lifecycles").status(403).body("{\"ErrorMessage\":\"no\"}");
    desk.server.sample.faults().add(hidden);
    let came = desk.call(CODE, "create_release", &creates(None)).await;
    came.refused("it cannot be known here whether its `environments` match");
}
