//! The records of a change: one id from the question to what was made, and the mark that it leaves.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{Recorded, deployment};
use crate::{
    consent::{Way, changes},
    support::Era,
};

#[tokio::test]
async fn a_change_is_asked_about_agreed_to_and_done_under_one_id() {
    for way in [Way::Rounds, Way::Code(Era::Legacy), Way::Code(Era::Modern)] {
        let recorded = Recorded::start().await;
        let (tool, arguments) = deployment();
        let (words, sealed) = recorded.desk.call(way, tool, &arguments).await.asked();
        recorded.desk.agree(way, tool, &arguments, &sealed).await.answered();
        recorded.desk.agree(way, tool, &arguments, &sealed).await.answered();
        let records = recorded.records().await;
        let said = |name: &str| -> Vec<Value> {
            records.iter().map(|record| record[name].clone()).collect()
        };
        assert_eq!(said("result"), ["asked", "done", "repeated"], "{records:#?}");
        let change = records[0]["change"].as_str().unwrap();
        assert_eq!(said("change"), [change; 3]);
        assert!(words.contains(&format!("Audit ID: {change}")), "{words}");
        let consent = if way == Way::Rounds { "person" } else { "code" };
        assert_eq!(records[1]["consent"], consent);
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
    let (tool, arguments, sends, _) = changes().remove(0);
    let (method, path) = sends.split_once(' ').unwrap();
    let way = Way::Code(Era::Modern);
    let (_, sealed) = recorded.desk.call(way, tool, &arguments).await.asked();
    let fault = Fault::on(path).method(method).status(201).body("{}");
    recorded.desk.server.sample.faults().add(fault);
    for _ in 0..2 {
        let came = recorded.desk.agree(way, tool, &arguments, &sealed).await;
        came.refused("it is not known whether the change was made");
    }
    let records = recorded.records().await;
    let ends: Vec<_> = records.iter().map(|r| (r["result"].clone(), r["error"].clone())).collect();
    assert_eq!(ends[1], (json!("done"), json!("unsure")), "{records:#?}");
    assert_eq!(ends[2], (json!("repeated"), json!("unsure")), "{records:#?}");
}

#[tokio::test]
async fn a_declined_change_is_recorded_as_that() {
    let recorded = Recorded::start().await;
    let (tool, arguments) = deployment();
    for action in ["decline", "cancel"] {
        let (_, sealed) = recorded.desk.call(Way::Rounds, tool, &arguments).await.asked();
        recorded.desk.answer(Way::Rounds, tool, &arguments, &sealed, action).await;
    }
    assert_eq!(recorded.desk.changes(), []);
    let records = recorded.records().await;
    let ends: Vec<_> = records.iter().map(|r| (r["result"].clone(), r["error"].clone())).collect();
    assert_eq!(ends[1], (json!("declined"), json!("declined")));
    assert_eq!(ends[3], (json!("declined"), json!("cancelled")));
}

/// From what stands in Octopus to the records, and to whom it was.
#[tokio::test]
async fn what_was_made_leads_back_to_its_record() {
    for way in [Way::Rounds, Way::Code(Era::Modern)] {
        let recorded = Recorded::start().await;
        let (release, notes, ..) = changes().remove(0);
        let (words, sealed) = recorded.desk.call(way, release, &notes).await.asked();
        let made = recorded.desk.agree(way, release, &notes, &sealed).await.answered();
        let (deploy, arguments) = deployment();
        let (_, sealed) = recorded.desk.call(way, deploy, &arguments).await.asked();
        recorded.desk.agree(way, deploy, &arguments, &sealed).await.answered();

        let release = json!({ "space": "Default", "releaseId": made["releaseId"] });
        let read = recorded.desk.server.call_as(keys::ADMIN, "get_release_by_id", release).await;
        let notes = read.structured["releaseNotes"].as_str().unwrap_or_default().to_owned();
        assert!(notes.starts_with("One\nTwo\n\nMade through octopus-mcp by API key "), "{notes}");
        let in_notes = notes.split("(audit ").nth(1).unwrap().trim_end_matches(')').to_owned();
        assert!(words.contains(&format!("(audit {in_notes})")), "shown before: {words}");
        let sent = recorded.desk.changes();
        let agent = sent[1].user_agent.clone().unwrap();
        let in_agent = agent.split(" audit/").nth(1).unwrap().to_owned();

        let records = recorded.records().await;
        for (id, tool) in [(in_notes, "create_release"), (in_agent, "deploy_release")] {
            let found = records.iter().find(|r| r["change"] == *id && r["result"] == "done");
            let found = found.unwrap_or_else(|| panic!("{id} in {records:#?}"));
            assert_eq!(found["tool"], tool);
            assert!(found["caller"]["subject"].is_string());
        }
    }
}

#[tokio::test]
async fn nothing_is_marked_where_the_settings_say_so() {
    let recorded = Recorded::with(|config| config.audit.mark_changes = false).await;
    let (tool, arguments, ..) = changes().remove(0);
    let way = Way::Code(Era::Modern);
    let (words, sealed) = recorded.desk.call(way, tool, &arguments).await.asked();
    recorded.desk.agree(way, tool, &arguments, &sealed).await.answered();
    assert!(!words.to_lowercase().contains("audit"), "{words}");
    let sent = recorded.desk.changes();
    assert_eq!(sent[0].body.as_ref().unwrap()["ReleaseNotes"], "One\nTwo");
    assert!(!sent[0].user_agent.as_ref().unwrap().contains("audit"));
    assert!(recorded.records().await[1]["change"].is_string());
}
