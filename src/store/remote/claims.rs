//! Leases and renewed values in Redis.

use std::time::{Duration, Instant};

use redis::Script;

use super::{
    super::{Claim, Kept, Key},
    Connection, Remote,
    later::What,
};

/// Sets a value, unless another value with a different prefix exists. Returns that value.
const CLAIM: &str = r"
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return false
";

/// Deletes a value if it equals the argument.
const GIVE_UP: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
";

/// Replaces a value if it equals the first argument or does not exist.
const REPLACE: &str = r"
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
";

/// Extends the lifetime of a value and returns it.
const RENEW: &str = r"
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])
";

pub(super) struct Scripts {
    claim: Script,
    give_up: Script,
    replace: Script,
    renew: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        let [claim, give_up, replace, renew] = [CLAIM, GIVE_UP, REPLACE, RENEW].map(Script::new);
        Self { claim, give_up, replace, renew }
    }
}

impl Remote {
    pub(in crate::store) async fn claim(
        &self,
        kind: &'static str,
        key: &Key,
        (owner, nonce): (&[u8], &[u8]),
        good_for: Duration,
    ) -> Claim {
        let Some(Connection { number, mut to }) = self.connection() else { return Claim::Unknown };
        let mut script = self.claims.claim.prepare_invoke();
        script.key(self.name("kept", kind, key)).arg(owner).arg(nonce).arg(milliseconds(good_for));
        let request = script.invoke_async::<Option<Vec<u8>>>(&mut to);
        match self.within(self.timeout, number, request).await {
            Some(None) => Claim::Ours,
            Some(Some(held)) => Claim::Theirs(held),
            None => {
                // Redis may have granted the lease after the timeout.
                let value = What::GiveUp([owner, nonce].concat().into());
                self.later(kind, key, value, Instant::now() + good_for);
                Claim::Unknown
            }
        }
    }

    /// Deletes this value if it is unchanged, now or in the background.
    pub(in crate::store) async fn give_up(
        &self,
        kind: &'static str,
        key: &Key,
        value: &[u8],
        good_for: Duration,
    ) {
        self.later.remove(kind, key);
        if !self.take_away(self.timeout, kind, key, value).await {
            self.later(kind, key, What::GiveUp(value.into()), Instant::now() + good_for);
        }
    }

    /// Deletes this value if it is unchanged. Returns whether Redis responded in time.
    pub(super) async fn take_away(
        &self,
        timeout: Duration,
        kind: &str,
        key: &Key,
        value: &[u8],
    ) -> bool {
        let Some(Connection { number, mut to }) = self.connection() else { return false };
        let mut script = self.claims.give_up.prepare_invoke();
        script.key(self.name("kept", kind, key)).arg(value);
        self.within(timeout, number, script.invoke_async::<u8>(&mut to)).await.is_some()
    }

    /// Replaces `old` by `new`, now or in the background. Queues behind all pending operations on
    /// this key, because an earlier replacement may write `old`.
    pub(in crate::store) async fn replace(
        &self,
        kind: &'static str,
        key: &Key,
        (old, new): (&[u8], &[u8]),
        good_for: Duration,
    ) {
        let until = Instant::now() + good_for;
        let waits = self.later.waits(kind, key);
        if waits || !self.exchange(self.timeout, kind, key, (old, new), until).await {
            self.later(kind, key, What::Replace(old.into(), new.into()), until);
        }
    }

    /// Replaces `old` by `new` unless another value exists. Returns whether Redis responded in
    /// time.
    pub(super) async fn exchange(
        &self,
        timeout: Duration,
        kind: &str,
        key: &Key,
        (old, new): (&[u8], &[u8]),
        until: Instant,
    ) -> bool {
        let Some(Connection { number, mut to }) = self.connection() else { return false };
        let good_for = until.saturating_duration_since(Instant::now());
        let mut script = self.claims.replace.prepare_invoke();
        script.key(self.name("kept", kind, key)).arg(old).arg(new).arg(milliseconds(good_for));
        self.within(timeout, number, script.invoke_async::<u8>(&mut to)).await.is_some()
    }

    pub(in crate::store) async fn renew(&self, kind: &str, key: &Key, good_for: Duration) -> Kept {
        if self.later.has(kind, key) {
            return Kept::Unknown;
        }
        let Some(Connection { number, mut to }) = self.connection() else { return Kept::Unknown };
        let mut script = self.claims.renew.prepare_invoke();
        script.key(self.name("kept", kind, key)).arg(milliseconds(good_for));
        let request = script.invoke_async::<Option<Vec<u8>>>(&mut to);
        match self.within(self.timeout, number, request).await {
            Some(Some(value)) => Kept::Good(value),
            Some(None) => Kept::Gone,
            None => Kept::Unknown,
        }
    }
}

fn milliseconds(period: Duration) -> u64 {
    u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1)
}
