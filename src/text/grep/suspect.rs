//! Where in some lines the sanitizer may change something.

use crate::text::{sanitize, secrets};

/// Where in some lines the sanitizer may change something. What was found is not searched for again.
#[derive(Debug, Default)]
pub(super) struct Suspect {
    hint: Option<usize>,
    not_plain: Option<usize>,
}

impl Suspect {
    pub(super) fn first(&mut self, lines: &[u8]) -> Option<usize> {
        let end = lines.len();
        let hint = *self.hint.get_or_insert_with(|| secrets::hint(lines).unwrap_or(end));
        let not_plain =
            *self.not_plain.get_or_insert_with(|| sanitize::not_plain(lines).unwrap_or(end));
        Some(hint.min(not_plain)).filter(|place| *place < end)
    }

    /// The lines begin so much later now.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.hint = self.hint.and_then(|place| place.checked_sub(bytes));
        self.not_plain = self.not_plain.and_then(|place| place.checked_sub(bytes));
    }
}
