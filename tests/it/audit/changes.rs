//! Records of a change: one audit ID from the approval request to the result, also sent to Octopus.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{AuditFixture, deployment};
use crate::{
    approval::{ApprovalFlow, write_calls},
    support::Era,
};

#[tokio::test]
async fn records_of_one_change_share_an_id() {
    for flow in [
        ApprovalFlow::InputRequired,
        ApprovalFlow::ConfirmCode(Era::Legacy),
        ApprovalFlow::ConfirmCode(Era::Modern),
    ] {
        let recorded = AuditFixture::start().await;
        let (tool, arguments) = deployment();
        let (preview, token) =
            recorded.approval.call(flow, tool, &arguments).await.expect_approval_request();
        recorded.approval.approve(flow, tool, &arguments, &token).await.expect_result();
        recorded.approval.approve(flow, tool, &arguments, &token).await.expect_result();
        let records = recorded.records().await;
        let values = |name: &str| -> Vec<Value> {
            records.iter().map(|record| record[name].clone()).collect()
        };
        assert_eq!(values("result"), ["asked", "done", "repeated"], "{records:#?}");
        let change = records[0]["change"].as_str().unwrap();
        assert_eq!(values("change"), [change; 3]);
        assert!(preview.contains(&format!("Audit ID: {change}")), "{preview}");
        let approved_by = if flow == ApprovalFlow::InputRequired { "person" } else { "code" };
        assert_eq!(records[1]["consent"], approved_by);
        assert_eq!(records[1]["tier"], "write");
        assert_eq!(
            records[1]["route"], "POST /api/{id}/deployments/create/untenanted/v1",
            "{records:#?}"
        );
        assert!(records[1]["user"].as_str().unwrap().contains("(Users-1)"), "{records:#?}");
        assert_eq!(records[1]["tasks"].as_array().unwrap().len(), 2);
        assert_eq!(records[1]["tasks"], records[2]["tasks"]);
    }
}

#[tokio::test]
async fn accepted_change_with_unreadable_response_is_recorded_as_done() {
    let recorded = AuditFixture::start().await;
    let (tool, arguments, request, _) = write_calls().remove(0);
    let (method, path) = request.split_once(' ').unwrap();
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    let (_, token) = recorded.approval.call(flow, tool, &arguments).await.expect_approval_request();
    let fault = Fault::on(path).method(method).status(201).body("{}");
    recorded.approval.server.sample.faults().add(fault);
    for _ in 0..2 {
        let outcome = recorded.approval.approve(flow, tool, &arguments, &token).await;
        outcome.expect_error("it is not known whether the change was made");
    }
    let records = recorded.records().await;
    let results: Vec<_> =
        records.iter().map(|r| (r["result"].clone(), r["error"].clone())).collect();
    assert_eq!(results[1], (json!("done"), json!("unsure")), "{records:#?}");
    assert_eq!(results[2], (json!("repeated"), json!("unsure")), "{records:#?}");
}

#[tokio::test]
async fn declined_and_cancelled_changes_are_recorded() {
    let recorded = AuditFixture::start().await;
    for action in ["decline", "cancel"] {
        recorded.deploy_and_respond(action).await;
    }
    assert_eq!(recorded.approval.sent_changes(), []);
    let records = recorded.records().await;
    let results: Vec<_> =
        records.iter().map(|r| (r["result"].clone(), r["error"].clone())).collect();
    assert_eq!(results[1], (json!("declined"), json!("declined")));
    assert_eq!(results[3], (json!("declined"), json!("cancelled")));
}

/// The audit ID in release notes and in the user agent identifies the record and the caller.
#[tokio::test]
async fn audit_id_in_octopus_identifies_the_record() {
    for flow in [ApprovalFlow::InputRequired, ApprovalFlow::ConfirmCode(Era::Modern)] {
        let recorded = AuditFixture::start().await;
        let (release, notes, ..) = write_calls().remove(0);
        let (preview, token) =
            recorded.approval.call(flow, release, &notes).await.expect_approval_request();
        let created =
            recorded.approval.approve(flow, release, &notes, &token).await.expect_result();
        let (deploy, arguments) = deployment();
        let (_, token) =
            recorded.approval.call(flow, deploy, &arguments).await.expect_approval_request();
        recorded.approval.approve(flow, deploy, &arguments, &token).await.expect_result();

        let release = json!({ "space": "Default", "releaseId": created["releaseId"] });
        let read =
            recorded.approval.server.call_as(keys::ADMIN, "get_release_by_id", release).await;
        let notes = read.structured["releaseNotes"].as_str().unwrap_or_default().to_owned();
        assert!(notes.starts_with("One\nTwo\n\nMade through octopus-mcp by API key "), "{notes}");
        let in_notes = notes.split("(audit ").nth(1).unwrap().trim_end_matches(')').to_owned();
        assert!(preview.contains(&format!("(audit {in_notes})")), "in the preview: {preview}");
        let sent = recorded.approval.sent_changes();
        let agent = sent[1].user_agent.clone().unwrap();
        let in_agent = agent.split(" audit/").nth(1).unwrap().to_owned();

        let records = recorded.records().await;
        for (id, tool) in [(in_notes, "create_release"), (in_agent, "deploy_release")] {
            let record = records.iter().find(|r| r["change"] == *id && r["result"] == "done");
            let record = record.unwrap_or_else(|| panic!("{id} in {records:#?}"));
            assert_eq!(record["tool"], tool);
            assert!(record["caller"]["subject"].is_string());
        }
    }
}

#[tokio::test]
async fn mark_changes_false_sends_no_audit_id() {
    let recorded = AuditFixture::with(|config| config.audit.mark_changes = false).await;
    let (tool, arguments, ..) = write_calls().remove(0);
    let flow = ApprovalFlow::ConfirmCode(Era::Modern);
    let (preview, token) =
        recorded.approval.call(flow, tool, &arguments).await.expect_approval_request();
    recorded.approval.approve(flow, tool, &arguments, &token).await.expect_result();
    assert!(!preview.to_lowercase().contains("audit"), "{preview}");
    let sent = recorded.approval.sent_changes();
    assert_eq!(sent[0].body.as_ref().unwrap()["ReleaseNotes"], "One\nTwo");
    assert!(!sent[0].user_agent.as_ref().unwrap().contains("audit"));
    assert!(recorded.records().await[1]["change"].is_string());
}
