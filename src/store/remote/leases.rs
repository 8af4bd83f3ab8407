//! Leases and renewed values in Redis.

use std::time::{Duration, Instant};

use redis::Script;

use super::{Connection, RedisStore, pending::PendingOperation};
use crate::store::{LeaseOutcome, RenewOutcome, StoreKey};

/// Sets a value, unless another value with a different prefix exists. Returns that value.
const ACQUIRE_SCRIPT: &str = r"
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return false
";

/// Deletes a value if it equals the argument.
const RELEASE_SCRIPT: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
";

/// Replaces a value if it equals the first argument or does not exist.
const REPLACE_SCRIPT: &str = r"
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
";

/// Extends the lifetime of a value and returns it.
const RENEW_SCRIPT: &str = r"
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])
";

pub(super) struct LeaseScripts {
    acquire: Script,
    release: Script,
    replace: Script,
    renew: Script,
}

impl Default for LeaseScripts {
    fn default() -> Self {
        let [acquire, release, replace, renew] =
            [ACQUIRE_SCRIPT, RELEASE_SCRIPT, REPLACE_SCRIPT, RENEW_SCRIPT].map(Script::new);
        Self { acquire, release, replace, renew }
    }
}

impl RedisStore {
    pub(in crate::store) async fn acquire_lease(
        &self,
        kind: &'static str,
        key: &StoreKey,
        (owner, nonce): (&[u8], &[u8]),
        lifetime: Duration,
    ) -> LeaseOutcome {
        let Some(Connection { number, handle: mut connection }) = self.require_connection() else {
            return LeaseOutcome::Unknown;
        };
        let mut script = self.lease_scripts.acquire.prepare_invoke();
        script
            .key(self.redis_key("kept", kind, key))
            .arg(owner)
            .arg(nonce)
            .arg(milliseconds(lifetime));
        let request = script.invoke_async::<Option<Vec<u8>>>(&mut connection);
        match self.run_within(self.timeout, number, request).await {
            Some(None) => LeaseOutcome::Acquired,
            Some(Some(value)) => LeaseOutcome::HeldByOther(value),
            None => {
                // Redis may have granted the lease after the timeout.
                let value = PendingOperation::Release([owner, nonce].concat().into());
                self.enqueue(kind, key, value, Instant::now() + lifetime);
                LeaseOutcome::Unknown
            }
        }
    }

    /// Deletes this value if it is unchanged, now or in the background.
    pub(in crate::store) async fn release(
        &self,
        kind: &'static str,
        key: &StoreKey,
        value: &[u8],
        lifetime: Duration,
    ) {
        self.pending.cancel_overwrites(kind, key);
        if !self.delete_if_equal(self.timeout, kind, key, value).await {
            self.enqueue(
                kind,
                key,
                PendingOperation::Release(value.into()),
                Instant::now() + lifetime,
            );
        }
    }

    /// Deletes this value if it is unchanged. Returns whether Redis responded in time.
    pub(super) async fn delete_if_equal(
        &self,
        timeout: Duration,
        kind: &str,
        key: &StoreKey,
        value: &[u8],
    ) -> bool {
        let Some(Connection { number, handle: mut connection }) = self.require_connection() else {
            return false;
        };
        let mut script = self.lease_scripts.release.prepare_invoke();
        script.key(self.redis_key("kept", kind, key)).arg(value);
        self.run_within(timeout, number, script.invoke_async::<u8>(&mut connection)).await.is_some()
    }

    /// Replaces `old` by `new`, now or in the background. Queues behind all pending operations on
    /// this key, because an earlier replacement may write `old`.
    pub(in crate::store) async fn replace(
        &self,
        kind: &'static str,
        key: &StoreKey,
        (old, new): (&[u8], &[u8]),
        lifetime: Duration,
    ) {
        let until = Instant::now() + lifetime;
        let waits = self.pending.has_any(kind, key);
        if waits || !self.replace_if_equal(self.timeout, kind, key, (old, new), until).await {
            self.enqueue(kind, key, PendingOperation::Replace(old.into(), new.into()), until);
        }
    }

    /// Replaces `old` by `new` unless another value exists. Returns whether Redis responded in
    /// time.
    pub(super) async fn replace_if_equal(
        &self,
        timeout: Duration,
        kind: &str,
        key: &StoreKey,
        (old, new): (&[u8], &[u8]),
        until: Instant,
    ) -> bool {
        let Some(Connection { number, handle: mut connection }) = self.require_connection() else {
            return false;
        };
        let lifetime = until.saturating_duration_since(Instant::now());
        let mut script = self.lease_scripts.replace.prepare_invoke();
        script.key(self.redis_key("kept", kind, key)).arg(old).arg(new).arg(milliseconds(lifetime));
        self.run_within(timeout, number, script.invoke_async::<u8>(&mut connection)).await.is_some()
    }

    pub(in crate::store) async fn renew(
        &self,
        kind: &str,
        key: &StoreKey,
        lifetime: Duration,
    ) -> RenewOutcome {
        if self.pending.has_overwrite(kind, key) {
            return RenewOutcome::Unknown;
        }
        let Some(Connection { number, handle: mut connection }) = self.require_connection() else {
            return RenewOutcome::Unknown;
        };
        let mut script = self.lease_scripts.renew.prepare_invoke();
        script.key(self.redis_key("kept", kind, key)).arg(milliseconds(lifetime));
        let request = script.invoke_async::<Option<Vec<u8>>>(&mut connection);
        match self.run_within(self.timeout, number, request).await {
            Some(Some(value)) => RenewOutcome::Renewed(value),
            Some(None) => RenewOutcome::Missing,
            None => RenewOutcome::Unknown,
        }
    }
}

fn milliseconds(period: Duration) -> u64 {
    u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1)
}
