//! Scheduled tasks: health checks, retention and a weekly runbook run.

use serde_json::{Value, json};

use super::period::START;
use crate::clock::{DAY, HOUR};
use crate::database::{State, TaskFacts};

/// Returns one task of each kind for every day or week until the fixed current time.
pub(super) fn routine() -> Vec<TaskFacts> {
    let mut tasks = Vec::new();
    let days = (0..88).map(|day| START + day * DAY);
    for (day, number) in days.zip(0_u32..) {
        for space in ["Spaces-1", "Spaces-22"] {
            let health = json!({
                "Timeout": "00:05:00", "MachineTimeout": "00:05:00", "EnvironmentId": null,
                "WorkerpoolId": null, "RestrictedTo": "DeploymentTargets", "MachineIds": [],
            });
            let state = if number % 29 == 17 { State::Failed } else { State::Success };
            let text = "Check deployment target health";
            tasks.push(TaskFacts {
                has_warnings: number % 7 == 3,
                state,
                ..task(space, "Health", text, health, day + 18 * HOUR)
            });
            if number % 7 == 0 {
                let text = "Apply retention policies";
                tasks.push(task(space, "Retention", text, json!({}), day + 19 * HOUR));
            }
        }
        if number % 7 == 2 {
            let arguments = json!({ "RunbookRunId": format!("RunbookRuns-{}", 1001 + number / 7) });
            let text = "Run Restart tracking workers on Production";
            let run = task("Spaces-1", "RunbookRun", text, arguments, day + 20 * HOUR);
            tasks.push(TaskFacts { project_id: Some("Projects-1".to_owned()), ..run });
        }
    }
    tasks
}

fn task(space: &str, name: &str, description: &str, arguments: Value, queued: i64) -> TaskFacts {
    TaskFacts {
        id: String::new(),
        space_id: Some(space.to_owned()),
        name: name.to_owned(),
        description: description.to_owned(),
        arguments,
        project_id: None,
        queued,
        duration_seconds: 38,
        state: State::Success,
        failure: None,
        has_warnings: false,
        deployment: None,
    }
}
