//! Finds the lines that the sanitizer may change.

use crate::sanitize::{secrets, strip};

/// Finds the next position in some lines at which the sanitizer may change the text. Found
/// positions are cached until they are passed.
#[derive(Debug, Default)]
pub(super) struct SuspectScanner {
    hint: Option<usize>,
    special_byte: Option<usize>,
}

impl SuspectScanner {
    /// Returns the first such position in `lines`.
    pub(super) fn next_position(&mut self, lines: &[u8]) -> Option<usize> {
        let end = lines.len();
        let hint = *self.hint.get_or_insert_with(|| secrets::first_hint(lines).unwrap_or(end));
        let not_plain = *self
            .special_byte
            .get_or_insert_with(|| strip::first_special_byte(lines).unwrap_or(end));
        Some(hint.min(not_plain)).filter(|position| *position < end)
    }

    /// Moves the start of the lines forward by `bytes`.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.hint = self.hint.and_then(|position| position.checked_sub(bytes));
        self.special_byte = self.special_byte.and_then(|position| position.checked_sub(bytes));
    }
}
