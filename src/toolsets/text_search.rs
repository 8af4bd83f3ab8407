//! Text search shared by `grep_task_log` and `grep_llms_txt`.
//!
//! [`Search::start`] validates the arguments and compiles the pattern before anything is read.
//! [`search_chunks`] and [`finish_search`] run the search in the compute pool. [`Search::answer`]
//! builds the answer.

use std::collections::VecDeque;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    compute::ComputeScope,
    grep::{Grep, GrepOptions, GrepResult, Match, Pattern},
    tool::{Context, Error},
};

/// The search arguments of a call.
pub(super) struct Search<'a> {
    pub(super) pattern: &'a str,
    pub(super) case_insensitive: Option<bool>,
    pub(super) invert_match: Option<bool>,
    pub(super) fixed_string: Option<bool>,
    pub(super) before_context: Option<u32>,
    pub(super) after_context: Option<u32>,
    pub(super) max_count: Option<u32>,
    pub(super) offset: Option<u64>,
    pub(super) strip_prefixes: Option<bool>,
}

/// The matches of a search, and their counts.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchAnswer {
    /// Number of lines in the text.
    total_lines: u64,
    /// Number of matches in the text.
    total_matches: u64,
    returned_matches: usize,
    /// Whether more matches follow.
    truncated: bool,
    /// The `offset` of the next matches. Absent after the last match.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<u64>,
    /// Each line appears once.
    matches: Vec<Match>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Maximum number of context lines on each side of a match.
const MAX_CONTEXT_LINES: u32 = 50;
/// Default of `maxCount`.
const DEFAULT_MATCHES: u32 = 100;
/// Maximum of `maxCount`.
const MAX_MATCHES: u32 = 500;
/// Approximate size of the answer without the matches, in bytes.
const ENVELOPE_BYTES: usize = 1_024;

impl Search<'_> {
    /// Validates the arguments and starts the search.
    ///
    /// The pattern is compiled in the compute pool, because a long pattern with many character
    /// classes takes a while.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] with the field for an invalid pattern or a number out of range.
    pub(super) async fn start(&self, cx: &Context) -> Result<Grep, Error> {
        let is_set = |switch: Option<bool>| switch == Some(true);
        let (ignore_case, fixed) = (is_set(self.case_insensitive), is_set(self.fixed_string));
        let text = self.pattern.to_owned();
        let compile = cx
            .compute()
            .run(move |budget| Ok(Pattern::compile(&text, ignore_case, fixed, || budget.check())?));
        let pattern = compile.await?;
        let pattern = pattern.map_err(|bad| invalid_argument("pattern", bad.to_string()))?;
        let limit = |field, value: Option<u32>, default, min, max| {
            let value = value.unwrap_or(default);
            if (min..=max).contains(&value) {
                return Ok(value as usize);
            }
            Err(invalid_argument(
                field,
                format!("{value} is out of range; expected {min} to {max}"),
            ))
        };
        // The answer repeats the pattern, and JSON escapes can double its size.
        let envelope = ENVELOPE_BYTES + 2 * self.pattern.len();
        let options = GrepOptions {
            invert: is_set(self.invert_match),
            strip_prefixes: is_set(self.strip_prefixes),
            before: limit("beforeContext", self.before_context, 0, 0, MAX_CONTEXT_LINES)?,
            after: limit("afterContext", self.after_context, 0, 0, MAX_CONTEXT_LINES)?,
            max_count: limit("maxCount", self.max_count, DEFAULT_MATCHES, 1, MAX_MATCHES)?,
            offset: self.offset.unwrap_or_default(),
            max_bytes: cx.limits.answer.saturating_sub(envelope),
        };
        Ok(Grep::new(pattern, options))
    }

    /// Builds the answer from the search result, with a hint if it has few matches.
    pub(super) fn answer(&self, found: GrepResult) -> SearchAnswer {
        let offset = self.offset.unwrap_or_default();
        let seen = offset.saturating_add(found.matches.len() as u64);
        let more = found.total_matches > seen;
        SearchAnswer {
            hint: self.hint(&found, offset),
            total_lines: found.total_lines,
            total_matches: found.total_matches,
            returned_matches: found.matches.len(),
            truncated: more,
            next_offset: more.then_some(seen),
            matches: found.matches,
        }
    }

    fn hint(&self, found: &GrepResult, offset: u64) -> Option<String> {
        let mut hints = Vec::new();
        match (found.total_lines, found.total_matches) {
            (0, _) => hints.push("the text is empty".to_owned()),
            (_, 0) if self.invert_match == Some(true) => {
                hints.push("every line matches the pattern".to_owned());
            }
            (_, 0) => hints.push(match (self.case_insensitive, self.fixed_string) {
                (Some(true), Some(true)) => {
                    "no line contains this text; try a part of it".to_owned()
                }
                (Some(true), _) => {
                    "no line matches; try a part of the pattern, or fixedString".to_owned()
                }
                _ => "no line matches; try caseInsensitive, or a part of the pattern".to_owned(),
            }),
            (_, matches) if offset >= matches => {
                hints.push(format!("`offset` is past the last of {matches} matches"));
            }
            _ => {}
        }
        if found.context_cut {
            hints.push("some context lines were left out; use a smaller context".to_owned());
        }
        if found.long_lines > 0 {
            hints.push(format!(
                "{} lines are longer than {} bytes; only their beginning was searched",
                found.long_lines, found.searched_line_bytes
            ));
        }
        if found.is_ascii {
            hints.push(
                "the pattern is too large for Unicode classes, so `\\w`, `\\d`, `\\s` and `\\b` \
                 matched ASCII only"
                    .to_owned(),
            );
        }
        (!hints.is_empty()).then(|| hints.join("; "))
    }
}

