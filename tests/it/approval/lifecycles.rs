//! Lifecycles: deployments that Octopus would reject are rejected before the approval.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{ApprovalFixture, ApprovalFlow};

const TOOL: &str = "deploy_release";
const FLOW: ApprovalFlow = ApprovalFlow::InputRequired;

fn deployment(project: &str, version: &str, environment: &str) -> Value {
    json!({
        "space": "Default", "projectName": project, "releaseVersion": version,
        "environmentNames": [environment],
    })
}

#[tokio::test]
async fn environments_outside_the_lifecycle_are_rejected_with_the_reason() {
    let fixture = ApprovalFixture::start().await;
    for (project, version, environment, reason, open) in [
        (
            "Parcel Tracking API",
            "1.12.0",
            "Production",
            "cannot be deployed to Production: it has not reached the phase 'Production'",
            "Allowed environments: Development, Test, Staging",
        ),
        (
            "Platform Infrastructure",
            "7.4.0",
            "Staging",
            "cannot be deployed to Staging: no phase of its lifecycle contains Staging",
            "Allowed environments: Test, Production",
        ),
    ] {
        let arguments = deployment(project, version, environment);
        for expected in [reason, open] {
            fixture.call(FLOW, TOOL, &arguments).await.expect_error(expected);
        }
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn tenants_that_the_lifecycle_does_not_allow_are_named() {
    let fixture = ApprovalFixture::start().await;
    let mut arguments = deployment("Route Planner", "2.6.0", "Production");
    arguments["tenants"] = json!(["Hollis Freight", "Ironbark Haulage", "Tenants-9"]);
    let outcome = fixture.call(FLOW, TOOL, &arguments).await;
    outcome.expect_error(
        "cannot be deployed to Production for Ironbark Haulage, Tidewater Cold Chain",
    );
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn progression_is_read_only_for_the_reason() {
    let fixture = ApprovalFixture::start().await;
    let arguments = deployment("Parcel Tracking API", "1.12.0", "Staging");
    fixture.call(FLOW, TOOL, &arguments).await.expect_approval_request();
    let paths: Vec<String> =
        fixture.server.sample.journal().into_iter().map(|entry| entry.path).collect();
    let count = |end: &str| paths.iter().filter(|path| path.ends_with(end)).count();
    assert_eq!((count("/deployments/template"), count("/progression")), (1, 0), "{paths:#?}");
}

#[tokio::test]
async fn unreadable_lifecycle_is_a_warning() {
    let faults = [
        Fault::on("/deployments/template").status(403),
        Fault::on("/deployments/template").status(404),
        Fault::on("/deployments/template").body(r#"{"PromoteTo":null}"#),
    ];
    for fault in faults {
        let fixture = ApprovalFixture::start().await;
        fixture.server.sample.faults().add(fault);
        let arguments = deployment("Parcel Tracking API", "1.12.0", "Staging");
        let outcome = fixture.call(FLOW, TOOL, &arguments).await;
        let (preview, _) = outcome.expect_approval_request();
        assert!(preview.contains("\nLifecycle: not checked"), "{preview}");
    }
}

#[tokio::test]
async fn rejection_survives_an_unreadable_progression() {
    let fixture = ApprovalFixture::start().await;
    fixture.server.sample.faults().add(Fault::on("/progression").status(403));
    let arguments = deployment("Parcel Tracking API", "1.12.0", "Production");
    let outcome = fixture.call(FLOW, TOOL, &arguments).await;
    outcome.expect_error("its lifecycle does not allow it yet, or this credential may not deploy");
}
