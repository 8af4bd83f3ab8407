//! Deployment freezes: read before the approval, shown and overridden by name.

use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use super::{ApprovalFixture, ApprovalFlow, CallOutcome};

const TOOL: &str = "deploy_release";
const FLOW: ApprovalFlow = ApprovalFlow::InputRequired;

/// A deployment to Production, which the freeze "Month-end close" covers.
fn frozen_deployment() -> Value {
    json!({
        "space": "Default", "projectName": "Billing Engine", "releaseVersion": "5.7.0",
        "environmentNames": ["Staging", "Production"], "variables": { "Change.Ticket": "CHG-1" },
    })
}

fn with(mut arguments: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    arguments.as_object_mut().unwrap().extend(more);
    arguments
}

async fn call(fixture: &ApprovalFixture, arguments: &Value) -> CallOutcome {
    fixture.call(FLOW, TOOL, arguments).await
}

/// Returns the queries of the reads of freezes.
fn freeze_queries(fixture: &ApprovalFixture) -> Vec<String> {
    let journal = fixture.server.sample.journal().into_iter();
    let reads = journal.filter(|entry| entry.path == "/api/deploymentfreezes");
    reads.map(|entry| entry.query.unwrap_or_default()).collect()
}

#[tokio::test]
async fn active_freeze_rejects_deployment_before_approval() {
    let fixture = ApprovalFixture::start().await;
    let outcome = call(&fixture, &frozen_deployment()).await;
    outcome.expect_error(
        "'Month-end close' (Production, until 2026-11-03T06:00:00.000+00:00). Deploy after its end",
    );
    let outcome = call(&fixture, &frozen_deployment()).await;
    outcome.expect_error("give deploymentFreezeNames [");
    let [query, _]: [String; 2] = freeze_queries(&fixture).try_into().unwrap();
    for part in ["skip=0", "take=", "includeComplete=false"] {
        assert!(query.contains(part), "{query}");
    }
    let open = with(frozen_deployment(), json!({ "environmentNames": ["Staging"] }));
    let (preview, _) = call(&fixture, &open).await.expect_approval_request();
    assert!(!preview.contains("reeze"), "{preview}");
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn override_is_shown_and_sent_with_the_name_of_octopus() {
    let fixture = ApprovalFixture::start().await;
    let arguments = with(
        frozen_deployment(),
        json!({
            "deploymentFreezeNames": [" month-END close"],
            "deploymentFreezeOverrideReason": "Invoices are wrong",
        }),
    );
    let (preview, token) = call(&fixture, &arguments).await.expect_approval_request();
    assert!(
        preview.contains("\nOverridden freezes: Month-end close (Production, until "),
        "{preview}"
    );
    assert!(preview.contains("\nOverride reason: Invoices are wrong"), "{preview}");
    fixture.approve(FLOW, TOOL, &arguments, &token).await.expect_result();
    let sent = fixture.sent_changes().remove(0);
    let body = sent.body.unwrap();
    assert_eq!(sent.status, Some(200));
    assert_eq!(body["DeploymentFreezeNames"], json!(["Month-end close"]));
    assert_eq!(body["DeploymentFreezeOverrideReason"], "Invoices are wrong");
}

#[tokio::test]
async fn override_without_matching_freeze_is_rejected_before_approval() {
    let fixture = ApprovalFixture::start().await;
    for (environment, name, expected) in [
        ("Production", "Month-end clos", "did you mean 'Month-end close'?"),
        ("Production", "Summer", "freezes that apply: 'Month-end close'"),
        ("Staging", "Month-end close", "no freeze 'Month-end close' applies to this deployment"),
        ("Staging", "Peak season", "no freeze applies to it"),
    ] {
        let arguments = with(
            frozen_deployment(),
            json!({
                "environmentNames": [environment], "deploymentFreezeNames": [name],
                "deploymentFreezeOverrideReason": "Urgent",
            }),
        );
        call(&fixture, &arguments).await.expect_error(expected);
    }
    let blank = json!({
        "deploymentFreezeNames": ["Month-end close"], "deploymentFreezeOverrideReason": " ",
    });
    let outcome = call(&fixture, &with(frozen_deployment(), blank)).await;
    outcome.expect_error("require each other");
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn freeze_applies_at_the_scheduled_start() {
    let fixture = ApprovalFixture::start().await;
    let arguments = |run_at: &str| {
        json!({
            "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.12.0",
            "environmentNames": ["Staging"], "runAt": run_at,
        })
    };
    call(&fixture, &arguments("2099-05-31T23:59:00Z")).await.expect_approval_request();
    let outcome = call(&fixture, &arguments("2099-06-03T12:00:00Z")).await;
    outcome.expect_error("'Move of the data centre' (Staging, until 2099-06-08");
    call(&fixture, &arguments("2099-06-08T00:00:00Z")).await.expect_approval_request();
    let queries = freeze_queries(&fixture);
    assert!(queries[1].contains("effectiveDate=2099-06-03T12%3A00%3A00Z"), "{queries:?}");
}

#[tokio::test]
async fn tenant_freeze_applies_to_its_tenant_only() {
    let fixture = ApprovalFixture::start().await;
    let arguments = |tenants: Value| {
        json!({
            "space": "Default", "projectName": "Driver App Backend", "releaseVersion": "0.36.0",
            "environmentNames": ["Staging"], "tenants": tenants, "runAt": "2099-03-02T00:00:00Z",
        })
    };
    let outcome = call(&fixture, &arguments(json!(["Tenants-1", "Tenants-4"]))).await;
    outcome.expect_error("'Audit of Brightwater' (Staging for Brightwater Couriers, until");
    call(&fixture, &arguments(json!(["Tenants-4"]))).await.expect_approval_request();
}

#[tokio::test]
async fn recurring_freeze_is_a_warning() {
    let fixture = ApprovalFixture::start().await;
    let freeze = json!({
        "Id": "DeploymentFreezes-9", "Name": "Nights", "Start": "2026-01-01T20:00:00Z",
        "End": "2026-01-02T04:00:00Z", "ProjectEnvironmentScope": { "Projects-5": ["Environments-3"] },
        "TenantProjectEnvironmentScope": null, "RecurringSchedule": { "Type": "Daily", "Unit": 1 },
    });
    let list = json!({ "Count": 1, "DeploymentFreezes": [freeze] });
    fixture.server.sample.faults().add(Fault::on("/deploymentfreezes").body(&list.to_string()));
    let (preview, _) = call(&fixture, &frozen_deployment()).await.expect_approval_request();
    assert!(
        preview.contains("\nFreezes that may apply: Nights (Production, recurring)"),
        "{preview}"
    );
    let given =
        json!({ "deploymentFreezeNames": ["nights"], "deploymentFreezeOverrideReason": "Urgent" });
    let outcome = call(&fixture, &with(frozen_deployment(), given)).await;
    let (preview, _) = outcome.expect_approval_request();
    assert!(
        preview.contains("\nOverridden if active: Nights (Production, recurring)"),
        "{preview}"
    );
}

#[tokio::test]
async fn unreadable_freezes_are_a_warning() {
    for status in [403, 404] {
        let fixture = ApprovalFixture::start().await;
        fixture.server.sample.faults().add(Fault::on("/deploymentfreezes").status(status));
        let (preview, _) = call(&fixture, &frozen_deployment()).await.expect_approval_request();
        let warning = "\nDeployment freezes: not checked: this credential cannot read them";
        assert!(preview.contains(warning), "{preview}");
        let given = json!({
            "deploymentFreezeNames": ["Month-end close"], "deploymentFreezeOverrideReason": "Urgent",
        });
        let arguments = with(frozen_deployment(), given);
        let (_, token) = call(&fixture, &arguments).await.expect_approval_request();
        fixture.approve(FLOW, TOOL, &arguments, &token).await.expect_result();
        let sent = fixture.sent_changes().remove(0).body.unwrap();
        assert_eq!(sent["DeploymentFreezeNames"], json!(["Month-end close"]));
    }
}

#[tokio::test]
async fn old_versions_have_no_freezes() {
    let fixture = ApprovalFixture::with_sample(Sample::with_version("2023.4.8338"), |_| {}).await;
    let arguments = with(frozen_deployment(), json!({ "environmentNames": ["Staging"] }));
    call(&fixture, &arguments).await.expect_approval_request();
    assert_eq!(freeze_queries(&fixture), Vec::<String>::new());
    let given =
        json!({ "deploymentFreezeNames": ["Peak"], "deploymentFreezeOverrideReason": "Urgent" });
    call(&fixture, &with(arguments, given)).await.expect_error("2024.2");
}

#[tokio::test]
async fn runbook_run_shows_active_freezes() {
    let fixture = ApprovalFixture::start().await;
    let arguments = json!({
        "space": "Default", "projectName": "Billing Engine",
        "runbookName": "Rebuild ledger index", "environmentNames": ["Production"],
    });
    let outcome = fixture.call(FLOW, "run_runbook", &arguments).await;
    let (preview, _) = outcome.expect_approval_request();
    let line = "\nActive deployment freezes: Month-end close (Production, until 2026-11-03";
    assert!(preview.contains(line), "{preview}");
}

#[tokio::test]
async fn sample_rejects_frozen_deployments() {
    let fixture = ApprovalFixture::start().await;
    let octopus = crate::support::serve(fixture.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/deployments/create/untenanted/v1", octopus.address);
    let body = json!({
        "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1", "ProjectName": "Projects-5",
        "ReleaseVersion": "5.7.0", "EnvironmentNames": ["Environments-2"],
        "Variables": { "Change.Ticket": "CHG-1" },
        "DeploymentFreezeNames": ["Month-end close"], "DeploymentFreezeOverrideReason": "x",
    });
    let request = fixture.server.http.post(url).header("x-octopus-apikey", keys::ADMIN);
    let reply = crate::support::send(request.json(&body)).await;
    assert_eq!(reply.status, 400);
    assert!(reply.text.contains("no valid freezes were specified"), "{}", reply.text);
}
