//! The activity tree.

use super::bulk::Bulk;

/// A node of the tree: the task, a step of it, or a target of a step.
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) started: Option<i64>,
    pub(super) ended: Option<i64>,
    pub(super) status: Status,
    pub(super) children: Vec<Activity>,
    pub(super) lines: Vec<Line>,
    /// Lines nobody keeps, behind the others.
    pub(super) bulk: Option<Bulk>,
}

/// A line of the log.
pub(super) struct Line {
    pub(super) at: i64,
    pub(super) category: String,
    pub(super) text: String,
    /// The place in the whole log.
    pub(super) number: usize,
}

/// How an activity stands.
#[derive(Clone, Copy, PartialEq, Eq)]
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
    /// The status as the API writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Success => "Success",
            Self::SuccessWithWarning => "SuccessWithWarning",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Canceled => "Canceled",
        }
    }

    /// The status as the raw log writes it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::SuccessWithWarning => "Success with warnings",
            other => other.name(),
        }
    }
}

impl Activity {
    /// All lines of this activity itself, made one by one.
    pub(super) fn all_lines(&self) -> impl Iterator<Item = Line> + Send + use<> {
        let own: Vec<Line> = self.lines.iter().map(Line::again).collect();
        own.into_iter().chain(self.bulk.into_iter().flat_map(Bulk::lines))
    }

    /// How many lines there are, here and below.
    pub(super) fn count(&self) -> usize {
        let own = self.lines.len() + self.bulk.map_or(0, |bulk| bulk.count);
        own + self.children.iter().map(Self::count).sum::<usize>()
    }
}

impl Line {
    fn again(&self) -> Self {
        Self {
            at: self.at,
            category: self.category.clone(),
            text: self.text.clone(),
            number: self.number,
        }
    }
}
