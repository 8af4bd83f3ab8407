//! Replicas that share a store, and what happens while it is away.

use std::time::{Duration, Instant};

use octopus_mcp::{
    config::{Limits, Period, StoreAddress},
    sample::keys,
    store::Store,
};
use tokio_util::sync::CancellationToken;

use super::{LIST, few, is_told_to_wait, redis::Redis, served};
use crate::support::{TestServer, soon};

fn store(server: &TestServer) -> &Store {
    &server.running.as_ref().unwrap().store
}

/// The callers are limited to so many, and the server uses this store.
async fn server(redis: &Redis, burst: u32) -> TestServer {
    let server = TestServer::with(|config| {
        few(config, burst);
        redis.store(config);
    })
    .await;
    assert!(!store(&server).is_away());
    server
}

#[tokio::test]
async fn two_servers_with_one_store_count_together() {
    let redis = Redis::start().await;
    let (one, two) = (server(&redis, 4).await, server(&redis, 4).await);
    let first = one.post(&[], LIST).await;
    assert_eq!(first.header("x-ratelimit-remaining"), "3");
    let second = two.post(&[], LIST).await;
    assert_eq!(second.header("x-ratelimit-remaining"), "2");
    assert_eq!(second.header("x-ratelimit-limit"), "4");
    let reset: u64 = second.header("x-ratelimit-reset").parse().unwrap();
    assert!((61..=120).contains(&reset), "{reset}");
    assert_eq!(served(&one, &[], 4).await, 2);
    let told = two.post(&[], LIST).await;
    assert!(is_told_to_wait(&told));
    assert_eq!(told.header("x-ratelimit-remaining"), "0");
    let other = [("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    assert_eq!(served(&one, &other, 3).await + served(&two, &other, 3).await, 4);
    assert_eq!((store(&one).failures(), store(&two).failures()), (0, 0));
    for name in redis.names().await {
        assert!(name.starts_with("octopus-mcp:rate:"), "{name}");
        assert!(!name.contains(keys::ADMIN), "fingerprints, and never a key");
    }
}

#[tokio::test]
async fn calls_go_on_while_the_store_is_away_and_are_counted_again_when_it_is_back() {
    let mut redis = Redis::start().await;
    let server = server(&redis, 2).await;
    assert_eq!(served(&server, &[], 3).await, 2);
    redis.die();
    // Each process counts for itself meanwhile.
    assert_eq!(served(&server, &[], 3).await, 2);
    assert!(store(&server).is_away());
    assert!(store(&server).failures() > 0);
    redis.come_back().await;
    soon(async || (!store(&server).is_away()).then_some(())).await;
    let failures = store(&server).failures();
    // It came back empty.
    assert_eq!(served(&server, &[], 3).await, 2);
    assert_eq!(store(&server).failures(), failures);
}

#[tokio::test]
async fn a_server_starts_without_its_store_and_finds_it_later() {
    let mut redis = Redis::start().await;
    redis.die();
    let server = TestServer::with(|config| {
        few(config, 2);
        redis.store(config);
    })
    .await;
    assert!(store(&server).is_away());
    assert_eq!(served(&server, &[], 3).await, 2);
    redis.come_back().await;
    soon(async || (!store(&server).is_away()).then_some(())).await;
    assert_eq!(served(&server, &[], 3).await, 2);
}

#[tokio::test]
async fn a_slow_store_holds_a_call_up_for_its_time_limit_and_the_next_ones_not_at_all() {
    /// Ten calls that waited for it would take far longer than ten that do not, on any machine.
    const LIMIT: Duration = Duration::from_secs(3);
    let redis = Redis::start().await;
    let server = TestServer::with(|config| {
        few(config, 20);
        redis.store(config);
        config.limits.store_timeout = Period(LIMIT);
    })
    .await;
    soon(async || (!store(&server).is_away()).then_some(())).await;
    redis.hold_up(true);
    let began = Instant::now();
    assert_eq!(served(&server, &[], 1).await, 1);
    let first = began.elapsed();
    assert!(first >= LIMIT, "it was asked: {first:?}");
    assert!(store(&server).is_away());
    assert_eq!(served(&server, &[], 10).await, 10);
    let more = began.elapsed().saturating_sub(first);
    assert!(more < LIMIT * 10, "ten more took {more:?}");
    assert!(store(&server).is_away());
    redis.hold_up(false);
    soon(async || (!store(&server).is_away()).then_some(())).await;
}

#[tokio::test]
async fn small_values_are_shared_for_their_time_and_survive_its_absence_here() {
    let mut redis = Redis::start().await;
    let mut config = octopus_mcp::config::Config::default();
    redis.store(&mut config);
    let open = async || Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    let (one, two) = (open().await, open().await);
    let hour = Duration::from_hours(1);
    assert!(one.put("starter", &[1; 32], b"alice", hour).await);
    assert_eq!(two.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    assert_eq!(two.get("starter", &[2; 32]).await, None);
    assert_eq!(two.get("other", &[1; 32]).await, None);
    assert!(two.put("starter", &[1; 32], b"bob", hour).await);
    assert_eq!(one.get("starter", &[1; 32]).await.as_deref(), Some(&b"bob"[..]));
    assert!(one.put("starter", &[3; 32], b"soon gone", Duration::from_millis(50)).await);
    soon(async || two.get("starter", &[3; 32]).await.is_none().then_some(())).await;
    soon(async || one.get("starter", &[3; 32]).await.is_none().then_some(())).await;
    assert!(!one.put("starter", &[4; 32], &vec![0; 100_000], hour).await, "too large");
    assert_eq!(one.get("starter", &[4; 32]).await, None);
    redis.die();
    assert_eq!(one.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    assert!(one.put("starter", &[5; 32], b"carol", hour).await);
    assert_eq!(one.get("starter", &[5; 32]).await.as_deref(), Some(&b"carol"[..]));
    redis.come_back().await;
    soon(async || (!one.is_away()).then_some(())).await;
    assert_eq!(one.get("starter", &[5; 32]).await.as_deref(), Some(&b"carol"[..]));
}

#[tokio::test]
async fn the_memory_of_one_process_keeps_values_for_their_time() {
    let store = Store::memory();
    assert!(store.put("starter", &[1; 32], b"alice", Duration::from_hours(1)).await);
    assert!(store.put("starter", &[2; 32], b"bob", Duration::from_millis(20)).await);
    assert_eq!(store.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    soon(async || store.get("starter", &[2; 32]).await.is_none().then_some(())).await;
    assert_eq!(store.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    assert_eq!(store.failures(), 0);
}

#[tokio::test]
async fn a_password_of_the_store_is_in_no_mistake() {
    let url = "redis://:hunter2@127.0.0.1:1/not-a-number";
    let limits = Limits { store: StoreAddress::read(url).unwrap(), ..Limits::default() };
    let stop = CancellationToken::new();
    let mistake = Store::open(&limits, stop).await.unwrap_err();
    assert!(mistake.starts_with("limits.store: "), "{mistake}");
    assert!(!mistake.contains("hunter2"), "{mistake}");
    assert!(!format!("{limits:?}").contains("hunter2"));
}
