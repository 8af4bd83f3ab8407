//! The budgets for answers of Octopus: one for bodies, and one for what is parsed of them.

use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use std::sync::Arc;

use super::{Exhausted, Fingerprint, MemoryBudget, Reservation};

/// Memory of one value of a JSON text in a parsed document, beside its text.
const VALUE: usize = 64;
/// Memory of one object in a list, beside its values: structs of documents have dozens of fields.
const ITEM: usize = 512;

/// The memory for answers of Octopus. Clones share it.
#[derive(Debug, Clone)]
pub struct AnswerMemory {
    bodies: MemoryBudget,
    parsed: MemoryBudget,
}

impl AnswerMemory {
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

    /// Returns how many answers found no memory in time.
    pub fn refusals(&self) -> u64 {
        self.bodies.refusals() + self.parsed.refusals()
    }
}

/// Memory that one call holds until it ends. Clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::octopus) struct CallMemory(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    parsed: Mutex<Option<Reservation>>,
    change: std::sync::Mutex<Option<Reservation>>,
}

impl CallMemory {
    /// Holds the memory of the answer to a change.
    pub(in crate::octopus) fn hold(&self, memory: Reservation) {
        let mut held = self.0.change.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *held = Some(memory);
    }

    /// Reserves memory for a parsed document, unless the call holds as much. The reservation covers
    /// the largest document of the call: most calls drop one before they read the next. A smaller
    /// reservation is released before the wait, so that no two calls wait for parsed memory of one
    /// another. A call that holds parsed memory and waits for a body can wait for one that does the
    /// reverse; both waits end at `deadline`.
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
        let mut memory = budget.open(owner, bytes);
        memory.grow(bytes, deadline).await?;
        *held = Some(memory);
        Ok(())
    }
}

/// How deep values may be nested: `serde_json` refuses deeper ones before it builds them.
const DEEPEST: usize = 128;

/// Returns about how many bytes a JSON text takes when it is parsed into structs. Values that are
/// nested too deep are never built: the parser refuses them, or skips them in a field that nobody
/// reads.
pub(in crate::octopus) fn parsed_size(text: &[u8]) -> usize {
    let (mut size, mut is_text, mut is_escaped) = (text.len(), false, false);
    let mut depth = 0_usize;
    // The last byte outside of texts that is no whitespace.
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
            b'{' if matches!(before, b',' | b'[') => VALUE + ITEM,
            b'{' | b'[' | b',' => VALUE,
            _ => 0,
        };
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth <= DEEPEST {
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
    fn empty_objects_weigh_more_than_texts() {
        let text = br#""[{},{}]\\\"{,""#;
        assert_eq!(parsed_size(text), text.len());
        assert_eq!(parsed_size(b"[1, 2]"), 6 + 2 * VALUE);
        let items = format!("[{}{{}}]", "{},\n".repeat(999));
        assert!(parsed_size(items.as_bytes()) >= 1000 * (ITEM + 2 * VALUE));
        assert_eq!(parsed_size(br#"{"a":{"b":1}}"#), 13 + 2 * VALUE);
        assert_eq!(parsed_size(&b"[".repeat(1000)), 1000 + DEEPEST * VALUE);
        let after = [b"[".repeat(1000), b"]".repeat(1000), b",{}".to_vec()].concat();
        assert_eq!(parsed_size(&after), 2003 + (DEEPEST + 2) * VALUE + ITEM);
    }

    #[tokio::test]
    async fn a_call_holds_the_memory_of_its_largest_document() {
        const MIB: usize = 1024 * 1024;
        let (budget, owner) = (MemoryBudget::new(4 * MIB), Fingerprint::of([b"a".as_slice()]));
        let later = Instant::now() + Duration::from_mins(1);
        let (one, other) = (CallMemory::default(), CallMemory::default());
        for bytes in [MIB, MIB, 2 * MIB, 1] {
            // More than the share in sum: it would wait for itself.
            one.clone().reserve(&budget, owner, bytes, later).await.unwrap();
        }
        assert_eq!(budget.reserved(), 2 * MIB);
        let refused = other.reserve(&budget, owner, MIB, Instant::now()).await;
        assert_eq!(refused, Err(Exhausted));
        drop(one);
        other.reserve(&budget, owner, MIB, later).await.unwrap();
        assert_eq!(budget.reserved(), MIB);
    }
}
