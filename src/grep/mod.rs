//! Searches the lines of a text of any size for a pattern, in bounded memory.
//!
//! The text arrives in chunks that may be cut anywhere. The options are those of `grep`: context
//! lines, inversion, a maximum number of matches. The search runs on sanitized text. Totals always
//! cover the whole text, even if only a part of it is shown.
//!
//! A call of the regex engine cannot be interrupted. So one call gets only as many bytes as the
//! pattern allows ([`Grep::max_push_bytes`]), and longer lines are searched up to that length.
//!
//! - `pattern` validates and compiles the pattern.
//! - `search` splits the chunks into lines and searches them.
//! - `suspect_scanner` finds the lines that the sanitizer may change; all others are searched
//!   unchanged.
//! - `match_collector` keeps the matches to show with their context lines, and `line_rendering`
//!   truncates them.
//! - `log_prefix` removes the time and level of a task log line.
//! - `result` holds the options and the result.
//!
//! ```
//! use octopus_mcp::grep::{Grep, GrepOptions, Pattern};
//!
//! # fn main() -> Result<(), octopus_mcp::grep::BadPattern> {
//! let options = GrepOptions {
//!     invert: false,
//!     strip_prefixes: false,
//!     before: 0,
//!     after: 0,
//!     max_count: 10,
//!     offset: 0,
//!     max_bytes: 20_480,
//! };
//! let mut search = Grep::new(Pattern::new("fail", false, false)?, options);
//! search.push(b"step 1: ok\nstep 2: fai");
//! search.push(b"led\n");
//! let result = search.finish();
//! assert_eq!((result.total_lines, result.total_matches), (2, 1));
//! # Ok(())
//! # }
//! ```

mod line_rendering;
mod log_prefix;
mod match_collector;
mod pattern;
#[cfg(test)]
mod property_tests;
mod result;
mod search;
mod suspect_scanner;

pub use pattern::{BadPattern, Pattern};
pub use result::{GrepOptions, GrepResult, Line, Match};
pub use search::Grep;
