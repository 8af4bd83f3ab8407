//! One line of a preview.

use sha2::{Digest, Sha256};

/// One line of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewLine {
    /// The label.
    pub label: String,
    /// The value.
    pub value: String,
}

impl PreviewLine {
    /// Returns a short digest that identifies the line.
    pub(crate) fn digest(&self) -> [u8; 4] {
        truncated_digest(
            Sha256::new().chain_update(&self.label).chain_update([0]).chain_update(&self.value),
        )
    }
}

pub(super) fn truncated_digest<const N: usize>(digest: Sha256) -> [u8; N] {
    let mut short = [0; N];
    for (to, from) in short.iter_mut().zip(digest.finalize()) {
        *to = from;
    }
    short
}
