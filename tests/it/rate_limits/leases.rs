//! Leases: a key is held by one replica at a time.

use std::time::Duration;

use octopus_mcp::{
    config::DurationSetting,
    store::{LeaseOutcome, Store},
};
use tokio_util::sync::CancellationToken;

use super::redis::Redis;
use crate::support::wait_until_some;

const HOUR: Duration = Duration::from_hours(1);

async fn open_store(redis: &Redis, timeout: DurationSetting) -> std::sync::Arc<Store> {
    let mut config = octopus_mcp::config::Config::default();
    redis.configure(&mut config);
    config.limits.store_timeout = timeout;
    Store::open(&config.limits, CancellationToken::new()).await.unwrap()
}

/// Acquires a lease with a value of this replica and an attempt number.
async fn acquire(store: &Store, key: u8, claim: (&[u8], &[u8])) -> LeaseOutcome {
    store.acquire_lease("change", &[key; 32], claim, HOUR).await
}

#[tokio::test]
async fn lease_is_exclusive_until_release_or_expiry() {
    let mut redis = Redis::start().await;
    let timeout = DurationSetting::seconds(5);
    let (one, two) = (open_store(&redis, timeout).await, open_store(&redis, timeout).await);
    assert_eq!(acquire(&one, 1, (b"one", b"1")).await, LeaseOutcome::Acquired);
    // The owner can acquire its own lease again.
    assert_eq!(acquire(&one, 1, (b"one", b"2")).await, LeaseOutcome::Acquired);
    let held_by_other = LeaseOutcome::HeldByOther(b"one2".to_vec());
    assert_eq!(acquire(&two, 1, (b"two", b"1")).await, held_by_other);
    for (store, given_up) in [(&two, b"two1"), (&one, b"one1")] {
        store.release("change", &[1; 32], given_up, HOUR).await;
        let outcome = acquire(&two, 1, (b"two", b"1")).await;
        assert_eq!(outcome, held_by_other, "a release of another or older lease has no effect");
    }
    one.release("change", &[1; 32], b"one2", HOUR).await;
    assert_eq!(acquire(&two, 1, (b"two", b"1")).await, LeaseOutcome::Acquired);
    let brief = Duration::from_millis(50);
    assert_eq!(
        one.acquire_lease("change", &[2; 32], (b"one", b""), brief).await,
        LeaseOutcome::Acquired
    );
    let over =
        async || (acquire(&two, 2, (b"two", b"")).await == LeaseOutcome::Acquired).then_some(());
    wait_until_some(over).await;
    let all = futures::future::join_all((0..20_u8).map(|replica| {
        let store = if replica % 2 == 0 { &one } else { &two };
        async move { acquire(store, 3, (&[replica], b"")).await }
    }));
    let acquired = all.await.into_iter().filter(|claim| *claim == LeaseOutcome::Acquired).count();
    assert_eq!(acquired, 1);
    redis.kill();
    assert_eq!(acquire(&one, 4, (b"one", b"1")).await, LeaseOutcome::Unknown);
    assert_eq!(acquire(&Store::in_memory(), 4, (b"one", b"1")).await, LeaseOutcome::Acquired);
}

/// The outcome was unknown to the caller, so nothing was executed under the lease.
#[tokio::test]
async fn late_lease_is_released_when_the_store_returns() {
    let redis = Redis::start().await;
    let one = open_store(&redis, DurationSetting::seconds(1)).await;
    let two = open_store(&redis, DurationSetting::seconds(5)).await;
    // The script is cached by Redis from now on.
    assert_eq!(acquire(&one, 1, (b"one", b"1")).await, LeaseOutcome::Acquired);
    let taken = redis.command_count("set").await;
    redis.set_stalled(true);
    assert_eq!(acquire(&one, 2, (b"one", b"1")).await, LeaseOutcome::Unknown);
    assert_eq!(redis.command_count("set").await, taken);
    redis.set_stalled(false);
    wait_until_some(async || (redis.command_count("set").await > taken).then_some(())).await;
    wait_until_some(async || {
        (acquire(&two, 2, (b"two", b"1")).await == LeaseOutcome::Acquired).then_some(())
    })
    .await;
}

#[tokio::test]
async fn pending_releases_are_applied_when_the_store_returns() {
    let redis = Redis::start().await;
    let one = open_store(&redis, DurationSetting::seconds(1)).await;
    let two = open_store(&redis, DurationSetting::seconds(5)).await;
    assert_eq!(acquire(&one, 1, (b"one", b"1")).await, LeaseOutcome::Acquired);
    one.put("session", &[2; 32], b"hello", HOUR).await;
    redis.strand_connections();
    one.release("change", &[1; 32], b"one1", HOUR).await;
    one.remove("session", &[2; 32], HOUR).await;
    assert_eq!(one.get("session", &[2; 32]).await, None);
    wait_until_some(async || {
        (acquire(&two, 1, (b"two", b"1")).await == LeaseOutcome::Acquired).then_some(())
    })
    .await;
    wait_until_some(async || two.get("session", &[2; 32]).await.is_none().then_some(())).await;
}
