//! Memory budgets for the responses of Octopus: one for bodies and one for parsed documents.

use std::sync::Arc;

use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::memory::{Exhausted, MemoryBudget, Reservation};
use crate::octopus::client::credentials::Fingerprint;

/// Estimated memory of one JSON value in a parsed document, without its text.
const VALUE_SIZE: usize = 64;
/// Estimated memory of one object in a list, without its values; document structs have dozens of
/// fields.
const ITEM_SIZE: usize = 512;

/// Memory budgets for responses of Octopus. Clones share them.
#[derive(Debug, Clone)]
pub struct ResponseMemory {
    bodies: MemoryBudget,
    parsed: MemoryBudget,
}

impl ResponseMemory {
    /// Creates two budgets of `total` bytes each: for bodies and for parsed documents.
    pub fn new(total: usize) -> Self {
        Self { bodies: MemoryBudget::new(total), parsed: MemoryBudget::new(total) }
    }

    /// Changes the size of both budgets.
    pub fn resize(&self, total: usize) {
        self.bodies.resize(total);
        self.parsed.resize(total);
    }

    /// Returns the budget for bodies.
    pub fn bodies(&self) -> &MemoryBudget {
        &self.bodies
    }

    /// Returns the budget for parsed documents.
    pub fn parsed(&self) -> &MemoryBudget {
        &self.parsed
    }

    /// Returns the number of bytes that are reserved now.
    pub fn reserved(&self) -> usize {
        self.bodies.reserved() + self.parsed.reserved()
    }

    /// Returns the number of responses that got no memory in time.
    pub fn refusals(&self) -> u64 {
        self.bodies.refusals() + self.parsed.refusals()
    }
}

/// Memory that a call holds until it ends. Clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::octopus) struct CallMemory(Arc<CallReservations>);

#[derive(Debug, Default)]
struct CallReservations {
    parsed: Mutex<Option<Reservation>>,
    change: parking_lot::Mutex<Option<Reservation>>,
}

impl CallMemory {
    /// Holds the memory of the response to a change.
    pub(in crate::octopus) fn hold(&self, memory: Reservation) {
        let mut held = self.0.change.lock();
        *held = Some(memory);
    }

    /// Reserves memory for a parsed document, unless the call holds that much already. The
    /// reservation covers the largest document of the call, because most calls drop one document
    /// before they read the next.
    ///
    /// A smaller reservation is released before the wait, so that no two calls wait for each
    /// other's parsed memory. A call that holds parsed memory and waits for a body can still
    /// deadlock with a call that does the reverse. `deadline` ends both waits.
    pub(in crate::octopus) async fn reserve(
        &self,
        budget: &MemoryBudget,
        owner: Fingerprint,
        bytes: usize,
        deadline: Instant,
    ) -> Result<(), Exhausted> {
        let mut held = timeout_at(deadline, self.0.parsed.lock()).await.map_err(|_| Exhausted)?;
        if held.as_ref().is_some_and(|held| held.held() >= bytes) {
            return Ok(());
        }
        *held = None;
        let mut memory = budget.register(owner, bytes);
        memory.grow(bytes, deadline).await?;
        *held = Some(memory);
        Ok(())
    }
}

/// Maximum nesting depth: `serde_json` rejects deeper values before it builds them.
const MAX_DEPTH: usize = 128;

/// Estimates the memory in bytes of a JSON text that is parsed into structs. Values nested too deep
/// are not included: the parser rejects them, or skips them in an ignored field.
pub(in crate::octopus) fn estimate_parsed_size(text: &[u8]) -> usize {
    let (mut size, mut is_text, mut is_escaped) = (text.len(), false, false);
    let mut depth = 0_usize;
    // The previous byte that is neither whitespace nor part of a text.
    let mut before = 0;
    for &byte in text {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_text = false,
                _ => {}
            }
            continue;
        }
        let more = match byte {
            b'{' if matches!(before, b',' | b'[') => VALUE_SIZE + ITEM_SIZE,
            b'{' | b'[' | b',' => VALUE_SIZE,
            _ => 0,
        };
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth <= MAX_DEPTH {
            size = size.saturating_add(more);
        }
        is_text = byte == b'"';
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn estimate_counts_objects_more_than_text() {
        let text = br#""[{},{}]\\\"{,""#;
        assert_eq!(estimate_parsed_size(text), text.len());
        assert_eq!(estimate_parsed_size(b"[1, 2]"), 6 + 2 * VALUE_SIZE);
        let items = format!("[{}{{}}]", "{},\n".repeat(999));
        assert!(estimate_parsed_size(items.as_bytes()) >= 1000 * (ITEM_SIZE + 2 * VALUE_SIZE));
        assert_eq!(estimate_parsed_size(br#"{"a":{"b":1}}"#), 13 + 2 * VALUE_SIZE);
        assert_eq!(estimate_parsed_size(&b"[".repeat(1000)), 1000 + MAX_DEPTH * VALUE_SIZE);
        let after = [b"[".repeat(1000), b"]".repeat(1000), b",{}".to_vec()].concat();
        assert_eq!(estimate_parsed_size(&after), 2003 + (MAX_DEPTH + 2) * VALUE_SIZE + ITEM_SIZE);
    }

    #[tokio::test]
    async fn call_holds_memory_of_its_largest_document() {
        const MIB: usize = 1024 * 1024;
        let (budget, owner) = (MemoryBudget::new(4 * MIB), Fingerprint::of([b"a".as_slice()]));
        let later = Instant::now() + Duration::from_mins(1);
        let (one, other) = (CallMemory::default(), CallMemory::default());
        for bytes in [MIB, MIB, 2 * MIB, 1] {
            // The sum exceeds the caller's share, so separate reservations would wait for each
            // other.
            one.clone().reserve(&budget, owner, bytes, later).await.unwrap();
        }
        assert_eq!(budget.reserved(), 2 * MIB);
        let rejected = other.reserve(&budget, owner, MIB, Instant::now()).await;
        assert_eq!(rejected, Err(Exhausted));
        drop(one);
        other.reserve(&budget, owner, MIB, later).await.unwrap();
        assert_eq!(budget.reserved(), MIB);
    }
}