/// Searches these pieces of text in the compute pool.
///
/// Each job runs for about one time slice, so that jobs of other callers get the slot in between. A
/// cancelled call stops after the current call of the regex engine.
pub(super) async fn search_chunks(
    mut grep: Grep,
    pieces: impl IntoIterator<Item = Bytes>,
    compute: &ComputeScope,
) -> Result<Grep, Error> {
    let mut pieces: VecDeque<Bytes> = pieces.into_iter().collect();
    while !pieces.is_empty() {
        (grep, pieces) = compute
            .run(move |budget| {
                while let Some(mut piece) = pieces.pop_front() {
                    budget.check()?;
                    grep.push(&piece.split_to(grep.max_push_bytes().min(piece.len())));
                    if !piece.is_empty() {
                        pieces.push_front(piece);
                    }
                    if budget.is_time_slice_over() {
                        break;
                    }
                }
                Ok((grep, pieces))
            })
            .await?;
    }
    Ok(grep)
}

/// Ends the search in the compute pool and searches the last line.
pub(super) async fn finish_search(grep: Grep, compute: &ComputeScope) -> Result<GrepResult, Error> {
    Ok(compute.run(move |_| Ok(grep.finish())).await?)
}

fn invalid_argument(field: &str, reason: String) -> Error {
    Error::Argument { field: field.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use super::*;
    use crate::compute::{CallerKey, ComputePool};

    #[tokio::test]
    async fn search_waits_for_a_pool_slot() {
        let pool = ComputePool::new(1, Duration::from_mins(1));
        let (started, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let mut other = Box::pin(pool.run(CallerKey::new([1; 32]), move |_| {
            started.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        }));
        let mut task = Context::from_waker(Waker::noop());
        assert!(matches!(other.as_mut().poll(&mut task), Poll::Pending));
        has_started.recv().unwrap();
        let options = GrepOptions {
            invert: false,
            strip_prefixes: false,
            before: 0,
            after: 0,
            max_count: 1,
            offset: 0,
            max_bytes: 1000,
        };
        let grep = Grep::new(Pattern::new("b", false, true).unwrap(), options);
        let scope = pool.scope(CallerKey::new([2; 32]));
        let mut search = Box::pin(search_chunks(grep, [Bytes::from_static(b"a\nb\n")], &scope));
        assert!(matches!(search.as_mut().poll(&mut task), Poll::Pending));
        drop(release);
        other.await.unwrap();
        let found = finish_search(search.await.unwrap(), &scope).await.unwrap();
        assert_eq!((found.total_lines, found.total_matches), (2, 1));
    }
}
