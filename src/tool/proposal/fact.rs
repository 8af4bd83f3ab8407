//! One line of a preview.

use sha2::{Digest, Sha256};

/// One line of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The label.
    pub about: String,
    /// The value.
    pub says: String,
}

impl Fact {
    /// Returns a short digest that identifies the line.
    pub(in crate::tool) fn digest(&self) -> [u8; 4] {
        short(Sha256::new().chain_update(&self.about).chain_update([0]).chain_update(&self.says))
    }
}

pub(super) fn short<const N: usize>(digest: Sha256) -> [u8; N] {
    let mut short = [0; N];
    for (to, from) in short.iter_mut().zip(digest.finalize()) {
        *to = from;
    }
    short
}
