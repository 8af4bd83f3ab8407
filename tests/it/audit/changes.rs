//! Records of a change: one audit ID from the approval request to the result, also sent to Octopus.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{Recorded, deployment};
use crate::{
    consent::{Way, changes},
    support::Era,
};

#[tokio::test]
async fn a_change_is_asked_about_agreed_to_and_done_under_one_id() {
    for flow in [Way::Rounds, Way::Code(Era::Legacy), Way::Code(Era::Modern)] {
        let recorded = Recorded::start().await;
        let (tool, arguments) = deployment();
        let (preview, token) = recorded.desk.call(flow, tool, &arguments).await.asked();
        recorded.desk.agree(flow, tool, &arguments, &token).await.answered();
        recorded.desk.agree(flow, tool, &arguments, &token).await.answered();
        let records = recorded.records().await;
        let values = |name: &str| -> Vec<Value> {
            records.iter().map(|record| record[name].clone()).collect()
        };
        assert_eq!(values("result"), ["asked", "done", "repeated"], "{records:#?}");
        let change = records[0]["change"].as_str().unwrap();
        assert_eq!(values("change"), [change; 3]);
        assert!(preview.contains(&format!("Audit ID: {change}")), "{preview}");
        let approved_by = if flow == Way::Rounds { "person" } else { "code" };
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
async fn change_that_octopus_accepted_with_an_unreadable_answer_is_recorded_as_done() {
    let recorded = Recorded::start().await;
    let (tool, arguments, request, _) = changes().remove(0);
    let (method, path) = request.split_once(' ').unwrap();
    let flow = Way::Code(Era::Modern);
    let (_, token) = recorded.desk.call(flow, tool, &arguments).await.asked();
    let fault = Fault::on(path).method(method).status(201).body("{}");
    recorded.desk.server.sample.faults().add(fault);
    for _ in 0..2 {
        let outcome = recorded.desk.agree(flow, tool, &arguments, &token).await;
        outcome.refused("it is not known whether the change was made");
    }
    let records = recorded.records().await;
    let results: Vec<_> =
        records.iter().map(|r| (r["result"].clone(), r["error"].clone())).collect();
    assert_eq!(results[1], (json!("done"), json!("unsure")), "{records:#?}");
    assert_eq!(results[2], (json!("repeated"), json!("unsure")), "{records:#?}");
}

#[tokio::test]
async fn a_declined_change_is_recorded_as_that() {
    let recorded = Recorded::start().await;
    let (tool, arguments) = deployment();
    for action in ["decline", "cancel"] {
        let (_, token) = recorded.desk.call(Way::Rounds, tool, &arguments).await.asked();
        recorded.desk.answer(Way::Rounds, tool, &arguments, &token, action).await;
    }
    assert_eq!(recorded.desk.changes(), []);
    let records = recorded.records().await;
    let results: Vec<_> =
        records.iter().map(|r| (r["result"].clone(), r["error"].clone())).collect();
    assert_eq!(results[1], (json!("declined"), json!("declined")));
    assert_eq!(results[3], (json!("declined"), json!("cancelled")));
}

/// The audit ID in release notes and in the user agent identifies the record and the caller.
#[tokio::test]
async fn what_was_made_leads_back_to_its_record() {
    for flow in [Way::Rounds, Way::Code(Era::Modern)] {
        let recorded = Recorded::start().await;
        let (release, notes, ..) = changes().remove(0);
        let (preview, token) = recorded.desk.call(flow, release, &notes).await.asked();
        let created = recorded.desk.agree(flow, release, &notes, &token).await.answered();
        let (deploy, arguments) = deployment();
        let (_, token) = recorded.desk.call(flow, deploy, &arguments).await.asked();
        recorded.desk.agree(flow, deploy, &arguments, &token).await.answered();

        let release = json!({ "space": "Default", "releaseId": created["releaseId"] });
        let read = recorded.desk.server.call_as(keys::ADMIN, "get_release_by_id", release).await;
        let notes = read.structured["releaseNotes"].as_str().unwrap_or_default().to_owned();
        assert!(notes.starts_with("One\nTwo\n\nMade through octopus-mcp by API key "), "{notes}");
        let in_notes = notes.split("(audit ").nth(1).unwrap().trim_end_matches(')').to_owned();
        assert!(preview.contains(&format!("(audit {in_notes})")), "in the preview: {preview}");
        let sent = recorded.desk.changes();
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
async fn nothing_is_marked_where_the_settings_say_so() {
    let recorded = Recorded::with(|config| config.audit.mark_changes = false).await;
    let (tool, arguments, ..) = changes().remove(0);
    let flow = Way::Code(Era::Modern);
    let (preview, token) = recorded.desk.call(flow, tool, &arguments).await.asked();
    recorded.desk.agree(flow, tool, &arguments, &token).await.answered();
    assert!(!preview.to_lowercase().contains("audit"), "{preview}");
    let sent = recorded.desk.changes();
    assert_eq!(sent[0].body.as_ref().unwrap()["ReleaseNotes"], "One\nTwo");
    assert!(!sent[0].user_agent.as_ref().unwrap().contains("audit"));
    assert!(recorded.records().await[1]["change"].is_string());
}
