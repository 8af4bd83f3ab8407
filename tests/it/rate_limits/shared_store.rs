//! Limits and values that replicas share through a store, and outages of the store.

use std::time::{Duration, Instant};

use octopus_mcp::{
    config::{DurationSetting, LimitSettings, StoreAddress},
    store::{RenewOutcome, Store, WriteOutcome},
};
use octopus_sample::keys;
use tokio_util::sync::CancellationToken;

use super::{LIST, count_served, is_rate_limited, limit_caller_to, redis::Redis};
use crate::support::{TestServer, wait_until_some};

fn store(server: &TestServer) -> &Store {
    &server.running.as_ref().unwrap().store
}

/// Starts a server that uses this store and limits each caller to this burst.
async fn server(redis: &Redis, burst: u32) -> TestServer {
    let server = TestServer::with(|config| {
        limit_caller_to(config, burst);
        redis.configure(config);
    })
    .await;
    assert!(!store(&server).is_unavailable());
    server
}

#[tokio::test]
async fn servers_with_one_store_share_limits() {
    let redis = Redis::start().await;
    let (one, two) = (server(&redis, 4).await, server(&redis, 4).await);
    let first = one.post(&[], LIST).await;
    assert_eq!(first.header("x-ratelimit-remaining"), "3");
    let second = two.post(&[], LIST).await;
    assert_eq!(second.header("x-ratelimit-remaining"), "2");
    assert_eq!(second.header("x-ratelimit-limit"), "4");
    let reset: u64 = second.header("x-ratelimit-reset").parse().unwrap();
    assert!((61..=120).contains(&reset), "{reset}");
    assert_eq!(count_served(&one, &[], 4).await, 2);
    let rejected = two.post(&[], LIST).await;
    assert!(is_rate_limited(&rejected));
    assert_eq!(rejected.header("x-ratelimit-remaining"), "0");
    let other = [("x-octopus-apikey", keys::DEFAULT_SPACE_ONLY)];
    assert_eq!(count_served(&one, &other, 3).await + count_served(&two, &other, 3).await, 4);
    assert_eq!((store(&one).failures(), store(&two).failures()), (0, 0));
    for name in redis.key_names().await {
        assert!(name.starts_with("octopus-mcp:rate:"), "{name}");
        assert!(!name.contains(keys::ADMIN), "the store contains key fingerprints only");
    }
}

#[tokio::test]
async fn calls_continue_during_a_store_outage() {
    let mut redis = Redis::start().await;
    let server = server(&redis, 2).await;
    assert_eq!(count_served(&server, &[], 3).await, 2);
    redis.kill();
    // Each process counts on its own during the outage.
    assert_eq!(count_served(&server, &[], 3).await, 2);
    assert!(store(&server).is_unavailable());
    assert!(store(&server).failures() > 0);
    redis.restart().await;
    wait_until_some(async || (!store(&server).is_unavailable()).then_some(())).await;
    let failures = store(&server).failures();
    // Redis restarted with an empty database.
    assert_eq!(count_served(&server, &[], 3).await, 2);
    assert_eq!(store(&server).failures(), failures);
}

#[tokio::test]
async fn server_starts_without_its_store() {
    let mut redis = Redis::start().await;
    redis.kill();
    let server = TestServer::with(|config| {
        limit_caller_to(config, 2);
        redis.configure(config);
    })
    .await;
    assert!(store(&server).is_unavailable());
    assert_eq!(count_served(&server, &[], 3).await, 2);
    redis.restart().await;
    wait_until_some(async || (!store(&server).is_unavailable()).then_some(())).await;
    assert_eq!(count_served(&server, &[], 3).await, 2);
}

