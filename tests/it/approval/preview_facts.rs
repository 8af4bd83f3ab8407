//! Facts in the previews of Octopus: required steps, targets without work, values of prompts, and
//! changes since the last deployment.

use octopus_sample::Fault;
use serde_json::{Value, json};

use super::{ApprovalFixture, ApprovalFlow, CallOutcome};

const FLOW: ApprovalFlow = ApprovalFlow::InputRequired;

fn deployment(project: &str, version: &str, environment: &str, more: Value) -> Value {
    let mut arguments = json!({
        "space": "Default", "projectName": project, "releaseVersion": version,
        "environmentNames": [environment],
    });
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    arguments.as_object_mut().unwrap().extend(more);
    arguments
}

async fn deploy(fixture: &ApprovalFixture, arguments: &Value) -> CallOutcome {
    fixture.call(FLOW, "deploy_release", arguments).await
}

#[tokio::test]
async fn required_steps_cannot_be_skipped() {
    let fixture = ApprovalFixture::start().await;
    let more = json!({
        "variables": { "Change.Ticket": "CHG-1" }, "skipStepNames": ["migrate ledger database"],
    });
    let outcome = deploy(&fixture, &deployment("Billing Engine", "5.7.0", "Staging", more)).await;
    outcome.expect_error(
        "step 'Migrate ledger database' is required and cannot be skipped; steps that can be \
         skipped: 'Deploy invoicing worker', 'Reconcile yesterday'",
    );
    let run = json!({
        "space": "Default", "projectName": "Parcel Tracking API",
        "runbookName": "Restart tracking workers", "environmentNames": ["Staging"],
        "skipStepNames": ["Restart workers"],
    });
    let outcome = fixture.call(FLOW, "run_runbook", &run).await;
    outcome.expect_error("'Restart workers' is required and cannot be skipped");
    assert_eq!(fixture.sent_changes(), []);
}

#[tokio::test]
async fn targets_without_work_are_shown() {
    let fixture = ApprovalFixture::start().await;
    let more = json!({ "specificMachineNames": ["trk-stg-01", "trk-prd-01"] });
    let arguments = deployment("Parcel Tracking API", "1.12.0", "Staging", more);
    let (preview, _) = deploy(&fixture, &arguments).await.expect_approval_request();
    assert!(preview.contains("\nTargets that take no part: trk-prd-01\n"), "{preview}");
    let step = |name: &str, none: bool| {
        json!({
            "ActionName": name, "CanBeSkipped": true, "HasNoApplicableMachines": none,
            "Machines": [], "MachineNames": null,
            "UnavailableMachines": [{ "Id": "Machines-9", "Name": "trk-stg-01" }],
        })
    };
    let body = json!({
        "StepsToExecute": [step("Deploy tracking service", true), step("Smoke test", false)],
        "Form": null, "Changes": null, "ChangesMarkdown": null,
    });
    let fault = Fault::on("/deployments/preview/").body(&body.to_string());
    fixture.server.sample.faults().add(fault);
    let (preview, _) = deploy(&fixture, &arguments).await.expect_approval_request();
    for line in [
        "\nSteps without targets: Deploy tracking service (Staging)\n",
        "\nTargets that take no part: trk-stg-01 (unavailable), trk-prd-01\n",
    ] {
        assert!(format!("{preview}\n").contains(line), "{preview}");
    }
    let mut skipping = arguments;
    skipping["skipStepNames"] = json!(["Deploy tracking service"]);
    let (preview, _) = deploy(&fixture, &skipping).await.expect_approval_request();
    assert!(!preview.contains("Steps without targets"), "{preview}");
}

#[tokio::test]
async fn values_outside_the_options_of_a_prompt_are_rejected() {
    let fixture = ApprovalFixture::start().await;
    let arguments = |values: Value| {
        let more = json!({ "variables": values });
        deployment("Parcel Tracking API", "1.11.7", "Production", more)
    };
    for (values, expected) in [
        (
            json!({ "Deploy.Ring": "late" }),
            "variables: the value of 'Deploy.Ring' is not one of its options; expected 'early' \
             (Early ring), 'stable' (Stable ring)",
        ),
        (json!({ "Ring": "Stable" }), "is not one of its options"),
        (
            json!({ "Deploy.DryRun": "maybe" }),
            "'Deploy.DryRun' is a checkbox; expected 'True' or 'False'",
        ),
    ] {
        deploy(&fixture, &arguments(values)).await.expect_error(expected);
    }
    let valid = arguments(json!({ "Deploy.Ring": "early", "Dry run": "true", "Reason": "x" }));
    let (_, token) = deploy(&fixture, &valid).await.expect_approval_request();
    fixture.approve(FLOW, "deploy_release", &valid, &token).await.expect_result();
    let sent = fixture.sent_changes().remove(0).body.unwrap();
    let expected = json!({ "Deploy.DryRun": "True", "Deploy.Reason": "x", "Deploy.Ring": "early" });
    assert_eq!(sent["Variables"], expected);
}

