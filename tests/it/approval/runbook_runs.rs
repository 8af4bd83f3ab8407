//! Runbook runs: the preview of the snapshot that will run, for each tenant, and the environment
//! scope of the runbook.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{ApprovalFixture, ApprovalFlow, CallOutcome};

const TOOL: &str = "run_runbook";
const FLOW: ApprovalFlow = ApprovalFlow::InputRequired;

fn run(project: &str, runbook: &str, environment: &str, more: Value) -> Value {
    let mut arguments = json!({
        "space": "Default", "projectName": project, "runbookName": runbook,
        "environmentNames": [environment],
    });
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    arguments.as_object_mut().unwrap().extend(more);
    arguments
}

async fn call(fixture: &ApprovalFixture, arguments: &Value) -> CallOutcome {
    fixture.call(FLOW, TOOL, arguments).await
}

#[tokio::test]
async fn prompts_of_a_tenant_are_required_and_sent() {
    let fixture = ApprovalFixture::start().await;
    let resend = |tenants: Value, values: Value| {
        let more = json!({ "tenants": tenants, "promptedVariableValues": values });
        run("Customs Declarations", "Resend declarations", "Staging", more)
    };
    let outcome = call(&fixture, &resend(json!(["Tenants-9"]), json!({}))).await;
    outcome.expect_error("values are required for 'Declaration.Period' (Period)");
    let preview =
        "runbookSnapshots/RunbookSnapshots-4/runbookRuns/preview/Environments-2/Tenants-9";
    let journal = fixture.server.sample.journal();
    assert!(journal.iter().any(|entry| entry.path.ends_with(preview)), "{journal:#?}");

    let given = json!({ "Declaration.Period": "2026-10" });
    let outcome = call(&fixture, &resend(json!(["Tenants-6"]), given.clone())).await;
    outcome.expect_error("no variable is prompted");
    let arguments = resend(json!(["Tenants-6", "Tenants-9"]), given.clone());
    let (_, token) = call(&fixture, &arguments).await.expect_approval_request();
    fixture.approve(FLOW, TOOL, &arguments, &token).await.expect_result();
    let sent = fixture.sent_changes().remove(0);
    assert_eq!((sent.status, &sent.body.unwrap()["Variables"]), (Some(200), &given));
}

#[tokio::test]
async fn previews_the_snapshot_and_not_the_draft() {
    let fixture = ApprovalFixture::start().await;
    // The draft prompts for a variable that the published snapshot lacks.
    let arguments = run("Billing Engine", "Rebuild ledger index", "Staging", json!({}));
    let (_, token) = call(&fixture, &arguments).await.expect_approval_request();
    fixture.approve(FLOW, TOOL, &arguments, &token).await.expect_result();
    // An earlier snapshot lacks a step of the current one.
    let skip = json!({ "skipStepNames": ["wait until healthy"] });
    let tracking = |more: &Value| {
        run("Parcel Tracking API", "Restart tracking workers", "Staging", more.clone())
    };
    call(&fixture, &tracking(&skip)).await.expect_approval_request();
    let mut earlier = skip;
    earlier["runbookSnapshotId"] = json!("Snapshot K4T7QWZ");
    let outcome = call(&fixture, &tracking(&earlier)).await;
    outcome.expect_error("step 'wait until healthy' not found; available steps: 'Restart workers'");
    let journal = fixture.server.sample.journal();
    let previews: Vec<&str> = journal
        .iter()
        .map(|entry| entry.path.as_str())
        .filter(|path| path.contains("/runbookRuns/preview/"))
        .collect();
    assert!(!previews.is_empty());
    assert!(previews.iter().all(|path| path.contains("/runbookSnapshots/")), "{previews:#?}");
}

#[tokio::test]
async fn environments_outside_the_scope_are_rejected() {
    let fixture = ApprovalFixture::start().await;
    let lifecycle = Fault::on("/runbooks/Runbooks-5/environments");
    fixture.server.sample.faults().add(lifecycle.body(r#"[{"Name":"Staging"}]"#));
    let git = json!({ "gitRef": "feature/electric-vans" });
    for (project, runbook, environment, more, expected) in [
        (
            "Parcel Tracking API",
            "Restart tracking workers",
            "Test",
            json!({}),
            "environmentNames: Restart tracking workers cannot run in Test; its environments are \
             Staging, Production",
        ),
        (
            "Billing Engine",
            "Rebuild ledger index",
            "Production",
            json!({}),
            "Rebuild ledger index cannot run in Production; its environments are Staging",
        ),
        (
            "Route Planner",
            "recalibrate-charging-stops",
            "Production",
            git.clone(),
            "Recalibrate charging stops cannot run in Production; its environments are Staging",
        ),
    ] {
        let arguments = run(project, runbook, environment, more);
        call(&fixture, &arguments).await.expect_error(expected);
    }
    for (project, runbook, more) in [
        ("Billing Engine", "Rebuild ledger index", json!({})),
        ("Route Planner", "recalibrate-charging-stops", git),
    ] {
        call(&fixture, &run(project, runbook, "Staging", more)).await.expect_approval_request();
    }
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn unreadable_scope_is_a_warning() {
    let fixture = ApprovalFixture::start().await;
    let fault = Fault::on("/runbooks/Runbooks-5/environments").status(403);
    fixture.server.sample.faults().add(fault);
    let arguments = run("Billing Engine", "Rebuild ledger index", "Staging", json!({}));
    let (preview, _) = call(&fixture, &arguments).await.expect_approval_request();
    assert!(preview.contains("\nEnvironment scope: not checked"), "{preview}");
}
