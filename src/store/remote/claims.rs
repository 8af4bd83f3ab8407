//! Names that one replica has at a time, and values that are renewed, in the store that replicas share.

use std::time::{Duration, Instant};

use redis::Script;

use super::{
    super::{Claim, Kept, Key},
    Connection, Remote,
    later::What,
};

/// Leaves a value, unless one is there that begins otherwise, which it gives.
const CLAIM: &str = r"
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return false
";

/// Takes a value away, unless another is there.
const GIVE_UP: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
";

/// Replaces a value, unless another is there. A value that was lost is written too.
const REPLACE: &str = r"
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
";

/// Gives a value more time.
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
        (whose, what): (&[u8], &[u8]),
        good_for: Duration,
    ) -> Claim {
        let Some(Connection { number, mut to }) = self.connection() else { return Claim::Unknown };
        let mut ask = self.claims.claim.prepare_invoke();
        ask.key(self.name("kept", kind, key)).arg(whose).arg(what).arg(milliseconds(good_for));
        let asked = ask.invoke_async::<Option<Vec<u8>>>(&mut to);
        match self.within(self.patience, number, asked).await {
            Some(None) => Claim::Ours,
            Some(Some(held)) => Claim::Theirs(held),
            None => {
                // The store may take it all the same, when nobody waits for it any more.
                let value = What::GiveUp([whose, what].concat().into());
                self.later(kind, key, value, Instant::now() + good_for);
                Claim::Unknown
            }
        }
    }

    /// Takes this value away, unless another is there, now or in the background.
    pub(in crate::store) async fn give_up(
        &self,
        kind: &'static str,
        key: &Key,
        value: &[u8],
        good_for: Duration,
    ) {
        self.later.remove(kind, key);
        if !self.take_away(self.patience, kind, key, value).await {
            self.later(kind, key, What::GiveUp(value.into()), Instant::now() + good_for);
        }
    }

    /// Takes this value away, unless another is there. Whether the store has said so in time.
    pub(super) async fn take_away(
        &self,
        patience: Duration,
        kind: &str,
        key: &Key,
        value: &[u8],
    ) -> bool {
        let Some(Connection { number, mut to }) = self.connection() else { return false };
        let mut ask = self.claims.give_up.prepare_invoke();
        ask.key(self.name("kept", kind, key)).arg(value);
        self.within(patience, number, ask.invoke_async::<u8>(&mut to)).await.is_some()
    }

    /// Replaces `old` by `new`, now or in the background. It goes behind everything that waits for
    /// this name, because an earlier replacement may write `old`.
    pub(in crate::store) async fn replace(
        &self,
        kind: &'static str,
        key: &Key,
        (old, new): (&[u8], &[u8]),
        good_for: Duration,
    ) {
        let until = Instant::now() + good_for;
        let waits = self.later.waits(kind, key);
        if waits || !self.exchange(self.patience, kind, key, (old, new), until).await {
            self.later(kind, key, What::Replace(old.into(), new.into()), until);
        }
    }

    /// Replaces `old` by `new`, unless another is there. Whether the store has said so in time.
    pub(super) async fn exchange(
        &self,
        patience: Duration,
        kind: &str,
        key: &Key,
        (old, new): (&[u8], &[u8]),
        until: Instant,
    ) -> bool {
        let Some(Connection { number, mut to }) = self.connection() else { return false };
        let good_for = until.saturating_duration_since(Instant::now());
        let mut ask = self.claims.replace.prepare_invoke();
        ask.key(self.name("kept", kind, key)).arg(old).arg(new).arg(milliseconds(good_for));
        self.within(patience, number, ask.invoke_async::<u8>(&mut to)).await.is_some()
    }

    pub(in crate::store) async fn renew(&self, kind: &str, key: &Key, good_for: Duration) -> Kept {
        if self.later.has(kind, key) {
            return Kept::Unknown;
        }
        let Some(Connection { number, mut to }) = self.connection() else { return Kept::Unknown };
        let mut ask = self.claims.renew.prepare_invoke();
        ask.key(self.name("kept", kind, key)).arg(milliseconds(good_for));
        let asked = ask.invoke_async::<Option<Vec<u8>>>(&mut to);
        match self.within(self.patience, number, asked).await {
            Some(Some(value)) => Kept::Good(value),
            Some(None) => Kept::Gone,
            None => Kept::Unknown,
        }
    }
}

fn milliseconds(period: Duration) -> u64 {
    u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1)
}
