//! Memory budgets, and the reservations of their readers.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::state::{Holder, State, Waiter};
use crate::octopus::client::credentials::Fingerprint;

/// Number of bytes of each body that need no reservation.
pub const UNRESERVED_BYTES: usize = 64 * 1024;

/// A budget of bytes. Clones share it.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Mutex<State>>);

/// The budget had insufficient memory before the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

/// Bytes that one reader holds. Dropping it releases them.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    id: u64,
    held: usize,
    /// Upper limit to which the claim may be raised.
    max_claim: usize,
}

impl MemoryBudget {
    /// Creates a budget of `total` bytes.
    pub fn new(total: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            total,
            reserved: 0,
            by_owner: HashMap::new(),
            peak: 0,
            refusals: 0,
            next_id: 0,
            holders: BTreeMap::new(),
            waiting: VecDeque::new(),
        })))
    }

    /// Changes the size of the budget. Readers that hold more than their new share keep it until
    /// they finish.
    pub fn resize(&self, total: usize) {
        let mut state = self.lock();
        state.total = total;
        let share = state.owner_share();
        for holder in state.holders.values_mut() {
            holder.claim = holder.claim.min(share).max(holder.held);
        }
        state.grant_waiting();
    }

    /// Returns the maximum number of bytes that one owner can hold, which is also the largest
    /// claim.
    pub fn owner_share(&self) -> usize {
        self.lock().owner_share()
    }

    /// Returns the number of bytes that are reserved now.
    pub fn reserved(&self) -> usize {
        self.lock().reserved
    }

    /// Returns the largest number of bytes that were reserved at any time.
    pub fn peak(&self) -> usize {
        self.lock().peak
    }

    /// Returns the number of readers that failed because the budget had insufficient memory in
    /// time.
    pub fn refusals(&self) -> u64 {
        self.lock().refusals
    }

    /// Registers a reader of `owner` that will hold at most `claim` bytes. It holds none yet.
    pub fn register(&self, owner: Fingerprint, claim: usize) -> Reservation {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        let claim = claim.min(state.owner_share());
        state.holders.insert(id, Holder { owner, held: 0, claim });
        Reservation { budget: self.clone(), id, held: 0, max_claim: claim }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl Reservation {
    /// Allows this reader to raise its claim up to `max_claim` bytes. The claim is raised only when
    /// the reader needs more than it declared; until then it does not block other readers.
    #[must_use]
    pub fn with_max_claim(mut self, max_claim: usize) -> Self {
        self.max_claim = self.max_claim.max(max_claim);
        self
    }

    /// Returns the number of bytes that this reader holds.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Reserves memory until this reader holds `bytes`, without waiting. Returns whether it was
    /// granted.
    pub fn try_grow(&mut self, bytes: usize) -> bool {
        if bytes <= self.held {
            return true;
        }
        let mut state = self.budget.lock();
        let Some(step) = state.plan_step(self.id, bytes, self.max_claim) else { return false };
        let is_granted = state.can_grant(self.id, step);
        if is_granted {
            state.grant(self.id, step);
            self.held += step.bytes;
        }
        is_granted
    }

    /// Reserves memory until this reader holds `bytes`, and waits for it until `deadline`.
    ///
    /// # Errors
    ///
    /// Returns [`Exhausted`] if the budget has insufficient memory before `deadline`, or if `bytes`
    /// exceeds the maximum claim.
    pub async fn grow(&mut self, bytes: usize, deadline: Instant) -> Result<(), Exhausted> {
        if self.try_grow(bytes) {
            return Ok(());
        }
        let granted = {
            let mut state = self.budget.lock();
            let Some(step) = state.plan_step(self.id, bytes, self.max_claim) else {
                state.refusals += 1;
                return Err(Exhausted);
            };
            let (granted, wait) = oneshot::channel();
            state.waiting.push_back(Waiter { holder: self.id, step, granted });
            state.grant_waiting();
            wait
        };
        // The grant and the timeout can happen at the same moment, so the state decides.
        let _ = timeout_at(deadline, granted).await;
        let mut state = self.budget.lock();
        state.waiting.retain(|waiter| waiter.holder != self.id);
        self.held = state.holders.get(&self.id).map_or(0, |holder| holder.held);
        if self.held >= bytes {
            return Ok(());
        }
        state.refusals += 1;
        Err(Exhausted)
    }

    /// Declares that this reader needs no more than `bytes`, and releases the excess.
    pub fn shrink_to(&mut self, bytes: usize) {
        let mut state = self.budget.lock();
        if let Some(holder) = state.holders.get_mut(&self.id) {
            let (owner, excess) = (holder.owner, holder.held.saturating_sub(bytes));
            holder.held -= excess;
            holder.claim = holder.held;
            (self.held, self.max_claim) = (holder.held, holder.held);
            state.release(owner, excess);
        }
        state.grant_waiting();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.waiting.retain(|waiter| waiter.holder != self.id);
        if let Some(holder) = state.holders.remove(&self.id) {
            state.release(holder.owner, holder.held);
        }
        state.grant_waiting();
    }
}
