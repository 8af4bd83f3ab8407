//! Options and result of a search.

use schemars::JsonSchema;
use serde::Serialize;

/// Options of a search.
#[derive(Debug, Clone)]
pub struct GrepOptions {
    /// Selects the lines that do not match.
    pub invert: bool,
    /// Removes the time and level of each task log line before the search.
    pub strip_prefixes: bool,
    /// Number of context lines to show before a match.
    pub before: usize,
    /// Number of context lines to show after a match.
    pub after: usize,
    /// Maximum number of matches to show.
    pub max_count: usize,
    /// Number of matches to skip.
    pub offset: u64,
    /// Approximate maximum size of the matches as JSON, in bytes. The first match is always shown.
    pub max_bytes: usize,
}

/// A matching line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Line number, starting at 1.
    pub line_number: u64,
    /// Text of the line.
    pub line: String,
    /// Context lines before the match, without lines that another match already shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Vec<Line>>,
    /// Context lines after the match, up to the next match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<Line>>,
}

/// A context line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Line number, starting at 1.
    pub line_number: u64,
    /// Text of the line.
    pub line: String,
}

/// Result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrepResult {
    /// Number of lines in the whole text.
    pub total_lines: u64,
    /// Number of matches in the whole text.
    pub total_matches: u64,
    /// The shown matches.
    pub matches: Vec<Match>,
    /// Number of lines longer than `searched_line_bytes`; only their beginning was searched.
    pub long_lines: u64,
    /// Number of bytes of a line that are searched.
    pub searched_line_bytes: usize,
    /// Whether `\w`, `\d`, `\s` and `\b` matched ASCII only. See
    /// [`Pattern::is_ascii`](super::Pattern::is_ascii).
    pub is_ascii: bool,
    /// Whether context lines were omitted because the first match with them exceeded `max_bytes`.
    pub context_cut: bool,
}
