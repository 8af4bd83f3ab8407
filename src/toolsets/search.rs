//! What the two tools that search text share: the arguments, checked before anything is read, and
//! the matches as they are shown.

use std::collections::VecDeque;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    compute::ComputeScope,
    text::grep::{Found, Grep, Match, Options, Pattern},
    tool::{Context, Error},
};

/// What to look for, as the call says it.
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

/// The matches, and how many there are.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    total_lines: u64,
    total_matches: u64,
    returned_matches: usize,
    /// Whether there are more matches after these.
    truncated: bool,
    /// Call again with this offset for the next matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<u64>,
    /// No line is in it twice.
    matches: Vec<Match>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// How many lines may be shown on each side of a match.
const MOST_CONTEXT: u32 = 50;
/// How many matches are shown where the call does not say.
const USUAL_COUNT: u32 = 100;
/// How many matches may be shown.
const MOST_COUNT: u32 = 500;
/// What stands around the matches in an answer takes about so much.
const AROUND: usize = 1_024;

impl Search<'_> {
    /// Begins the search; every mistake in it is found here. The pattern is compiled in the compute
    /// pool, because a long one with many classes takes a while.
    pub(super) async fn begin(&self, cx: &Context) -> Result<Grep, Error> {
        let is_set = |switch: Option<bool>| switch == Some(true);
        let (ignore_case, fixed) = (is_set(self.case_insensitive), is_set(self.fixed_string));
        let text = self.pattern.to_owned();
        let compile = cx
            .compute()
            .run(move |budget| Ok(Pattern::compile(&text, ignore_case, fixed, || budget.check())?));
        let pattern = compile.await?;
        let pattern = pattern.map_err(|bad| argument("pattern", bad.to_string()))?;
        let limit = |field, value: Option<u32>, usual, least, most| {
            let value = value.unwrap_or(usual);
            if (least..=most).contains(&value) {
                return Ok(value as usize);
            }
            Err(argument(field, format!("{value} is not between {least} and {most}")))
        };
        // The pattern stands in the answer too, and an escape makes two bytes of one.
        let around = AROUND + 2 * self.pattern.len();
        let options = Options {
            invert: is_set(self.invert_match),
            strip_prefixes: is_set(self.strip_prefixes),
            before: limit("beforeContext", self.before_context, 0, 0, MOST_CONTEXT)?,
            after: limit("afterContext", self.after_context, 0, 0, MOST_CONTEXT)?,
            max_count: limit("maxCount", self.max_count, USUAL_COUNT, 1, MOST_COUNT)?,
            offset: self.offset.unwrap_or_default(),
            room: cx.limits.answer.saturating_sub(around),
        };
        Ok(Grep::new(pattern, options))
    }

    /// What was found, and what to try where it was little.
    pub(super) fn answer(&self, found: Found) -> Answer {
        let offset = self.offset.unwrap_or_default();
        let seen = offset.saturating_add(found.matches.len() as u64);
        let more = found.total_matches > seen;
        Answer {
            hint: self.hint(&found, offset),
            total_lines: found.total_lines,
            total_matches: found.total_matches,
            returned_matches: found.matches.len(),
            truncated: more,
            next_offset: more.then_some(seen),
            matches: found.matches,
        }
    }

    fn hint(&self, found: &Found, offset: u64) -> Option<String> {
        let mut hints = Vec::new();
        match (found.total_lines, found.total_matches) {
            (0, _) => hints.push("there is no text here yet".to_owned()),
            (_, 0) if self.invert_match == Some(true) => {
                hints.push("every line has this pattern".to_owned());
            }
            (_, 0) => hints.push(match (self.case_insensitive, self.fixed_string) {
                (Some(true), Some(true)) => "no line has this text; try a part of it".to_owned(),
                (Some(true), _) => "no line has this; try a part of it, or fixedString".to_owned(),
                _ => "no line has this; try caseInsensitive, or a part of it".to_owned(),
            }),
            (_, matches) if offset >= matches => {
                hints.push(format!("`offset` is past the end: there are {matches} matches"));
            }
            _ => {}
        }
        if found.context_cut {
            hints.push("not all lines around the match fit; ask for less context".to_owned());
        }
        if found.long_lines > 0 {
            hints.push(format!(
                "{} lines have more than {} bytes; only their beginning was searched",
                found.long_lines, found.longest_line
            ));
        }
        if found.is_ascii {
            hints.push(
                "with all letters of Unicode the pattern would be too large, so `\\w`, `\\d`, \
                 `\\s` and `\\b` matched ASCII alone"
                    .to_owned(),
            );
        }
        (!hints.is_empty()).then(|| hints.join("; "))
    }
}

/// Searches these pieces in the compute pool. Each job runs for about one turn, so the jobs of
/// other callers get the slot in between, and a cancelled call stops after one call of the engine.
pub(super) async fn push(
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
                    grep.push(&piece.split_to(grep.turn().min(piece.len())));
                    if !piece.is_empty() {
                        pieces.push_front(piece);
                    }
                    if budget.is_turn_over() {
                        break;
                    }
                }
                Ok((grep, pieces))
            })
            .await?;
    }
    Ok(grep)
}

/// Ends the search in the compute pool: the last line is searched now.
pub(super) async fn finish(grep: Grep, compute: &ComputeScope) -> Result<Found, Error> {
    Ok(compute.run(move |_| Ok(grep.finish())).await?)
}

fn argument(field: &str, reason: String) -> Error {
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
    async fn a_search_waits_for_a_slot_of_the_pool() {
        let pool = ComputePool::new(1, Duration::from_mins(1));
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let mut other = Box::pin(pool.run(CallerKey::new([1; 32]), move |_| {
            begun.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        }));
        let mut task = Context::from_waker(Waker::noop());
        assert!(matches!(other.as_mut().poll(&mut task), Poll::Pending));
        has_begun.recv().unwrap();
        let options = Options {
            invert: false,
            strip_prefixes: false,
            before: 0,
            after: 0,
            max_count: 1,
            offset: 0,
            room: 1000,
        };
        let grep = Grep::new(Pattern::new("b", false, true).unwrap(), options);
        let scope = pool.scope(CallerKey::new([2; 32]));
        let mut search = Box::pin(push(grep, [Bytes::from_static(b"a\nb\n")], &scope));
        assert!(matches!(search.as_mut().poll(&mut task), Poll::Pending));
        drop(release);
        other.await.unwrap();
        let found = finish(search.await.unwrap(), &scope).await.unwrap();
        assert_eq!((found.total_lines, found.total_matches), (2, 1));
    }
}
