//! Finds the lines that the sanitizer may change.

use crate::text::{sanitize, secrets};

/// Finds the next position in some lines where the sanitizer may change something. Found positions
/// are cached until they are passed.
#[derive(Debug, Default)]
pub(super) struct Suspect {
    hint: Option<usize>,
    not_plain: Option<usize>,
}

impl Suspect {
    /// Returns the first such position in `lines`.
    pub(super) fn first(&mut self, lines: &[u8]) -> Option<usize> {
        let end = lines.len();
        let hint = *self.hint.get_or_insert_with(|| secrets::hint(lines).unwrap_or(end));
        let not_plain =
            *self.not_plain.get_or_insert_with(|| sanitize::not_plain(lines).unwrap_or(end));
        Some(hint.min(not_plain)).filter(|place| *place < end)
    }

    /// Moves the start of the lines forward by `bytes`.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.hint = self.hint.and_then(|place| place.checked_sub(bytes));
        self.not_plain = self.not_plain.and_then(|place| place.checked_sub(bytes));
    }
}
