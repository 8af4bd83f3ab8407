//! Interruptions: manual steps and guided failures, pending or answered.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::activity::{step_id, stop};
use crate::clock::{MINUTE, SECOND, timestamp};
use crate::database::{Database, Step, TaskFacts, instructions, team_of};
use crate::version::{Feature, Version};

/// Returns the interruptions of a task in the form of the API.
pub(super) fn of(database: &Database, facts: &TaskFacts, version: &Version) -> Vec<Value> {
    let Some((deployment, project_id)) = facts.deployment.as_ref().zip(facts.project_id.as_deref())
    else {
        return Vec::new();
    };
    let (Some(started), Some(process)) = (facts.started(), database.scripts.process(project_id))
    else {
        return Vec::new();
    };
    let steps: Vec<&Step> = process.steps_for(&deployment.environment_id).collect();
    let stop = stop(database, facts, &steps);
    let number = deployment.id.rsplit('-').next().unwrap_or_default();
    let mut made = Vec::new();
    for (position, step) in steps.iter().enumerate() {
        let (id, interruption) = match (position.cmp(&stop), step.kind.as_str(), facts.guidance()) {
            (Ordering::Less, "Manual", _) => {
                (format!("Interruptions-{number}"), Interruption::Manual(Some("Proceed")))
            }
            (Ordering::Equal, "Manual", _) if facts.pending_interruption().is_some() => {
                (format!("Interruptions-{number}"), Interruption::Manual(None))
            }
            (Ordering::Equal, _, Some(_)) => {
                (format!("Interruptions-1{number}"), Interruption::Guidance(facts.guidance()))
            }
            (Ordering::Equal, _, None) if facts.pending_interruption() == Some("GuidedFailure") => {
                (format!("Interruptions-{number}"), Interruption::Guidance(None))
            }
            _ => continue,
        };
        let created = match interruption {
            Interruption::Guidance(Some(_)) => {
                facts.completed().map_or(started, |end| end - SECOND)
            }
            Interruption::Guidance(None) => started + MINUTE,
            Interruption::Manual(_) => started + 9 * SECOND,
        };
        made.push(body(database, facts, version, &id, step, &interruption, created));
    }
    made
}

/// An interruption and its answer, if it has one.
enum Interruption<'a> {
    Manual(Option<&'a str>),
    Guidance(Option<&'a str>),
}

fn body(
    database: &Database,
    facts: &TaskFacts,
    version: &Version,
    id: &str,
    step: &Step,
    interruption: &Interruption<'_>,
    created: i64,
) -> Value {
    let deployment = facts.deployment.as_ref();
    let space = facts.space_id.as_deref().unwrap_or_default();
    let (is_manual, answer) = match interruption {
        Interruption::Manual(answer) => (true, *answer),
        Interruption::Guidance(answer) => (false, *answer),
    };
    let related: Vec<&str> = [
        deployment.map(|deployment| deployment.id.as_str()),
        Some(facts.id.as_str()),
        facts.project_id.as_deref(),
        deployment.map(|deployment| deployment.environment_id.as_str()),
        deployment.and_then(|deployment| deployment.tenant_id.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let by = deployment.map(|deployment| deployment.by_user_id.as_str());
    let path = format!("/api/{space}/interruptions/{id}");
    let mut body = json!({
        "Id": id,
        "SpaceId": space,
        "Title": if is_manual { step.name.clone() } else {
            format!("{} requires failure guidance", step.name) },
        "Type": if is_manual { "ManualIntervention" } else { "GuidedFailure" },
        "Created": timestamp(created),
        "IsPending": answer.is_none(),
        "Form": form(database, facts, step, is_manual, answer),
        "RelatedDocumentIds": related,
        "ResponsibleTeamIds": if is_manual { json!([team_of(space)]) } else { json!([]) },
        "ResponsibleUserId": answer.and(by),
        "CanTakeResponsibility": true,
        "HasResponsibility": false,
        "TaskId": facts.id,
        "CorrelationId": step_id(&facts.id, &step.slug),
        "IsLinkedToOtherInterruption": false,
        "PullRequests": [],
        "Links": {
            "Self": path, "Submit": format!("{path}/submit"),
            "Responsible": format!("{path}/responsible"),
        },
    });
    if let Some(body) = body.as_object_mut().filter(|_| !version.has(Feature::PendingTypes)) {
        body.remove("PullRequests");
    }
    body
}

/// Returns the form: its text, its controls and the submitted values.
fn form(
    database: &Database,
    facts: &TaskFacts,
    step: &Step,
    is_manual: bool,
    answer: Option<&str>,
) -> Value {
    let text = if is_manual {
        instructions(step).to_owned()
    } else {
        let failure = facts.failure.as_deref().and_then(|id| database.scripts.failure(id));
        let error = failure.map_or("", |failure| failure.error.as_str());
        format!("The step failed: {} failed with error '{error}'.", step.name)
    };
    let button = |text: &str, value: &str| json!({ "Text": text, "Value": value, "RequiresConfirmation": value == "Abort" });
    let (key, buttons) = if is_manual {
        ("Result", vec![button("Proceed", "Proceed"), button("Abort", "Abort")])
    } else {
        let exclude = button("Exclude machine from deployment", "Exclude");
        let plain = ["Fail", "Retry", "Ignore"].map(|value| button(value, value));
        let place = step.target_role.as_ref().map(|_| exclude);
        ("Guidance", plain.into_iter().chain(place).collect())
    };
    let notes =
        answer.map(|answer| if answer == "Fail" { "Will be tried again" } else { "Agreed" });
    let values: Map<String, Value> = [
        ("Instructions".to_owned(), Value::Null),
        ("Notes".to_owned(), json!(notes)),
        (key.to_owned(), json!(answer)),
    ]
    .into_iter()
    .collect();
    json!({
        "Values": values,
        "Elements": [
            {
                "Name": "Instructions",
                "Control": { "Type": "Paragraph", "Text": text, "ResolveLinks": false },
                "IsValueRequired": false,
            },
            {
                "Name": "Notes", "Control": { "Type": "TextArea", "Label": "Notes" },
                "IsValueRequired": false,
            },
            {
                "Name": key, "Control": { "Type": "SubmitButtonGroup", "Buttons": buttons },
                "IsValueRequired": false,
            },
        ],
    })
}
