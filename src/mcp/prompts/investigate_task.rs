//! `investigate_task`: explains a task.

use super::{
    PromptDefinition,
    shared::{SEARCH_LOG, optional_step, required, required_step},
};

pub(super) const PROMPT: PromptDefinition = PromptDefinition {
    name: "investigate_task",
    title: "Investigate a task",
    description: "Explain what a task did and why it ended as it did, from its portal URL.",
    arguments: &[required("url", "URL of the task or deployment in the Octopus portal.")],
    task: &["Explain what the task at {url} did, and why it ended as it did or still runs."],
    steps: &[
        required_step(
            "get_task_from_url",
            &["Call {tool} with url {url}, if it is the URL of a task."],
        ),
        optional_step(
            "get_deployment_from_url",
            &["If it is the URL of a deployment, call {tool} with url {url} instead, and \
                 get_task_details with its taskIdForLogs."],
        ),
        SEARCH_LOG,
        optional_step(
            "find_interruptions",
            &["If the task waits for a person, call {tool} to see for whom and for what."],
        ),
    ],
    answer: "the purpose of the task and who started it; what happened, step by step, in a few \
             lines; where it failed or waits, the exact message, the most likely cause and what to \
             do.",
};
