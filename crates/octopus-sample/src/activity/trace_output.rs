//! Trace output of many lines. Each line is computed from its number, so that none is stored.

use super::tree::Line;

/// Lines of a step with trace output.
#[derive(Clone, Copy)]
pub(super) struct TraceOutput {
    pub(super) count: usize,
    /// Time of the first line, and the duration until the last.
    pub(super) from: i64,
    pub(super) over: i64,
    /// Number of the first line in the whole log.
    pub(super) first_number: usize,
}

const PROVIDERS: [&str; 5] = ["network", "cluster", "database", "dns", "storage"];

impl TraceOutput {
    /// Returns all lines as an iterator.
    pub(super) fn lines(self) -> impl Iterator<Item = Line> + Send {
        (0..self.count).map(move |position| self.line(position))
    }

    /// Returns the last lines.
    pub(super) fn tail(self, count: usize) -> impl Iterator<Item = Line> + Send {
        (self.count.saturating_sub(count)..self.count).map(move |position| self.line(position))
    }

    fn line(self, position: usize) -> Line {
        let (category, text) = text(position);
        Line {
            at: self.from + self.over * signed(position) / signed(self.count).max(1),
            category: category.to_owned(),
            text,
            number: self.first_number + position,
        }
    }
}

/// Returns category and text of a line. Three lines differ from the rest, so that a log search has
/// matches.
fn text(position: usize) -> (&'static str, String) {
    match position {
        41_207 => {
            let text = "provider.database: quota for storage in region south-2 is 92 % used";
            return ("Warning", text.to_owned());
        }
        73_550 => {
            let text = "provider.cluster: node pool freight-b took 1184 seconds to become ready; \
                        the slow call is PUT /v1/pools/freight-b";
            return ("Warning", text.to_owned());
        }
        90_011 => {
            let text = "provider.dns: retrying after 429 Too Many Requests, attempt 4 of 5";
            return ("Warning", text.to_owned());
        }
        _ => {}
    }
    let provider = PROVIDERS.get(position % PROVIDERS.len()).unwrap_or(&"network");
    let request = position.wrapping_mul(2_654_435_761) % 0xffff_ffff;
    let text = format!(
        "[TRACE] provider.{provider}: request {request:08x} GET /v1/resources/{} answered 200 in {} ms",
        position % 9_973,
        12 + position % 87,
    );
    ("Verbose", text)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
