//! Releases that their lifecycle deploys automatically on creation.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{CODE_FLOW, policy_fixture};
use crate::approval::CallOutcome;

/// Releases of the default channel are deployed to Development automatically; those of the channel
/// Hotfix are not.
fn create_release_arguments(channel: Option<&str>) -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API", "channelName": channel,
        "releaseVersion": "9.9.9" })
}

async fn evaluate(matcher: Value, channel: Option<&str>) -> CallOutcome {
    let mut rule = matcher;
    (rule["name"], rule["effect"]) = (json!("r"), json!("deny"));
    let fixture = policy_fixture(json!([rule])).await;
    let outcome =
        fixture.call(CODE_FLOW, "create_release", &create_release_arguments(channel)).await;
    assert_eq!(fixture.sent_changes(), []);
    outcome
}

#[tokio::test]
async fn release_targets_include_automatic_deployments() {
    for (matcher, channel, rejected) in [
        (json!({ "environments": ["Development"] }), None, true),
        (json!({ "environments": ["Development"] }), Some("Hotfix"), false),
        (json!({ "environments": ["Production"] }), None, false),
        (json!({ "risks": ["medium"] }), None, true),
        (json!({ "risks": ["low"] }), None, false),
        (json!({ "risks": ["low"] }), Some("Hotfix"), true),
    ] {
        let outcome = evaluate(matcher.clone(), channel).await;
        let is_rejected =
            matches!(&outcome, CallOutcome::Failed(message) if message.contains("rule 'r'"));
        assert_eq!(is_rejected, rejected, "{matcher} {channel:?}: {outcome:?}");
        if let CallOutcome::ApprovalRequired { preview, .. } = outcome {
            let message = "Automatic deployment to: Development";
            assert_eq!(preview.contains(message), channel.is_none(), "{preview}");
        }
    }
}

#[tokio::test]
async fn unreadable_lifecycle_matches_environment_rules() {
    let fixture =
        policy_fixture(json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }]));
    let fixture = fixture.await;
    let hidden = Fault::on("/lifecycles").status(403).body("{\"ErrorMessage\":\"no\"}");
    fixture.server.sample.faults().add(hidden);
    let outcome = fixture.call(CODE_FLOW, "create_release", &create_release_arguments(None)).await;
    outcome.expect_error("`environments` could not be determined");
}