#[tokio::test]
async fn slow_store_delays_only_one_call() {
    /// Timeout; ten calls that wait for it last far longer than ten calls without a wait.
    const LIMIT: Duration = Duration::from_secs(3);
    let redis = Redis::start().await;
    let server = TestServer::with(|config| {
        limit_caller_to(config, 20);
        redis.configure(config);
        config.limits.store_timeout = DurationSetting(LIMIT);
    })
    .await;
    wait_until_some(async || (!store(&server).is_unavailable()).then_some(())).await;
    redis.set_stalled(true);
    let began = Instant::now();
    assert_eq!(count_served(&server, &[], 1).await, 1);
    let first = began.elapsed();
    assert!(first >= LIMIT, "the first call waits for the store: {first:?}");
    assert!(store(&server).is_unavailable());
    assert_eq!(count_served(&server, &[], 10).await, 10);
    let more = began.elapsed().saturating_sub(first);
    assert!(more < LIMIT * 10, "ten more calls must not wait for the store: {more:?}");
    assert!(store(&server).is_unavailable());
    redis.set_stalled(false);
    wait_until_some(async || (!store(&server).is_unavailable()).then_some(())).await;
}

#[tokio::test]
async fn values_are_shared_and_survive_an_outage_locally() {
    let mut redis = Redis::start().await;
    let mut config = octopus_mcp::config::Config::default();
    redis.configure(&mut config);
    let open = async || Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    let (one, two) = (open().await, open().await);
    let hour = Duration::from_hours(1);
    assert_eq!(one.put("starter", &[1; 32], b"alice", hour).await, WriteOutcome::Shared);
    assert_eq!(two.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    assert_eq!(two.get("starter", &[2; 32]).await, None);
    assert_eq!(two.get("other", &[1; 32]).await, None);
    assert_eq!(two.put("starter", &[1; 32], b"bob", hour).await, WriteOutcome::Shared);
    assert_eq!(one.get("starter", &[1; 32]).await.as_deref(), Some(&b"bob"[..]));
    let brief = Duration::from_millis(50);
    assert_eq!(one.put("starter", &[3; 32], b"soon gone", brief).await, WriteOutcome::Shared);
    wait_until_some(async || two.get("starter", &[3; 32]).await.is_none().then_some(())).await;
    wait_until_some(async || one.get("starter", &[3; 32]).await.is_none().then_some(())).await;
    let large = vec![0; 100_000];
    assert_eq!(one.put("starter", &[4; 32], &large, hour).await, WriteOutcome::Rejected);
    assert_eq!(one.get("starter", &[4; 32]).await, None);
    redis.kill();
    assert_eq!(one.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    assert_eq!(one.put("starter", &[5; 32], b"carol", hour).await, WriteOutcome::Queued);
    assert_eq!(one.get("starter", &[5; 32]).await.as_deref(), Some(&b"carol"[..]));
    redis.restart().await;
    wait_until_some(async || (!one.is_unavailable()).then_some(())).await;
    assert_eq!(one.get("starter", &[5; 32]).await.as_deref(), Some(&b"carol"[..]));
}

#[tokio::test]
async fn renewed_value_outlives_its_ttl_at_every_replica() {
    let mut redis = Redis::start().await;
    let mut config = octopus_mcp::config::Config::default();
    redis.configure(&mut config);
    let open = async || Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    let (one, two) = (open().await, open().await);
    let (brief, hour) = (Duration::from_secs(2), Duration::from_hours(1));
    for key in [[1; 32], [2; 32]] {
        assert_eq!(one.put("session", &key, b"hello", brief).await, WriteOutcome::Shared);
    }
    assert_eq!(
        two.renew("session", &[1; 32], hour).await,
        RenewOutcome::Renewed(b"hello".to_vec())
    );
    wait_until_some(async || two.get("session", &[2; 32]).await.is_none().then_some(())).await;
    assert_eq!(
        one.renew("session", &[1; 32], hour).await,
        RenewOutcome::Renewed(b"hello".to_vec())
    );
    assert_eq!(one.renew("session", &[2; 32], hour).await, RenewOutcome::Missing);
    redis.kill();
    assert_eq!(one.renew("session", &[1; 32], hour).await, RenewOutcome::Unknown);
    // Pending writes keep their values.
    assert_eq!(one.put("session", &[3; 32], b"hello", hour).await, WriteOutcome::Queued);
    assert_eq!(one.renew("session", &[3; 32], hour).await, RenewOutcome::Unknown);
}

/// A value that one replica writes during an outage, or while the store is too slow, is readable by
/// the other afterwards. The newest value of a key applies at every moment.
#[tokio::test]
async fn pending_writes_are_applied_after_an_outage() {
    let hour = Duration::from_hours(1);
    let mut redis = Redis::start().await;
    let mut config = octopus_mcp::config::Config::default();
    redis.configure(&mut config);
    let two = Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    config.limits.store_timeout = DurationSetting(Duration::from_millis(250));
    let one = Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    let get = async |store: &Store, key: u8| store.get("starter", &[key; 32]).await;

    redis.strand_connections();
    assert_eq!(one.put("starter", &[1; 32], b"alice", hour).await, WriteOutcome::Queued);
    assert_eq!(get(&one, 1).await.as_deref(), Some(&b"alice"[..]));
    wait_until_some(async || get(&two, 1).await).await;

    wait_until_some(async || (!one.is_unavailable()).then_some(())).await;
    assert_eq!(one.put("starter", &[2; 32], b"alice", hour).await, WriteOutcome::Shared);
    redis.kill();
    for name in [b"bob".as_slice(), b"carol"] {
        assert_eq!(one.put("starter", &[2; 32], name, hour).await, WriteOutcome::Queued);
        assert_eq!(get(&one, 2).await.as_deref(), Some(name));
    }
    redis.restart().await;
    wait_until_some(async || (get(&two, 2).await.as_deref() == Some(b"carol")).then_some(())).await;
    assert_eq!(get(&one, 2).await.as_deref(), Some(&b"carol"[..]));
}

/// A request on a replaced connection fails only after the new connection exists.
#[tokio::test]
async fn stale_request_does_not_drop_the_new_connection() {
    const LIMIT: Duration = Duration::from_secs(2);
    let redis = Redis::start().await;
    let mut config = octopus_mcp::config::Config::default();
    redis.configure(&mut config);
    config.limits.store_timeout = DurationSetting(LIMIT);
    let store = Store::open(&config.limits, CancellationToken::new()).await.unwrap();
    redis.strand_connections();
    let first = store.get("starter", &[1; 32]);
    let straggler = async {
        // The request starts on the old connection and ends after the new one is made.
        tokio::time::sleep(LIMIT / 2).await;
        store.get("starter", &[1; 32]).await
    };
    let back = async {
        first.await;
        wait_until_some(async || (!store.is_unavailable()).then_some(())).await;
    };
    tokio::join!(back, straggler);
    assert!(!store.is_unavailable());
    assert_eq!(store.put("starter", &[1; 32], b"alice", LIMIT).await, WriteOutcome::Shared);
}

#[tokio::test]
async fn memory_store_keeps_values_until_expiry() {
    let store = Store::in_memory();
    let hour = Duration::from_hours(1);
    assert_eq!(store.put("starter", &[1; 32], b"alice", hour).await, WriteOutcome::Shared);
    let brief = Duration::from_millis(20);
    assert_eq!(store.put("starter", &[2; 32], b"bob", brief).await, WriteOutcome::Shared);
    assert_eq!(store.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    wait_until_some(async || store.get("starter", &[2; 32]).await.is_none().then_some(())).await;
    assert_eq!(store.get("starter", &[1; 32]).await.as_deref(), Some(&b"alice"[..]));
    assert_eq!(store.failures(), 0);
}

#[tokio::test]
async fn store_url_errors_omit_the_password() {
    let url = "redis://:hunter2@127.0.0.1:1/not-a-number";
    let limits =
        LimitSettings { store: StoreAddress::parse(url).unwrap(), ..LimitSettings::default() };
    let stop = CancellationToken::new();
    let error = Store::open(&limits, stop).await.unwrap_err().to_string();
    assert!(error.starts_with("limits.store: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    assert!(!format!("{limits:?}").contains("hunter2"));
}
