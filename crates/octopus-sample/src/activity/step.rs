//! Activities and log lines of one step of a task, for each target.

use serde_json::Value;

use super::build::{Builder, node, signed};
use super::trace_output::TraceOutput;
use super::tree::{Activity, Line, Status};
use super::{child_id, targets};
use crate::clock::SECOND;
use crate::database::{Item, LogLine, State, Step};

impl Builder<'_> {
    /// Builds a step of the task. `prefix` is the number in front of its name.
    pub(super) fn step(
        &mut self,
        parent: &str,
        prefix: &str,
        step: &Step,
        environment: &str,
        (from, to): (i64, i64),
        status: Status,
    ) -> Activity {
        let has_ended = !matches!(status, Status::Running | Status::Pending | Status::Skipped);
        let has_started = !matches!(status, Status::Pending | Status::Skipped);
        let span = (has_started.then_some(from), has_ended.then_some(to));
        // A running step has written its lines at its start and none since.
        let to = if status == Status::Running { to.min(from + 30 * SECOND) } else { to };
        let name = format!("{prefix}{}", step.name);
        let mut activity = node(child_id(parent, &step.slug), &name, span, status);
        if !has_started {
            return activity;
        }
        let machines =
            step.target_role.as_deref().map(|role| targets(self.database, environment, role));
        let machines = machines.into_iter().flatten().chain(self.checked_machines());
        let mut places: Vec<String> =
            machines.map(|machine| machine.text("Name").to_owned()).collect();
        if places.is_empty() {
            places.push("Octopus Server".to_owned());
        }
        for (position, place) in places.iter().enumerate() {
            // A failure happens on the first target; the other targets complete before it.
            let status =
                if position == 0 || status == Status::Running { status } else { Status::Success };
            activity.children.push(self.place(&activity.id, place, step, span, (from, to), status));
        }
        if let (Status::Failed, Some(failure), Some(place)) = (status, self.failure, places.first())
        {
            let error = self.placeholders.fill(&failure.error);
            let text = format!(
                "The step failed: Activity {} on {} failed with error '{error}'.",
                step.name,
                display_location(place)
            );
            activity.lines.push(self.line(to - 10, "Fatal", text));
        }
        activity
    }

    /// Returns the deployment targets that are named in the arguments of the task.
    fn checked_machines(&self) -> impl Iterator<Item = &Item> {
        let ids = self.facts.arguments.get("MachineIds").and_then(Value::as_array);
        let ids = ids.into_iter().flatten().filter_map(Value::as_str);
        ids.filter_map(|id| self.database.machines.find(id))
    }

    /// Builds the activity of one target of a step.
    fn place(
        &mut self,
        parent: &str,
        place: &str,
        step: &Step,
        span: (Option<i64>, Option<i64>),
        (from, to): (i64, i64),
        status: Status,
    ) -> Activity {
        let mut leaf = node(child_id(parent, place), place, span, status);
        let waits = self.facts.pending_interruption();
        leaf.lines = match (status, self.failure, waits) {
            (Status::Failed | Status::Running, Some(failure), _) => {
                self.spread(&failure.lines, (from, to - 800))
            }
            (Status::Running, None, Some(_)) => self.first_of(&step.kind, 1, (from, to)),
            (Status::Running | Status::Canceled | Status::Failed, None, _) => {
                self.first_of(&step.kind, 3, (from, to))
            }
            _ => self.script(&step.kind, (from, to)),
        };
        match (status, self.failure) {
            (Status::SuccessWithWarning, _) => {
                let text = "A call took longer than 10 seconds; continuing".to_owned();
                leaf.lines.push(self.line(to - 30, "Warning", text));
            }
            (Status::Failed, Some(failure)) => {
                let error = self.placeholders.fill(&failure.error);
                leaf.lines.push(self.line(to - 90, "Fatal", error));
                if let Some(guidance) = self.facts.guidance() {
                    let text = self
                        .placeholders
                        .fill("Submitted interruption {guidance} and waiting for guidance");
                    leaf.lines.push(self.line(to - 80, "Wait", text));
                    let text = format!("Guidance was given: {guidance}");
                    leaf.lines.push(self.line(to - 40, "Info", text));
                }
                let text =
                    format!("The action {} on {} failed", step.name, display_location(place));
                leaf.lines.push(self.line(to - 12, "Fatal", text));
            }
            (Status::Failed, None) if self.facts.state == State::TimedOut => {
                let text = "The step was stopped because the task timed out".to_owned();
                leaf.lines.push(self.line(to - 12, "Fatal", text));
            }
            (Status::Failed, None) if self.facts.guidance() == Some("Abort") => {
                let text = "The step was aborted by a user".to_owned();
                leaf.lines.push(self.line(to - 12, "Fatal", text));
            }
            (Status::Failed, None) => {
                let text =
                    "Octopus was unable to connect to one of the deployment targets".to_owned();
                leaf.lines.push(self.line(to - 12, "Error", text));
            }
            (Status::Canceled, _) => {
                leaf.lines.push(self.line(to - 12, "Info", "Requested cancellation".to_owned()));
            }
            (Status::Running, Some(_)) if waits == Some("GuidedFailure") => {
                let text = self
                    .placeholders
                    .fill("Submitted interruption {interruption} and waiting for guidance");
                leaf.lines.push(self.line(to, "Wait", text));
            }
            _ => {}
        }
        if status == Status::Success && self.facts.is_retried(&step.slug) {
            self.add_attempts(&mut leaf, step, (from, to));
        }
        leaf
    }

    /// Divides the activity of a target into a failed and a successful attempt, as step retries do.
    fn add_attempts(&mut self, leaf: &mut Activity, step: &Step, (from, to): (i64, i64)) {
        let between = from + (to - from) / 3;
        let first = (Some(from), Some(between));
        let mut first = node(child_id(&leaf.id, "1"), "Attempt 1", first, Status::Failed);
        let error = "Connection reset by peer".to_owned();
        first.lines.push(self.line(between - 40, "Error", error));
        let text = format!("The action {} failed; it is retried in 15 seconds", step.name);
        first.lines.push(self.line(between - 20, "Warning", text));
        let second = (Some(between), leaf.ended);
        let mut second = node(child_id(&leaf.id, "2"), "Attempt 2", second, Status::Success);
        second.lines = std::mem::take(&mut leaf.lines);
        leaf.children = vec![first, second];
    }

    /// Returns the log lines of a successful step of a kind.
    pub(super) fn script(&mut self, kind: &str, span: (i64, i64)) -> Vec<Line> {
        let database = self.database;
        self.spread(database.scripts.lines(kind), span)
    }

    fn first_of(&mut self, kind: &str, count: usize, span: (i64, i64)) -> Vec<Line> {
        let database = self.database;
        let lines = database.scripts.lines(kind);
        self.spread(lines.get(..count).unwrap_or(lines), span)
    }

    /// Returns lines of a fixture, spread evenly over a time span.
    fn spread(&mut self, lines: &[LogLine], (from, to): (i64, i64)) -> Vec<Line> {
        let pause = (to - from) / (signed(lines.len()) + 1);
        let mut at = from;
        let mut written = Vec::with_capacity(lines.len());
        for (category, text) in lines {
            at += pause;
            let text = self.placeholders.fill(text);
            written.push(self.line(at, category, text));
        }
        written
    }

    /// Returns the trace output of a step.
    pub(super) fn trace_output(
        &mut self,
        step: &Step,
        (from, to): (i64, i64),
    ) -> Option<TraceOutput> {
        let trace = self.facts.deployment.as_ref()?.trace.as_ref()?;
        if trace.step != step.slug {
            return None;
        }
        let first_number = self.number + 1;
        self.number += trace.lines;
        Some(TraceOutput { count: trace.lines, from, over: to - from, first_number })
    }

    pub(super) fn line(&mut self, at: i64, category: &str, text: String) -> Line {
        self.number += 1;
        Line { at, category: category.to_owned(), text, number: self.number }
    }
}

/// Returns a location in the form that log messages use.
fn display_location(place: &str) -> String {
    if place == "Octopus Server" { "the Octopus Server".to_owned() } else { place.to_owned() }
}
