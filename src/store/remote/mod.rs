//! The store in a Redis server (or a compatible server) that replicas share.
//!
//! Calls never wait for a connection to be established. A connection that fails or is too slow is
//! closed. From then on the store is unavailable until a background task has connected again. That
//! task also performs the pending writes.

mod leases;
mod pending;
mod values;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use redis::{
    AsyncConnectionConfig, Client, RedisResult, Script, TlsCertificates, aio::MultiplexedConnection,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::pending::PendingWrites;
use super::{RateLimitDecision, StoreError, StoreKey};
use crate::config::{LimitSettings, Secret};

/// The time limit for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The pause before the next connection attempt: initial and maximum.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// The shortest interval between log messages about an unavailable store.
const UNAVAILABLE_LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Takes a token by the generic cell rate algorithm (GCRA), using the clock of Redis. The stored
/// value is the time when the bucket will be full, in microseconds. Full buckets are not stored.
const TAKE_SCRIPT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1])) or now
if full < now then full = now end
local first = full + each - each * burst
if now < first then
  return {0, 0, first - now, full - now}
end
full = full + each
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {1, math.floor((now - first) / each), 0, full - now}
";

/// A Redis server that replicas share.
pub(super) struct RedisStore {
    client: Client,
    prefix: String,
    timeout: Duration,
    take_script: Script,
    lease_scripts: leases::LeaseScripts,
    connection: Mutex<Option<Connection>>,
    /// The number of connections established since the start.
    connections_made: AtomicU64,
    /// Writes that could not be performed yet.
    pending: PendingWrites,
    /// Wakes the background task: a connection was closed or a write is pending.
    wake: Notify,
    failures: AtomicU64,
    last_logged: Mutex<Option<Instant>>,
}

/// A connection and its number. The number prevents that a timeout on an old connection closes a
/// newer one.
#[derive(Clone)]
struct Connection {
    number: u64,
    handle: MultiplexedConnection,
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The client contains a password.
        f.debug_struct("RedisStore")
            .field("is_away", &self.is_unavailable())
            .finish_non_exhaustive()
    }
}

impl RedisStore {
    pub(super) fn new(url: &Secret, limits: &LimitSettings) -> Result<Self, StoreError> {
        let ca = match &limits.store_ca_file {
            None => None,
            Some(path) => Some(
                std::fs::read(path)
                    .map_err(|error| StoreError::CaFile { path: path.clone(), error })?,
            ),
        };
        let client = if url.expose().starts_with("rediss:") {
            // Fails if another TLS provider is already installed, which works too.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            let certificates = TlsCertificates { client_tls: None, root_cert: ca };
            Client::build_with_tls(url.expose(), certificates)
        } else {
            Client::open(url.expose())
        };
        Ok(Self {
            // The error message could contain the URL with its password.
            client: client.map_err(|error| StoreError::Address(error.kind()))?,
            prefix: limits.store_prefix.clone(),
            timeout: limits.store_timeout.0,
            take_script: Script::new(TAKE_SCRIPT),
            lease_scripts: leases::LeaseScripts::default(),
            connection: Mutex::default(),
            connections_made: AtomicU64::new(0),
            pending: PendingWrites::default(),
            wake: Notify::new(),
            failures: AtomicU64::new(0),
            last_logged: Mutex::default(),
        })
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn is_unavailable(&self) -> bool {
        self.current_connection().is_none()
    }

    /// Takes a token from a bucket. Returns `None` if the store is unavailable.
    pub(super) async fn take(
        &self,
        bucket: &str,
        key: &StoreKey,
        each: Duration,
        burst: u32,
    ) -> Option<RateLimitDecision> {
        let Connection { number, handle: mut to } = self.require_connection()?;
        let mut script = self.take_script.prepare_invoke();
        script.key(self.redis_key("rate", bucket, key));
        script.arg(u64::try_from(each.as_micros()).unwrap_or(u64::MAX).max(1)).arg(burst);
        let request = script.invoke_async::<(bool, u32, u64, u64)>(&mut to);
        let (allowed, remaining, wait, full) =
            self.run_within(self.timeout, number, request).await?;
        Some(RateLimitDecision {
            allowed,
            limit: burst,
            remaining,
            retry_after: Duration::from_micros(wait),
            reset_after: Duration::from_micros(full),
        })
    }

    fn redis_key(&self, purpose: &str, kind: &str, key: &StoreKey) -> String {
        format!("{}{purpose}:{kind}:{}", self.prefix, HEXLOWER.encode_display(key))
    }

    fn current_connection(&self) -> Option<Connection> {
        self.connection.lock().clone()
    }

    /// Returns the connection. Records a failure if none is open.
    fn require_connection(&self) -> Option<Connection> {
        let connection = self.current_connection();
        if connection.is_none() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        connection
    }

    /// Waits for a response within the time limit. On failure, closes the connection with this
    /// number.
    async fn run_within<T>(
        &self,
        timeout: Duration,
        number: u64,
        request: impl Future<Output = RedisResult<T>>,
    ) -> Option<T> {
        let reason = match tokio::time::timeout(timeout, request).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.category().to_owned(),
            Err(_) => "no response in time".to_owned(),
        };
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut connection = self.connection.lock();
        let failed = connection.take_if(|connection| connection.number == number);
        drop(connection);
        if failed.is_some() {
            self.log_unavailable(&reason);
            self.wake.notify_one();
        }
        None
    }

    /// Logs that the store is unavailable, at most once per interval.
    fn log_unavailable(&self, reason: &str) {
        let mut last_logged = self.last_logged.lock();
        if last_logged.is_none_or(|last_logged| last_logged.elapsed() >= UNAVAILABLE_LOG_INTERVAL) {
            *last_logged = Some(Instant::now());
            tracing::warn!(
                reason,
                failures = self.failures(),
                "shared store (limits.store) unavailable; using the memory of this process until \
                 it reconnects"
            );
        }
    }

    /// Establishes a connection and checks that it responds. Returns whether that succeeded.
    pub(super) async fn connect(&self) -> bool {
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONNECT_TIMEOUT));
        let connecting = async {
            let mut connection =
                self.client.get_multiplexed_async_connection_with_config(&settings).await?;
            // Reject a connection that is too slow for calls.
            let ping = redis::cmd("PING");
            match tokio::time::timeout(self.timeout, ping.query_async::<()>(&mut connection)).await
            {
                Ok(answered) => answered.map(|()| connection),
                Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
            }
        };
        let reason = match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(to)) => {
                let number = self.connections_made.fetch_add(1, Ordering::Relaxed);
                let mut connection = self.connection.lock();
                *connection = Some(Connection { number, handle: to });
                return true;
            }
            Ok(Err(error)) => error.category().to_owned(),
            Err(_) => "no response in time".to_owned(),
        };
        self.log_unavailable(&reason);
        false
    }

    /// Reconnects after each loss of the connection and performs pending writes, until the server
    /// stops.
    pub(super) async fn keep_connected(self: Arc<Self>, stop: CancellationToken) {
        let connect = async {
            let mut pause = INITIAL_BACKOFF;
            loop {
                while self.is_unavailable() {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_BACKOFF);
                    if self.connect().await {
                        tracing::info!("shared store (limits.store) reconnected");
                    }
                }
                if self.flush_pending().await {
                    pause = INITIAL_BACKOFF;
                    self.wake.notified().await;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = connect => {}
        }
    }
}
