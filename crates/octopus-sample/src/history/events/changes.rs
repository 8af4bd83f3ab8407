//! Events about changes of projects, processes, variables, tenants and accounts.

use serde_json::{Value, json};

use super::draft::EventDraft;
use crate::clock::{DAY, HOUR, MINUTE, NOW};
use crate::database::{Database, Item};
use crate::random::{Random, token};

pub(super) fn drafts(database: &Database) -> Vec<EventDraft> {
    let mut drafts = Vec::new();
    for project in database.projects.iter() {
        let mut random = Random::of(&format!("{}/changes", project.id));
        for week in 0..12 {
            for _ in 0..random.below(4) {
                let at = NOW - (12 - week) * 7 * DAY + 8 * HOUR + random.time(4 * DAY);
                drafts.push(of_project(project, at, &mut random));
            }
        }
    }
    for tenant in database.tenants.iter() {
        let at = NOW - 70 * DAY + Random::of(&tenant.id).time(60 * DAY);
        let draft = change(tenant, "Tenant ", &tenant.id, at);
        drafts.push(draft.changing(replaced("/TenantTags", &json!(tenant.body.get("TenantTags")))));
    }
    for account in database.accounts.iter() {
        let at = NOW - 85 * DAY + Random::of(&account.id).time(80 * DAY);
        let secret = json!({ "HasValue": true, "NewValue": null, "Hint": null });
        drafts.push(
            change(account, "Account ", &account.id, at).changing(replaced("/Secret", &secret)),
        );
    }
    if let Some(project) = database.projects.find("Projects-5") {
        drafts.push(rate_table(project));
    }
    drafts
}

fn of_project(project: &Item, at: i64, random: &mut Random) -> EventDraft {
    let (subject, id, path, value) = match random.below(4) {
        0 => ("Project ", project.id.clone(), "/Description", json!(project.text("Description"))),
        1 => (
            "Deployment process of ",
            project.text("DeploymentProcessId").to_owned(),
            "/Steps/0/Actions/0/Properties/Octopus.Action.MaxParallelism",
            json!("2"),
        ),
        _ => (
            "Variables of ",
            project.text("VariableSetId").to_owned(),
            "/Variables/1/Value",
            json!(format!("{}", 10 + random.below(90))),
        ),
    };
    change(project, subject, &id, at)
        .about([project.id.as_str(), project.text("ProjectGroupId")])
        .changing(replaced(path, &value))
}

fn change(item: &Item, subject: &str, id: &str, at: i64) -> EventDraft {
    let by = match (item.space_id.as_str(), Random::of(&format!("{id}{at}")).below(5)) {
        (_, 0) => "Users-1",
        ("Spaces-1", _) => "Users-41",
        _ => "Users-42",
    };
    let draft = EventDraft::new(at, "Modified", &item.space_id).by(by);
    draft.text(subject).names(item.text("Name"), id).text(" was changed")
}

fn replaced(path: &str, value: &Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

/// Returns an event with a change of about 300 KB: a table of rates was pasted into a variable set.
fn rate_table(project: &Item) -> EventDraft {
    let rows = (0..2_600).map(|row| {
        let name = format!("Rates.Zone{}.Weight{}", row / 40, row % 40);
        json!({
            "op": "add", "path": format!("/Variables/{}", row + 12),
            "value": { "Name": name, "Value": token(&name, 8), "Type": "String", "Scope": {} },
        })
    });
    let draft = change(
        project,
        "Variables of ",
        project.text("VariableSetId"),
        NOW - 2 * DAY - 31 * MINUTE,
    );
    draft
        .about([project.id.as_str(), project.text("ProjectGroupId")])
        .changing(Value::Array(rows.collect()))
}
