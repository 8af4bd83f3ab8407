//! Names that one replica has at a time, and values that are renewed, in the store that replicas share.

use std::time::Duration;

use redis::Script;

use super::{
    super::{Claim, Kept, Key},
    Connection, Remote,
};

/// Leaves a value, unless another is there, which it gives.
const CLAIM: &str = r"
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
";

/// Takes a value away, unless another is there.
const GIVE_UP: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
";

/// Gives a value more time.
const RENEW: &str = r"
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])
";

pub(super) struct Scripts {
    claim: Script,
    give_up: Script,
    renew: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        let [claim, give_up, renew] = [CLAIM, GIVE_UP, RENEW].map(Script::new);
        Self { claim, give_up, renew }
    }
}

impl Remote {
    pub(in crate::store) async fn claim(
        &self,
        kind: &str,
        key: &Key,
        value: &[u8],
        good_for: Duration,
    ) -> Claim {
        let Some(Connection { number, mut to }) = self.connection() else { return Claim::Unknown };
        let mut ask = self.claims.claim.prepare_invoke();
        ask.key(self.name("kept", kind, key)).arg(value).arg(milliseconds(good_for));
        let asked = ask.invoke_async::<Option<Vec<u8>>>(&mut to);
        match self.within(self.patience, number, asked).await {
            Some(None) => Claim::Ours,
            Some(Some(held)) => Claim::Theirs(held),
            None => Claim::Unknown,
        }
    }

    pub(in crate::store) async fn give_up(&self, kind: &str, key: &Key, value: &[u8]) {
        self.later.remove(kind, key);
        let Some(Connection { number, mut to }) = self.connection() else { return };
        let mut ask = self.claims.give_up.prepare_invoke();
        ask.key(self.name("kept", kind, key)).arg(value);
        self.within(self.patience, number, ask.invoke_async::<u8>(&mut to)).await;
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
