//! The chain of records in one stream of this process: standard output, or a collector.

use std::sync::Arc;

use super::{chain::Chain, key::ChainKey};

/// The chain of records in one stream of this process.
#[derive(Debug)]
pub(super) struct Stream {
    chain: Chain,
    /// Why the next record has a notice before it.
    begins: Option<&'static str>,
    /// How many records could not be written since the last one that was.
    pub(super) lost: u64,
}

impl Stream {
    pub(super) fn new(key: Option<Arc<ChainKey>>) -> Self {
        Self { chain: Chain::new(key), begins: Some("first"), lost: 0 }
    }

    /// Writes a record. One that cannot be written is counted, and the next notice says so.
    pub(super) fn write(
        &mut self,
        record: &str,
        write: impl FnOnce(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let why = self.begins.or((self.lost > 0).then_some("lost"));
        let mut text = String::new();
        let mut chain = self.chain.clone();
        if let Some(why) = why {
            (text, chain) = chain.notice(why, self.lost, 0);
        }
        let (line, chain) = chain.line(record);
        text.push_str(&line);
        match write(&text) {
            Ok(()) => {
                (self.chain, self.begins, self.lost) = (chain, None, 0);
                Ok(())
            }
            Err(error) => {
                self.lost += 1;
                Err(error)
            }
        }
    }
}
