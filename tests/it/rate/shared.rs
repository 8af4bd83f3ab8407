//! Limits and values that replicas share through a store, and outages of the store.

use std::time::{Duration, Instant};

use octopus_mcp::{
    config::{Limits, Period, StoreAddress},
    store::{Kept, Store, Written},
};
use octopus_sample::keys;
use tokio_util::sync::CancellationToken;

use super::{LIST, few, is_told_to_wait, redis::Redis, served};
use crate::support::{TestServer, soon};

fn store(server: &TestServer) -> &Store {
    &server.running.as_ref().unwrap().store
}

/// Starts a server that uses this store and limits each caller to this burst.
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
        assert!(!name.contains(keys::ADMIN), "the store contains key fingerprints only");
    }
}

#[tokio::test]
async fn calls_go_on_while_the_store_is_away_and_are_counted_again_when_it_is_back() {
    let mut redis = Redis::start().await;
    let server = server(&redis, 2).await;
    assert_eq!(served(&server, &[], 3).await, 2);
    redis.die();
    // Each process counts on its own during the outage.
    assert_eq!(served(&server, &[], 3).await, 2);
    assert!(store(&server).is_away());
    assert!(store(&server).failures() > 0);
    redis.come_back().await;
    soon(async || (!store(&server).is_away()).then_some(())).await;
    let failures = store(&server).failures();
    // Redis restarted with an empty database.
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
    /// Long enough that ten waiting calls take far longer than ten calls that do not wait, on any
    /// machine.
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
    assert!(first >= LIMIT, "the first call waits for the store: {first:?}");
    assert!(store(&server).is_away());
    assert_eq!(served(&server, &[], 10).await, 10);
    let more = began.elapsed().saturating_sub(first);
    assert!(more < LIMIT * 10, "ten more calls must not wait for the store: {more:?}");
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
    assert_eq!(one.put("starter", &[1; 32], b"alice", hour).await, Written::Shared);
    assert_eq!(two.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    assert_eq!(two.get("starter", &[2; 32]).await, None);
    assert_eq!(two.get("other", &[1; 32]).await, None);
    assert_eq!(two.put("starter", &[1; 32], b"bob", hour).await, Written::Shared);
    assert_eq!(one.get("starter", &[1; 32]).await.as_deref(), Some(&b"bob"[..]));
    let brief = Duration::from_millis(50);
    assert_eq!(one.put("starter", &[3; 32], b"soon gone", brief).await, Written::Shared);
    soon(async || two.get("starter", &[3; 32]).await.is_none().then_some(())).await;
    soon(async || one.get("starter", &[3; 32]).await.is_none().then_some(())).await;
    let large = vec![0; 100_000];
    assert_eq!(one.put("starter", &[4; 32], &large, hour).await, Written::Nowhere);
    assert_eq!(one.get("starter", &[4; 32]).await, None);
    redis.die();
    assert_eq!(one.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    assert_eq!(one.put("starter", &[5; 32], b"carol", hour).await, Written::Soon);
    assert_eq!(one.get("starter", &[5; 32]).await.as_deref(), Some(&b"carol"[..]));
    redis.come_back().await;
    soon(async || (!one.is_away()).then_some(())).await;
    assert_eq!(one.get("starter", &[5; 32]).await.as_deref(), Some(&b"carol"[..]));
}

#[tokio::test]
async fn a_value_that_is_renewed_outlives_its_time_at_every_replica() {
    let mut redis = Redis::start().await;
    let mut config = octopus_mcp::config::Config::default();
    redis.store(&mut config);
    let open = async || Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    let (one, two) = (open().await, open().await);
    let (brief, hour) = (Duration::from_secs(2), Duration::from_hours(1));
    for key in [[1; 32], [2; 32]] {
        assert_eq!(one.put("session", &key, b"hello", brief).await, Written::Shared);
    }
    assert_eq!(two.renew("session", &[1; 32], hour).await, Kept::Good(b"hello".to_vec()));
    soon(async || two.get("session", &[2; 32]).await.is_none().then_some(())).await;
    assert_eq!(one.renew("session", &[1; 32], hour).await, Kept::Good(b"hello".to_vec()));
    assert_eq!(one.renew("session", &[2; 32], hour).await, Kept::Gone);
    redis.die();
    assert_eq!(one.renew("session", &[1; 32], hour).await, Kept::Unknown);
    // Pending writes keep their values.
    assert_eq!(one.put("session", &[3; 32], b"hello", hour).await, Written::Soon);
    assert_eq!(one.renew("session", &[3; 32], hour).await, Kept::Unknown);
}

/// A value that one replica writes during an outage, or while the store is too slow, is readable by
/// the other afterwards. The newest value of a key applies at every moment.
#[tokio::test]
async fn what_the_store_was_away_or_too_slow_for_is_written_when_it_is_back() {
    let hour = Duration::from_hours(1);
    let mut redis = Redis::start().await;
    let mut config = octopus_mcp::config::Config::default();
    redis.store(&mut config);
    let two = Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    config.limits.store_timeout = Period(Duration::from_millis(250));
    let one = Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    let reads = async |store: &Store, key: u8| store.get("starter", &[key; 32]).await;

    redis.strand();
    assert_eq!(one.put("starter", &[1; 32], b"alice", hour).await, Written::Soon);
    assert_eq!(reads(&one, 1).await.as_deref(), Some(&b"alice"[..]));
    soon(async || reads(&two, 1).await).await;

    soon(async || (!one.is_away()).then_some(())).await;
    assert_eq!(one.put("starter", &[2; 32], b"alice", hour).await, Written::Shared);
    redis.die();
    for name in [b"bob".as_slice(), b"carol"] {
        assert_eq!(one.put("starter", &[2; 32], name, hour).await, Written::Soon);
        assert_eq!(reads(&one, 2).await.as_deref(), Some(name));
    }
    redis.come_back().await;
    soon(async || (reads(&two, 2).await.as_deref() == Some(b"carol")).then_some(())).await;
    assert_eq!(reads(&one, 2).await.as_deref(), Some(&b"carol"[..]));
}

/// A request on a connection that has been given up fails only after the new connection exists.
#[tokio::test]
async fn who_waited_for_an_old_connection_does_not_give_up_the_new_one() {
    const LIMIT: Duration = Duration::from_secs(2);
    let redis = Redis::start().await;
    let mut config = octopus_mcp::config::Config::default();
    redis.store(&mut config);
    config.limits.store_timeout = Period(LIMIT);
    let store = Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    redis.strand();
    let first = store.get("starter", &[1; 32]);
    let straggler = async {
        // The request starts on the old connection and ends after the new one is made.
        tokio::time::sleep(LIMIT / 2).await;
        store.get("starter", &[1; 32]).await
    };
    let back = async {
        first.await;
        soon(async || (!store.is_away()).then_some(())).await;
    };
    tokio::join!(back, straggler);
    assert!(!store.is_away());
    assert_eq!(store.put("starter", &[1; 32], b"alice", LIMIT).await, Written::Shared);
}

#[tokio::test]
async fn the_memory_of_one_process_keeps_values_for_their_time() {
    let store = Store::memory();
    let hour = Duration::from_hours(1);
    assert_eq!(store.put("starter", &[1; 32], b"alice", hour).await, Written::Shared);
    let brief = Duration::from_millis(20);
    assert_eq!(store.put("starter", &[2; 32], b"bob", brief).await, Written::Shared);
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
