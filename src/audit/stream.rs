//! Chain of the records in one output stream of this process: standard output or a collector.

use std::sync::Arc;

use super::{chain::Chain, key::ChainKey};

/// The chain of one output stream.
#[derive(Debug)]
pub(super) struct ChainStream {
    chain: Chain,
    /// The reason for a notice before the next record, if one is due.
    notice_reason: Option<&'static str>,
    /// The number of records that could not be written since the last successful write.
    pub(super) lost: u64,
}

impl ChainStream {
    pub(super) fn new(key: Option<Arc<ChainKey>>) -> Self {
        Self { chain: Chain::new(key), notice_reason: Some("first"), lost: 0 }
    }

    /// Writes a record. If that fails, counts it as lost; the next notice reports the number.
    pub(super) fn write(
        &mut self,
        record: &str,
        write: impl FnOnce(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let reason = self.notice_reason.or((self.lost > 0).then_some("lost"));
        let mut text = String::new();
        let mut chain = self.chain.clone();
        if let Some(reason) = reason {
            (text, chain) = chain.append_notice(reason, self.lost, 0);
        }
        let (line, chain) = chain.append(record);
        text.push_str(&line);
        match write(&text) {
            Ok(()) => {
                (self.chain, self.notice_reason, self.lost) = (chain, None, 0);
                Ok(())
            }
            Err(error) => {
                self.lost += 1;
                Err(error)
            }
        }
    }
}
