//! Leases: a key is held by one replica at a time.

use std::time::Duration;

use octopus_mcp::{
    config::Period,
    store::{Claim, Store},
};
use tokio_util::sync::CancellationToken;

use super::redis::Redis;
use crate::support::soon;

const HOUR: Duration = Duration::from_hours(1);

async fn open(redis: &Redis, patience: Period) -> std::sync::Arc<Store> {
    let mut config = octopus_mcp::config::Config::default();
    redis.store(&mut config);
    config.limits.store_timeout = patience;
    Store::open(&config.limits, CancellationToken::new()).await.unwrap()
}

/// Acquires a lease with a value of this replica and an attempt number.
async fn claim(store: &Store, key: u8, claim: (&[u8], &[u8])) -> Claim {
    store.claim("deed", &[key; 32], claim, HOUR).await
}

#[tokio::test]
async fn a_name_is_claimed_by_one_replica_until_it_gives_it_up_or_its_time_is_over() {
    let mut redis = Redis::start().await;
    let patience = Period::seconds(5);
    let (one, two) = (open(&redis, patience).await, open(&redis, patience).await);
    assert_eq!(claim(&one, 1, (b"one", b"1")).await, Claim::Ours);
    // The owner can acquire its own lease again.
    assert_eq!(claim(&one, 1, (b"one", b"2")).await, Claim::Ours);
    let theirs = Claim::Theirs(b"one2".to_vec());
    assert_eq!(claim(&two, 1, (b"two", b"1")).await, theirs);
    for (store, given_up) in [(&two, b"two1"), (&one, b"one1")] {
        store.give_up("deed", &[1; 32], given_up, HOUR).await;
        let held = claim(&two, 1, (b"two", b"1")).await;
        assert_eq!(held, theirs, "a release of another or older lease has no effect");
    }
    one.give_up("deed", &[1; 32], b"one2", HOUR).await;
    assert_eq!(claim(&two, 1, (b"two", b"1")).await, Claim::Ours);
    let brief = Duration::from_millis(50);
    assert_eq!(one.claim("deed", &[2; 32], (b"one", b""), brief).await, Claim::Ours);
    let over = async || (claim(&two, 2, (b"two", b"")).await == Claim::Ours).then_some(());
    soon(over).await;
    let all = futures::future::join_all((0..20_u8).map(|replica| {
        let store = if replica % 2 == 0 { &one } else { &two };
        async move { claim(store, 3, (&[replica], b"")).await }
    }));
    let ours = all.await.into_iter().filter(|claim| *claim == Claim::Ours).count();
    assert_eq!(ours, 1);
    redis.die();
    assert_eq!(claim(&one, 4, (b"one", b"1")).await, Claim::Unknown);
    assert_eq!(claim(&Store::memory(), 4, (b"one", b"1")).await, Claim::Ours);
}

/// The outcome was unknown to the caller, so nothing was executed under the lease.
#[tokio::test]
async fn a_claim_that_the_store_took_too_late_is_given_up_when_it_is_back() {
    let redis = Redis::start().await;
    let one = open(&redis, Period::seconds(1)).await;
    let two = open(&redis, Period::seconds(5)).await;
    // The script is cached by Redis from now on.
    assert_eq!(claim(&one, 1, (b"one", b"1")).await, Claim::Ours);
    let taken = redis.calls("set").await;
    redis.hold_up(true);
    assert_eq!(claim(&one, 2, (b"one", b"1")).await, Claim::Unknown);
    assert_eq!(redis.calls("set").await, taken);
    redis.hold_up(false);
    soon(async || (redis.calls("set").await > taken).then_some(())).await;
    soon(async || (claim(&two, 2, (b"two", b"1")).await == Claim::Ours).then_some(())).await;
}

#[tokio::test]
async fn what_is_given_up_or_removed_while_the_store_is_away_is_so_when_it_is_back() {
    let redis = Redis::start().await;
    let one = open(&redis, Period::seconds(1)).await;
    let two = open(&redis, Period::seconds(5)).await;
    assert_eq!(claim(&one, 1, (b"one", b"1")).await, Claim::Ours);
    one.put("session", &[2; 32], b"hello", HOUR).await;
    redis.strand();
    one.give_up("deed", &[1; 32], b"one1", HOUR).await;
    one.remove("session", &[2; 32], HOUR).await;
    assert_eq!(one.get("session", &[2; 32]).await, None);
    soon(async || (claim(&two, 1, (b"two", b"1")).await == Claim::Ours).then_some(())).await;
    soon(async || two.get("session", &[2; 32]).await.is_none().then_some(())).await;
}
