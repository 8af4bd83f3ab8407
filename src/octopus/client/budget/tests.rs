use std::time::Duration;

use futures::{future::join_all, poll};
use proptest::prelude::*;
use tokio::time::Instant;

use super::{state::STEP, *};
use crate::octopus::client::credentials::Fingerprint;

const MIB: usize = 1024 * 1024;

fn owner(name: &str) -> Fingerprint {
    Fingerprint::of([name.as_bytes()])
}

fn later() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

/// Reads a body of `size` bytes with a claim like the transport does, then releases it.
async fn read(budget: &MemoryBudget, owner: Fingerprint, claim: usize, size: usize) -> bool {
    let mut reservation = budget.register(owner, claim);
    for arrived in (0..size).step_by(STEP).skip(1).chain([size]) {
        if reservation.grow(arrived, later()).await.is_err() {
            return false;
        }
        tokio::task::yield_now().await;
    }
    reservation.shrink_to(size);
    tokio::task::yield_now().await;
    true
}

#[tokio::test]
async fn readers_that_cannot_all_hold_their_claim_still_finish() {
    // Each reader claims half of the budget, so two partial holders could deadlock.
    let budget = MemoryBudget::new(4 * MIB);
    let owners = ["a", "b", "c", "d"].map(owner);
    let reads = (0..64).map(|n| read(&budget, owners[n % 4], 2 * MIB, 2 * MIB));
    assert!(join_all(reads).await.into_iter().all(|finished| finished));
    assert!(budget.peak() <= 4 * MIB, "{}", budget.peak());
    assert_eq!((budget.reserved(), budget.refusals()), (0, 0));
}

#[tokio::test]
async fn owner_holds_at_most_half() {
    let budget = MemoryBudget::new(4 * MIB);
    let mut greedy: Vec<_> = (0..8).map(|_| budget.register(owner("greedy"), 2 * MIB)).collect();
    let grown = greedy.iter_mut().filter_map(|one| one.try_grow(2 * MIB).then_some(())).count();
    assert_eq!((grown, budget.reserved()), (1, 2 * MIB));
    let mut other = budget.register(owner("other"), 2 * MIB);
    assert!(other.try_grow(2 * MIB));
}

#[tokio::test]
async fn dropped_readers_release_memory_and_queue_slots() {
    let budget = MemoryBudget::new(4 * MIB);
    let mut first = budget.register(owner("a"), 2 * MIB);
    assert!(first.try_grow(2 * MIB));
    let mut second = budget.register(owner("a"), 2 * MIB);
    let mut third = budget.register(owner("a"), 2 * MIB);
    {
        let mut waits = Box::pin(second.grow(2 * MIB, later()));
        let mut waits_too = Box::pin(third.grow(MIB, later()));
        assert!(poll!(&mut waits).is_pending() && poll!(&mut waits_too).is_pending());
        drop(first);
        // The step was granted before the cancellation.
        drop(waits);
        assert_eq!(budget.reserved(), 2 * MIB);
        drop(second);
        assert!(poll!(&mut waits_too).is_ready());
    }
    assert_eq!(budget.reserved(), MIB);
    drop(third);
    assert_eq!(budget.reserved(), 0);
}

#[tokio::test]
async fn reader_stops_waiting_at_its_deadline() {
    let budget = MemoryBudget::new(4 * MIB);
    let mut first = budget.register(owner("a"), 2 * MIB);
    assert!(first.try_grow(2 * MIB));
    let mut second = budget.register(owner("a"), 2 * MIB);
    assert_eq!(second.grow(MIB, Instant::now()).await, Err(Exhausted));
    assert_eq!(budget.refusals(), 1);
    first.shrink_to(MIB);
    assert_eq!(second.grow(MIB, Instant::now()).await, Ok(()));
    // A reader cannot exceed its claim.
    assert_eq!(second.grow(3 * MIB, later()).await, Err(Exhausted));
}

#[tokio::test]
async fn claim_is_raised_on_demand() {
    let budget = MemoryBudget::new(4 * MIB);
    let mut first = budget.register(owner("a"), MIB / 4).with_max_claim(2 * MIB);
    let mut others: Vec<_> =
        (0..4).map(|_| budget.register(owner("a"), MIB / 4).with_max_claim(2 * MIB)).collect();
    // Each reader holds its declared claim, so none blocks another.
    assert!(first.try_grow(MIB / 4) && others.iter_mut().all(|other| other.try_grow(MIB / 4)));
    assert!(first.try_grow(MIB / 2) && !first.try_grow(2 * MIB));
    // The first reader now claims the whole share.
    assert!(others.iter_mut().all(|other| !other.try_grow(MIB / 2)));
    drop(others);
    assert!(first.try_grow(2 * MIB) && !first.try_grow(3 * MIB));
    drop(first);
    assert_eq!((budget.reserved(), budget.lock().by_owner.len()), (0, 0));
}

#[tokio::test]
async fn shrinking_affects_only_new_reservations() {
    let budget = MemoryBudget::new(8 * MIB);
    let mut first = budget.register(owner("a"), 4 * MIB);
    let mut second = budget.register(owner("b"), 4 * MIB);
    assert!(first.try_grow(3 * MIB));
    budget.resize(2 * MIB);
    assert!(!second.try_grow(MIB) && !second.try_grow(2 * MIB));
    drop(first);
    assert!(second.try_grow(MIB));
}

proptest! {
    #[test]
    fn random_readers_finish_within_the_budget(
        total in 1_usize..16,
        readers in prop::collection::vec((0_usize..4, 0_usize..9, 0_usize..9), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let budget = MemoryBudget::new(2 * total * STEP);
        let owners = ["a", "b", "c", "d"].map(owner);
        let finished = runtime.block_on(join_all(readers.iter().map(|(owner, claim, size)| {
            let claim = *claim.min(&total) * STEP;
            read(&budget, owners[*owner], claim, claim.min(size * STEP / 2))
        })));
        prop_assert!(finished.into_iter().all(|finished| finished));
        prop_assert!(budget.peak() <= 2 * total * STEP);
        prop_assert_eq!(budget.reserved(), 0);
    }
}
