//! Builds the activity tree of a task from its [`TaskFacts`].

use super::placeholders::Placeholders;
use super::tree::{Activity, Status};
use super::{child_id, root_id};
use crate::clock::SECOND;
use crate::database::{Database, Failure, State, Step, TaskFacts};

/// Returns the activity tree of a task.
pub(super) fn tree(database: &Database, facts: &TaskFacts) -> Activity {
    let failure = facts.failure.as_deref().and_then(|id| database.scripts.failure(id));
    let placeholders = Placeholders::of(database, facts);
    Builder { database, facts, failure, placeholders, number: 0 }.root()
}

/// Builder of a tree. It numbers the log lines.
pub(super) struct Builder<'a> {
    pub(super) database: &'a Database,
    pub(super) facts: &'a TaskFacts,
    pub(super) failure: Option<&'a Failure>,
    pub(super) placeholders: Placeholders,
    /// Number of the last line so far.
    pub(super) number: usize,
}

impl Builder<'_> {
    fn root(mut self) -> Activity {
        let id = root_id(&self.facts.id);
        let Some(started) = self.facts.started() else {
            let mut root = node(id, &self.facts.description, (None, None), Status::Pending);
            let reason = self.wait_reason();
            root.lines.push(self.line(self.facts.queued + 200, "Wait", reason));
            return root;
        };
        let ended = self.facts.completed();
        let mut root =
            node(id, &self.facts.description, (Some(started + 30), ended), self.status());
        let guided = self.facts.pending_interruption().is_some() || self.facts.guidance().is_some();
        let enabled = if guided { "enabled" } else { "not enabled" };
        let text = format!("Guided failure is {enabled} for this task");
        root.lines.push(self.line(started + 40, "Verbose", text));
        match self.facts.deployment.as_ref().map(|deployment| deployment.environment_id.clone()) {
            Some(environment) => root.children = self.steps(&root.id, &environment, started),
            None => root.children = vec![self.only_step(&root.id, started)],
        }
        if let Some((at, message)) = ended.zip(self.final_error()) {
            root.lines.push(self.line(at - 22, "Fatal", message.to_owned()));
        }
        root
    }

    /// Returns the message that says why the task is queued.
    fn wait_reason(&self) -> String {
        let project = self.facts.project_id.as_deref();
        let runs = |other: &&TaskFacts| {
            other.state == State::Executing
                && other.project_id.is_some()
                && other.project_id.as_deref() == project
        };
        let mut running: Vec<&TaskFacts> = self.database.task_facts.values().filter(runs).collect();
        running.sort_by(|one, other| one.id.cmp(&other.id));
        running.first().map_or_else(
            || "Waiting for another task of this server node to finish".to_owned(),
            |task| format!("Waiting for {} to finish: {}", task.id, task.description),
        )
    }

    fn status(&self) -> Status {
        match self.facts.state {
            State::Queued => Status::Pending,
            State::Executing | State::Cancelling => Status::Running,
            State::Failed | State::TimedOut => Status::Failed,
            State::Canceled => Status::Canceled,
            State::Success if self.facts.has_warnings => Status::SuccessWithWarning,
            State::Success => Status::Success,
        }
    }

    fn final_error(&self) -> Option<&'static str> {
        Some(crate::database::error_message(self.facts)).filter(|text| !text.is_empty())
    }

    /// Adds the only step of a task that is not a deployment.
    fn only_step(&mut self, parent: &str, started: i64) -> Activity {
        let end = started + self.facts.run_time();
        let name = self.facts.description.clone();
        let kind = self.facts.name.clone();
        let step = Step {
            slug: kind.to_lowercase(),
            name,
            kind,
            target_role: None,
            environments: Vec::new(),
            is_required: false,
        };
        let mut activity =
            self.step(parent, "", &step, "", (started + 120, end - 200), self.status());
        activity.name = step.name;
        activity
    }

    fn steps(&mut self, parent: &str, environment: &str, started: i64) -> Vec<Activity> {
        let process =
            self.facts.project_id.as_deref().and_then(|id| self.database.scripts.process(id));
        let steps: Vec<Step> = process
            .into_iter()
            .flat_map(|process| process.steps_for(environment))
            .cloned()
            .collect();
        let stop = stop(self.database, self.facts, &steps.iter().collect::<Vec<_>>());
        let whole = self.facts.run_time() - 1_000;
        let share = whole / (signed(steps.len()) + 1);
        // A failing or waiting step takes most of the time.
        let step_time = if stop < steps.len() { share.min(20 * SECOND) } else { share };
        let mut from = started + 300;
        let mut activities = vec![self.acquire_packages(parent, from, step_time.min(8 * SECOND))];
        from += step_time.min(8 * SECOND);
        for (position, step) in steps.iter().enumerate() {
            let to = if position == stop { started + whole } else { from + step_time };
            let status = match position.cmp(&stop) {
                std::cmp::Ordering::Less => self.done(step, &steps),
                std::cmp::Ordering::Equal => self.status(),
                std::cmp::Ordering::Greater if self.facts.state.is_completed() => Status::Skipped,
                std::cmp::Ordering::Greater => Status::Pending,
            };
            let name = format!("Step {}: ", position + 1);
            let span = (from, to - 200);
            from = to;
            let mut activity = self.step(parent, &name, step, environment, span, status);
            if let Some(leaf) = activity.children.last_mut() {
                leaf.trace_output = self.trace_output(step, span);
            }
            activities.push(activity);
        }
        activities
    }

    /// Returns the status of a completed step. The first step with a target has the warning, if
    /// any.
    fn done(&self, step: &Step, steps: &[Step]) -> Status {
        let carrier = steps.iter().find(|step| step.kind != "Manual" && step.kind != "Script");
        let warned =
            self.facts.has_warnings && carrier.is_some_and(|other| other.slug == step.slug);
        if warned { Status::SuccessWithWarning } else { Status::Success }
    }

    fn acquire_packages(&mut self, parent: &str, from: i64, share: i64) -> Activity {
        let id = child_id(parent, "Acquire packages");
        let span = (Some(from), Some(from + share - 100));
        let mut activity = node(id, "Acquire packages", span, Status::Success);
        activity.lines = self.script("Acquire", (from, from + share - 100));
        activity
    }
}

/// Returns the index of the step in which the task failed or now runs; the number of steps if all
/// succeeded.
pub(crate) fn stop(database: &Database, facts: &TaskFacts, steps: &[&Step]) -> usize {
    if facts.state == State::Success {
        return steps.len();
    }
    let failure = facts.failure.as_deref().and_then(|id| database.scripts.failure(id));
    let kind = match (failure, facts.pending_interruption().or(facts.guidance())) {
        (Some(failure), _) => failure.kind.as_str(),
        (None, Some("ManualIntervention" | "Abort")) => "Manual",
        _ => return steps.iter().position(|step| step.kind != "Manual").unwrap_or(0),
    };
    steps.iter().position(|step| step.kind == kind).unwrap_or(steps.len().saturating_sub(1))
}

pub(super) fn node(
    id: String,
    name: &str,
    (started, ended): (Option<i64>, Option<i64>),
    status: Status,
) -> Activity {
    Activity {
        id,
        name: name.to_owned(),
        started,
        ended,
        status,
        children: Vec::new(),
        lines: Vec::new(),
        trace_output: None,
    }
}

pub(super) fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
