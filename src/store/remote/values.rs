//! Values in Redis.

use std::time::{Duration, Instant};

use super::{
    super::{Key, Written},
    CONNECT, Connection, Remote,
    later::What,
};

impl Remote {
    /// Stores a value, or queues it for the background task. If an older value of the key is
    /// queued, the new one is queued too, so that the order is kept.
    pub(in crate::store) async fn put(
        &self,
        kind: &'static str,
        key: &Key,
        value: &[u8],
        good_for: Duration,
    ) -> Written {
        let until = Instant::now() + good_for;
        if !self.later.has(kind, key) && self.set(self.timeout, kind, key, value, until).await {
            return Written::Shared;
        }
        let waits = self.later(kind, key, What::Write(value.into()), until);
        if waits { Written::Soon } else { Written::Here }
    }

    /// Deletes a value, or queues the deletion.
    pub(in crate::store) async fn remove(&self, kind: &'static str, key: &Key, good_for: Duration) {
        self.later.remove(kind, key);
        if !self.delete(self.timeout, kind, key).await {
            self.later(kind, key, What::Remove, Instant::now() + good_for);
        }
    }

    /// Queues an operation for the background task. Returns whether the queue has room for it.
    pub(super) fn later(&self, kind: &'static str, key: &Key, what: What, until: Instant) -> bool {
        let waits = self.later.add(kind, key, what, until);
        self.lost.notify_one();
        waits
    }

    async fn delete(&self, timeout: Duration, kind: &str, key: &Key) -> bool {
        let Some(Connection { number, mut to }) = self.connection() else { return false };
        let mut delete = redis::cmd("DEL");
        delete.arg(self.name("kept", kind, key));
        self.within(timeout, number, delete.query_async::<()>(&mut to)).await.is_some()
    }

    /// Stores a value that expires at `until`. Returns whether Redis confirmed it in time.
    async fn set(
        &self,
        timeout: Duration,
        kind: &str,
        key: &Key,
        value: &[u8],
        until: Instant,
    ) -> bool {
        let Some(Connection { number, mut to }) = self.connection() else { return false };
        let good_for = until.saturating_duration_since(Instant::now()).as_millis();
        let milliseconds = u64::try_from(good_for).unwrap_or(u64::MAX).max(1);
        let mut set = redis::cmd("SET");
        set.arg(self.name("kept", kind, key)).arg(value).arg("PX").arg(milliseconds);
        self.within(timeout, number, set.query_async::<()>(&mut to)).await.is_some()
    }

    /// Performs the queued operations. Returns whether the queue is empty.
    pub(super) async fn write_later(&self) -> bool {
        while let Some(next) = self.later.next() {
            // No call waits for these operations, so they get the longer time limit.
            let (kind, key) = (next.kind, &next.key);
            let is_done = match &next.what {
                What::Write(value) => self.set(CONNECT, kind, key, value, next.until).await,
                What::Remove => self.delete(CONNECT, kind, key).await,
                What::GiveUp(value) => self.take_away(CONNECT, kind, key, value).await,
                What::Replace(old, new) => {
                    self.exchange(CONNECT, kind, key, (old, new), next.until).await
                }
            };
            if !is_done {
                return false;
            }
            self.later.done(&next);
        }
        true
    }

    /// Returns the value in Redis. Returns `None` also if a newer value is queued.
    pub(in crate::store) async fn get(&self, kind: &str, key: &Key) -> Option<Vec<u8>> {
        if self.later.has(kind, key) {
            return None;
        }
        let Connection { number, mut to } = self.connection()?;
        let mut get = redis::cmd("GET");
        get.arg(self.name("kept", kind, key));
        self.within(self.timeout, number, get.query_async::<Option<Vec<u8>>>(&mut to)).await?
    }
}
