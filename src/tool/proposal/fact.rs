//! One line of a proposal.

use sha2::{Digest, Sha256};

/// One line of what a person sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub about: String,
    /// What is so.
    pub says: String,
}

impl Fact {
    /// Tells one fact from another.
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
