//! `investigate_task`: explains a task.

use super::{
    Definition,
    parts::{LOOK_INTO_LOG, first, needed, perhaps},
};

pub(super) const PROMPT: Definition = Definition {
    name: "investigate_task",
    title: "Investigate a task",
    description: "Explain what a task did and why it ended as it did, from its portal URL.",
    arguments: &[needed("url", "URL of the task or deployment in the Octopus portal.")],
    task: &["Explain what the task at {url} did, and why it ended as it did or still runs."],
    steps: &[
        first("get_task_from_url", &["Call {tool} with url {url}, if it is the URL of a task."]),
        perhaps(
            "get_deployment_from_url",
            &["If it is the URL of a deployment, call {tool} with url {url} instead, and \
                 get_task_details with its taskIdForLogs."],
        ),
        LOOK_INTO_LOG,
        perhaps(
            "find_interruptions",
            &["If the task waits for a person, call {tool} to see for whom and for what."],
        ),
    ],
    answer: "the purpose of the task and who started it; what happened, step by step, in a few \
             lines; where it failed or waits, the exact message, the most likely cause and what to \
             do.",
};
