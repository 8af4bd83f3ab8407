//! Activity tree and raw log of a task. Both are generated on request.

mod build;
mod details;
mod placeholders;
mod raw;
mod step;
mod trace_output;
mod tree;

pub(super) use build::stop;
pub(super) use details::details;
pub(super) use raw::{log_size, raw};

use super::database::{Database, Item};
use super::random::token;

/// Returns the ID of the root activity of a task.
pub(super) fn root_id(task_id: &str) -> String {
    format!("{task_id}_{}", token(task_id, 10).to_uppercase())
}

/// Returns the ID of the activity of a step.
pub(super) fn step_id(task_id: &str, slug: &str) -> String {
    child_id(&root_id(task_id), slug)
}

fn child_id(parent: &str, name: &str) -> String {
    format!("{parent}/{}", token(&format!("{parent}/{name}"), 32))
}

/// Returns the deployment targets of an environment that have a target tag.
pub(super) fn targets<'a>(
    database: &'a Database,
    environment_id: &'a str,
    role: &'a str,
) -> impl Iterator<Item = &'a Item> {
    database.machines.iter().filter(move |machine| {
        machine.texts("EnvironmentIds").any(|id| id == environment_id)
            && machine.texts("Roles").any(|other| other == role)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::VERSION;
    use crate::version::Version;

    #[test]
    fn activity_trees_match_task_states() {
        let database = Database::build(&Version::parse(VERSION));
        for task in database.tasks.iter() {
            let facts = database.task_facts.get(&task.id).expect(&task.id);
            let text = details(&database, facts, &task.json, false, Some(20));
            let details: Value = serde_json::from_str(&text).expect(&task.id);
            let root = &details["ActivityLogs"][0];
            let expected = match (task.text("State"), task.flag("HasWarningsOrErrors")) {
                ("Queued", _) => "Pending",
                ("Executing" | "Cancelling", _) => "Running",
                ("Success", true) => "SuccessWithWarning",
                ("TimedOut", _) => "Failed",
                (state, _) => state,
            };
            assert_eq!(root["Status"], expected, "{}", task.id);
            let children = root["Children"].as_array().expect(&task.id);
            assert_eq!(children.is_empty(), expected == "Pending", "{}", task.id);
            let broken = children.iter().filter(|child| child["Status"] == "Failed").count();
            assert_eq!(broken, usize::from(expected == "Failed"), "{}", task.id);
            let warned = children.iter().any(|child| child["Status"] == "SuccessWithWarning");
            assert_eq!(warned, expected == "SuccessWithWarning", "{}", task.id);
        }
    }

    #[test]
    fn logs_contain_no_placeholders() {
        let database = Database::build(&Version::parse(VERSION));
        let small =
            database.task_facts.values().filter(|facts| log_size(&database, facts) < 100_000);
        for facts in small {
            for part in raw(&database, facts) {
                let text = String::from_utf8_lossy(&part);
                let left = ["{package}", "{version}", "{slug}", "{environment", "{tenant}"];
                assert!(!left.iter().any(|word| text.contains(word)), "{}: {text}", facts.id);
            }
        }
    }
}