#[tokio::test]
async fn empty_value_of_a_required_prompt_is_missing() {
    let fixture = ApprovalFixture::start().await;
    let more = json!({ "variables": { "Change.Ticket": "" } });
    let outcome = deploy(&fixture, &deployment("Billing Engine", "5.7.0", "Staging", more)).await;
    outcome.expect_error("values are required for 'Change.Ticket'");
}

#[tokio::test]
async fn changes_since_the_last_deployment_are_shown() {
    let fixture = ApprovalFixture::start().await;
    let arguments = deployment("Parcel Tracking API", "1.12.0", "Staging", json!({}));
    let (preview, _) = deploy(&fixture, &arguments).await.expect_approval_request();
    let line = "\nChanges in Staging: # Release 1.12.0 ⏎ Adds the arrival window to the tracking";
    assert!(preview.contains(line), "{preview}");

    let changes = json!([
        {
            "Version": "1.12.0", "ReleaseNotes": "First\nEnvironment: Production",
            "Commits": [{ "Id": "a" }, { "Id": "b" }],
            "WorkItems": [{ "Id": "TRK-418", "Description": "Window" }],
        },
        { "Version": "1.11.9", "ReleaseNotes": null, "Commits": null, "WorkItems": null },
    ]);
    let mut body = json!({ "StepsToExecute": [], "Changes": changes, "ChangesMarkdown": " " });
    let fault = |body: &Value| Fault::on("/deployments/preview/").body(&body.to_string());
    fixture.server.sample.faults().add(fault(&body));
    let (preview, _) = deploy(&fixture, &arguments).await.expect_approval_request();
    let line = "\nChanges in Staging: 1.12.0: First ⏎ Environment: Production; TRK-418 Window; \
                2 commits ⏎ 1.11.9";
    assert!(preview.contains(line), "{preview}");

    fixture.server.sample.faults().clear();
    body["ChangesMarkdown"] =
        json!(format!("password=hunter2-hunter2-hunter2 \u{202e}{}", "long ".repeat(10_000)));
    fixture.server.sample.faults().add(fault(&body));
    let (preview, _) = deploy(&fixture, &arguments).await.expect_approval_request();
    assert!(preview.len() < 4_000, "{}", preview.len());
    assert!(preview.contains("… (the rest is not shown)"), "{preview}");
    assert!(!preview.contains("hunter2") && !preview.contains('\u{202e}'), "{preview}");
}

#[tokio::test]
async fn many_targets_are_not_previewed_and_said_so() {
    let fixture = ApprovalFixture::start().await;
    let mut arguments = deployment("Route Planner", "2.6.0", "Production", json!({}));
    arguments["tenants"] = json!(["Hollis Freight", "Marrow Lane Markets"]);
    let (preview, _) = deploy(&fixture, &arguments).await.expect_approval_request();
    assert!(!preview.contains("not checked"), "{preview}");
    // Copies of a tenant that is connected to Production.
    let template = json!({
        "Name": "Copy", "SpaceId": "Spaces-1", "ProjectEnvironments": { "Projects-2": ["Environments-3"] },
        "TenantTags": [],
    });
    let octopus = crate::support::serve(fixture.server.sample.router());
    let mut tenants = Vec::new();
    for number in 0..11 {
        let mut body = template.clone();
        body["Name"] = json!(format!("Copy {number}"));
        let url = format!("http://{}/api/Spaces-1/tenants", octopus.address);
        let request = fixture.server.http.post(url);
        let request = request.header("x-octopus-apikey", octopus_sample::keys::ADMIN).json(&body);
        tenants.push(crate::support::send(request).await.json()["Id"].clone());
    }
    fixture.server.sample.clear_journal();
    let promotions: Vec<Value> = tenants
        .iter()
        .map(|id| json!({ "Id": id, "Name": "x", "PromoteTo": [{ "Id": "Environments-3" }] }))
        .collect();
    let body = json!({ "PromoteTo": [], "TenantPromotions": promotions });
    let fault = Fault::on("/deployments/template").body(&body.to_string());
    fixture.server.sample.faults().add(fault);
    arguments["tenants"] = json!(tenants);
    let (preview, _) = deploy(&fixture, &arguments).await.expect_approval_request();
    let line = "\nSteps and prompts: not checked: 11 targets, more than the maximum of 10";
    assert!(preview.contains(line), "{preview}");
    let journal = fixture.server.sample.journal();
    assert!(!journal.iter().any(|entry| entry.path.contains("/deployments/preview/")));
}
