//! Recent tool calls of each caller, visible to that caller only.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::Timestamp;
use moka::sync::Cache;
use parking_lot::Mutex;
use serde::Serialize;

use crate::{
    audit::{Outcome, Record},
    octopus::Fingerprint,
    text,
};

/// Maximum number of calls kept for each caller.
const MAX_CALLS: usize = 20;
/// Maximum number of callers. Further callers evict the least recently used ones.
const MAX_CALLERS: u64 = 2_000;
/// Retention of the calls of an idle caller.
const IDLE_TTL: Duration = Duration::from_hours(12);
/// Maximum length of a name in bytes.
const MAX_NAME_BYTES: usize = 128;
/// Maximum number of tasks kept for each call.
const MAX_TASKS: usize = 10;

/// The recent calls of all callers, in the memory of this process. Replicas do not share them, and
/// a restart drops them.
#[derive(Debug, Clone)]
pub struct RecentCalls(Cache<Fingerprint, Arc<Mutex<VecDeque<RecentCall>>>>);

/// The recent calls of one caller.
#[derive(Debug, Clone)]
pub(in crate::tool) struct CallerCalls {
    all: RecentCalls,
    caller: Fingerprint,
}

/// Summary of a finished call, without its arguments and its answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentCall {
    time: Timestamp,
    tool: String,
    result: &'static str,
    /// The kind of error, if the call failed ([`crate::tool::Error::kind`]).
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

impl RecentCalls {
    /// Returns the recent calls of this caller.
    pub(in crate::tool) fn for_caller(&self, caller: Fingerprint) -> CallerCalls {
        CallerCalls { all: self.clone(), caller }
    }
}

impl CallerCalls {
    /// Adds a finished call and evicts the oldest beyond the limit.
    pub(in crate::tool) fn push(&self, record: &Record) {
        let Some(call) = RecentCall::from_record(record) else { return };
        let calls = self.all.0.get_with(self.caller, Arc::default);
        let mut calls = calls.lock();
        calls.truncate(MAX_CALLS - 1);
        calls.push_front(call);
    }

    /// Returns the kept calls, newest first.
    pub(in crate::tool) fn all(&self) -> Vec<RecentCall> {
        let calls = self.all.0.get(&self.caller);
        calls.map_or_else(Vec::new, |calls| calls.lock().iter().cloned().collect())
    }
}

impl RecentCall {
    /// Creates the summary of a record; `None` if the record does not describe a tool call. Omits
    /// the space and project of a rejected call, because the caller may lack access to them.
    fn from_record(record: &Record) -> Option<Self> {
        let tool = record.tool.as_deref()?;
        let target = Some(&record.target).filter(|_| record.result != Outcome::Refused);
        let client = record.client.as_ref().map(|client| client.name.as_str());
        Some(Self {
            time: Timestamp::now(),
            tool: shorten(tool),
            result: record.result.into(),
            error: record.error,
            client: client.map(shorten),
            instance: record.target.instance.as_deref().map(shorten),
            space: target.and_then(|target| target.space.as_deref()).map(shorten),
            project: target.and_then(|target| target.project.as_deref()).map(shorten),
            tasks: record.tasks.iter().take(MAX_TASKS).map(|task| shorten(task)).collect(),
            duration_ms: record.duration_ms,
            request: record.request.as_deref().map(shorten),
        })
    }
}

impl RecentCall {
    /// Removes the space and project, unless `may_be_named` returns true for the space.
    pub fn redact_space_unless(&mut self, is_visible: impl FnOnce(&str) -> bool) {
        if !self.space.as_deref().is_none_or(is_visible) {
            (self.space, self.project) = (None, None);
        }
    }
}

fn shorten(name: &str) -> String {
    text::truncate::head(name, MAX_NAME_BYTES).to_owned()
}

impl Default for RecentCalls {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_CALLERS).time_to_idle(IDLE_TTL).build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::RecordKind;

    fn record(tool: &str, result: Outcome) -> Record {
        let mut record =
            Record { tool: Some(tool.to_owned()), result, ..Record::new(RecordKind::Call) };
        record.target.instance = Some("europe".to_owned());
        record.target.space = Some("Default".to_owned());
        record
    }

    #[test]
    fn keeps_the_newest_calls_of_each_caller() {
        let calls = RecentCalls::default();
        let [one, other] = ["one", "other"].map(|name| Fingerprint::of([name.as_bytes()]));
        for number in 0..MAX_CALLS + 5 {
            calls.for_caller(one).push(&record(&format!("tool_{number}"), Outcome::Done));
        }
        calls.for_caller(other).push(&record("list_spaces", Outcome::Done));
        let kept: Vec<String> =
            calls.for_caller(one).all().into_iter().map(|call| call.tool).collect();
        assert_eq!(kept.len(), MAX_CALLS);
        assert_eq!((kept[0].as_str(), kept[MAX_CALLS - 1].as_str()), ("tool_24", "tool_5"));
        assert_eq!(calls.for_caller(other).all().len(), 1);
        assert!(calls.for_caller(Fingerprint::of([b"nobody".as_slice()])).all().is_empty());
    }

    #[test]
    fn shortens_calls_and_hides_space_of_rejected_calls() {
        let mut long = record(&"x".repeat(1_000), Outcome::Done);
        long.tasks = (0..50).map(|number| format!("ServerTasks-{number}")).collect();
        let call = RecentCall::from_record(&long).unwrap();
        assert_eq!((call.tool.len(), call.tasks.len()), (MAX_NAME_BYTES, MAX_TASKS));
        assert_eq!(call.space.as_deref(), Some("Default"));
        let rejected = RecentCall::from_record(&record("list_spaces", Outcome::Refused)).unwrap();
        assert_eq!((rejected.space, rejected.instance.as_deref()), (None, Some("europe")));
        assert!(RecentCall::from_record(&Record::new(RecordKind::Resource)).is_none());
    }
}
