//! State of a budget: the reservations of each reader, and the selection of the next waiting
//! reader.

use std::collections::{BTreeMap, HashMap, VecDeque, hash_map::Entry};

use tokio::sync::oneshot;

use crate::octopus::client::credentials::Fingerprint;

/// Granularity of reservations in bytes.
pub(super) const STEP: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct State {
    pub(super) total: usize,
    pub(super) reserved: usize,
    /// Bytes held by each owner; owners that hold nothing are removed.
    pub(super) by_owner: HashMap<Fingerprint, usize>,
    pub(super) peak: usize,
    pub(super) refusals: u64,
    pub(super) next_id: u64,
    pub(super) holders: BTreeMap<u64, Holder>,
    /// Waiting readers in order of arrival. A waiter that cannot be served yet does not block later
    /// ones.
    pub(super) waiting: VecDeque<Waiter>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub(super) owner: Fingerprint,
    pub(super) held: usize,
    pub(super) claim: usize,
}

#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) holder: u64,
    pub(super) step: Step,
    pub(super) granted: oneshot::Sender<()>,
}

/// A request for more memory: the additional bytes, and the claim of the reader from then on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) bytes: usize,
    pub(super) claim: usize,
}

impl State {
    pub(super) fn owner_share(&self) -> usize {
        self.total / 2
    }

    /// Plans the step to `bytes` in total, rounded up to `STEP` within the claim. If `bytes`
    /// exceeds the claim, the claim is raised up to `max_claim`. Returns `None` if `bytes` exceeds
    /// that as well.
    pub(super) fn plan_step(&self, id: u64, bytes: usize, max_claim: usize) -> Option<Step> {
        let holder = self.holders.get(&id)?;
        let raised = || max_claim.min(self.owner_share()).max(holder.claim);
        let claim = if bytes > holder.claim { raised() } else { holder.claim };
        let goal = bytes.checked_next_multiple_of(STEP)?.min(claim);
        (goal >= bytes).then(|| Step { bytes: goal - holder.held, claim })
    }

    /// Returns whether all readers can still finish if this reader gets the step.
    pub(super) fn can_grant(&self, id: u64, step: Step) -> bool {
        let Some(owner) = self.holders.get(&id).map(|holder| holder.owner) else { return false };
        // Cheap check first: most waiters fail it, and the full check visits every reader.
        let owner_reserved = self.by_owner.get(&owner).copied().unwrap_or_default();
        if self.reserved + step.bytes > self.total
            || owner_reserved + step.bytes > self.owner_share()
        {
            return false;
        }
        let after = |(other, holder): (&u64, &Holder)| {
            if *other == id {
                Holder { held: holder.held + step.bytes, claim: step.claim, ..*holder }
            } else {
                *holder
            }
        };
        let all = || self.holders.iter().map(after);
        is_safe(self.owner_share(), all().filter(|holder| holder.owner == owner))
            && is_safe(self.total, all())
    }

    pub(super) fn grant(&mut self, id: u64, step: Step) {
        if let Some(holder) = self.holders.get_mut(&id) {
            holder.held += step.bytes;
            holder.claim = step.claim;
            *self.by_owner.entry(holder.owner).or_default() += step.bytes;
            self.reserved += step.bytes;
            self.peak = self.peak.max(self.reserved);
        }
    }

    pub(super) fn release(&mut self, owner: Fingerprint, bytes: usize) {
        self.reserved -= bytes;
        if let Entry::Occupied(mut held) = self.by_owner.entry(owner) {
            *held.get_mut() -= bytes;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }

    /// Grants the possible steps of waiting readers. One pass suffices, because a grant
    /// reduces the memory for others.
    pub(super) fn grant_waiting(&mut self) {
        for _ in 0..self.waiting.len() {
            let Some(waiter) = self.waiting.pop_front() else { return };
            if self.can_grant(waiter.holder, waiter.step) {
                self.grant(waiter.holder, waiter.step);
                // A dropped receiver is about to drop its reservation.
                let _ = waiter.granted.send(());
            } else {
                self.waiting.push_back(waiter);
            }
        }
    }
}

/// Returns whether these readers can all finish within `total` bytes, one after the other.
fn is_safe(total: usize, holders: impl Iterator<Item = Holder>) -> bool {
    let mut readers: Vec<_> =
        holders.map(|Holder { held, claim, .. }| (claim.saturating_sub(held), held)).collect();
    readers.sort_unstable();
    let held = readers.iter().map(|(_, held)| held).sum();
    let Some(mut free) = total.checked_sub(held) else { return false };
    readers.into_iter().all(|(need, held)| {
        let can_finish = need <= free;
        free += held;
        can_finish
    })
}
