//! Recent tool calls of each caller, visible to that caller only.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use moka::sync::Cache;
use serde::Serialize;

use crate::{
    audit::{Outcome, Record},
    octopus::Fingerprint,
    text,
};

/// Number of calls kept for each caller.
const MOST: usize = 20;
/// Number of callers with kept calls. Beyond it, the least recently used callers are evicted.
const CALLERS: u64 = 2_000;
/// How long the calls of an idle caller are kept.
const KEPT: Duration = Duration::from_hours(12);
/// Maximum length of a name in bytes.
const LONGEST: usize = 128;
/// Number of tasks kept for each call.
const TASKS: usize = 10;

/// The recent calls of all callers, in the memory of this process. Replicas do not share them, and
/// a restart drops them.
#[derive(Debug, Clone)]
pub struct LastCalls(Cache<Fingerprint, Arc<Mutex<VecDeque<LastCall>>>>);

/// The recent calls of one caller.
#[derive(Debug, Clone)]
pub(super) struct CallsOfOne {
    all: LastCalls,
    caller: Fingerprint,
}

/// Summary of a finished call, without its arguments and its answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastCall {
    time: Timestamp,
    tool: String,
    result: &'static str,
    /// The kind of error, if the call failed ([`super::Error::kind`]).
    error: Option<&'static str>,
    /// Name that the MCP client reports.
    client: Option<String>,
    /// Name of the instance.
    pub instance: Option<String>,
    /// Name of the space, if known.
    pub space: Option<String>,
    project: Option<String>,
    tasks: Vec<String>,
    duration_ms: Option<u64>,
    /// ID of the HTTP request, which the logs contain as well.
    request: Option<String>,
}

impl LastCalls {
    /// Returns the recent calls of this caller.
    pub(super) fn of(&self, caller: Fingerprint) -> CallsOfOne {
        CallsOfOne { all: self.clone(), caller }
    }
}

impl CallsOfOne {
    /// Adds a finished call and evicts the oldest beyond the limit.
    pub(super) fn keep(&self, record: &Record) {
        let Some(call) = LastCall::of(record) else { return };
        let calls = self.all.0.get_with(self.caller, Arc::default);
        let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.truncate(MOST - 1);
        calls.push_front(call);
    }

    /// Returns the kept calls, newest first.
    pub(super) fn all(&self) -> Vec<LastCall> {
        let calls = self.all.0.get(&self.caller);
        calls.map_or_else(Vec::new, |calls| {
            calls.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
        })
    }
}

impl LastCall {
    /// Creates the summary of a record; `None` if the record is not of a tool call. Leaves out the
    /// space and project of a rejected call, because the caller may not be allowed to know their
    /// names.
    fn of(record: &Record) -> Option<Self> {
        let tool = record.tool.as_deref()?;
        let place = Some(&record.place).filter(|_| record.result != Outcome::Refused);
        let client = record.client.as_ref().map(|client| client.name.as_str());
        Some(Self {
            time: Timestamp::now(),
            tool: cut(tool),
            result: record.result.name(),
            error: record.error,
            client: client.map(cut),
            instance: record.place.instance.as_deref().map(cut),
            space: place.and_then(|place| place.space.as_deref()).map(cut),
            project: place.and_then(|place| place.project.as_deref()).map(cut),
            tasks: record.tasks.iter().take(TASKS).map(|task| cut(task)).collect(),
            duration_ms: record.duration_ms,
            request: record.request.as_deref().map(cut),
        })
    }
}

impl LastCall {
    /// Removes the space and project, unless `may_be_named` returns true for the space.
    pub fn hide_unless(&mut self, may_be_named: impl FnOnce(&str) -> bool) {
        if !self.space.as_deref().is_none_or(may_be_named) {
            (self.space, self.project) = (None, None);
        }
    }
}

fn cut(name: &str) -> String {
    text::cut::head(name, LONGEST).to_owned()
}

impl Default for LastCalls {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CALLERS).time_to_idle(KEPT).build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Kind;

    fn record(tool: &str, result: Outcome) -> Record {
        let mut record = Record { tool: Some(tool.to_owned()), result, ..Record::new(Kind::Call) };
        record.place.instance = Some("europe".to_owned());
        record.place.space = Some("Default".to_owned());
        record
    }

    #[test]
    fn the_newest_calls_of_one_caller_are_kept_and_no_more_of_them() {
        let calls = LastCalls::default();
        let [one, other] = ["one", "other"].map(|name| Fingerprint::of([name.as_bytes()]));
        for number in 0..MOST + 5 {
            calls.of(one).keep(&record(&format!("tool_{number}"), Outcome::Done));
        }
        calls.of(other).keep(&record("list_spaces", Outcome::Done));
        let kept: Vec<String> = calls.of(one).all().into_iter().map(|call| call.tool).collect();
        assert_eq!(kept.len(), MOST);
        assert_eq!((kept[0].as_str(), kept[MOST - 1].as_str()), ("tool_24", "tool_5"));
        assert_eq!(calls.of(other).all().len(), 1);
        assert!(calls.of(Fingerprint::of([b"nobody".as_slice()])).all().is_empty());
    }

    #[test]
    fn what_is_kept_is_short_and_a_refused_call_names_no_place() {
        let mut long = record(&"x".repeat(1_000), Outcome::Done);
        long.tasks = (0..50).map(|number| format!("ServerTasks-{number}")).collect();
        let call = LastCall::of(&long).unwrap();
        assert_eq!((call.tool.len(), call.tasks.len()), (LONGEST, TASKS));
        assert_eq!(call.space.as_deref(), Some("Default"));
        let refused = LastCall::of(&record("list_spaces", Outcome::Refused)).unwrap();
        assert_eq!((refused.space, refused.instance.as_deref()), (None, Some("europe")));
        assert!(LastCall::of(&Record::new(Kind::Resource)).is_none());
    }
}
