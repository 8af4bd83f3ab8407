//! Types of the activity tree.

use super::trace_output::TraceOutput;

/// A node of the tree: a task, a step, or a target of a step.
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) started: Option<i64>,
    pub(super) ended: Option<i64>,
    pub(super) status: Status,
    pub(super) children: Vec<Activity>,
    pub(super) lines: Vec<Line>,
    /// Computed lines, after the stored ones.
    pub(super) trace_output: Option<TraceOutput>,
}

/// A line of the log.
pub(super) struct Line {
    pub(super) at: i64,
    pub(super) category: String,
    pub(super) text: String,
    /// Position in the whole log.
    pub(super) number: usize,
}

/// Status of an activity. The names are those of the API.
#[derive(Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(const_into_str)]
pub(super) enum Status {
    Pending,
    Running,
    Success,
    SuccessWithWarning,
    Failed,
    Skipped,
    Canceled,
}

impl Status {
    /// Returns the status in the form of the raw log.
    pub(super) const fn log_name(self) -> &'static str {
        match self {
            Self::SuccessWithWarning => "Success with warnings",
            other => other.into_str(),
        }
    }
}

impl Activity {
    /// Returns the lines of this activity without its children.
    pub(super) fn all_lines(&self) -> impl Iterator<Item = Line> + Send + use<> {
        let own: Vec<Line> = self.lines.iter().map(Line::copy).collect();
        own.into_iter().chain(self.trace_output.into_iter().flat_map(TraceOutput::lines))
    }

    /// Returns the number of lines of this activity and its descendants.
    pub(super) fn count(&self) -> usize {
        let own = self.lines.len() + self.trace_output.map_or(0, |trace_output| trace_output.count);
        own + self.children.iter().map(Self::count).sum::<usize>()
    }
}

impl Line {
    fn copy(&self) -> Self {
        Self {
            at: self.at,
            category: self.category.clone(),
            text: self.text.clone(),
            number: self.number,
        }
    }
}
