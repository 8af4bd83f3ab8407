//! `investigate_task`: what a task did.

use super::{
    Definition,
    parts::{LOOK_INTO_LOG, first, needed, perhaps},
};

pub(super) const PROMPT: Definition = Definition {
    name: "investigate_task",
    title: "Investigate a task",
    description: "Explain what a task did and why it ended as it did, from its link.",
    arguments: &[needed("url", "The link to the task or deployment in the Octopus portal.")],
    task: &["Explain what the task at {url} did, and why it ended as it did or still runs."],
    steps: &[
        first("get_task_from_url", &["Call {tool} with url {url}, if that is the link of a task."]),
        perhaps(
            "get_deployment_from_url",
            &[
                "If it is the link of a deployment, call {tool} with url {url} in place of that, and \
                 get_task_details with its taskIdForLogs.",
            ],
        ),
        LOOK_INTO_LOG,
        perhaps(
            "find_interruptions",
            &["If it waits for a person, call {tool} to see for whom and for what."],
        ),
    ],
    answer: "what the task was to do and for whom; what happened, step by step, in a few lines; \
             where it failed or waits, the message word for word, the likeliest cause and what to \
             do.",
};
