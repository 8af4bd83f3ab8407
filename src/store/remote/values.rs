//! Values in Redis.

use std::time::{Duration, Instant};

use super::{CONNECT_TIMEOUT, Connection, RedisStore, pending::PendingOperation};
use crate::store::{StoreKey, WriteOutcome};

impl RedisStore {
    /// Stores a value, or queues it for the background task. If an older value of the key is
    /// queued, the new one is queued too, so that the order is kept.
    pub(in crate::store) async fn put(
        &self,
        kind: &'static str,
        key: &StoreKey,
        value: &[u8],
        lifetime: Duration,
    ) -> WriteOutcome {
        let expires_at = Instant::now() + lifetime;
        if !self.pending.has_overwrite(kind, key)
            && self.set(self.timeout, kind, key, value, expires_at).await
        {
            return WriteOutcome::Shared;
        }
        let is_queued = self.enqueue(kind, key, PendingOperation::Write(value.into()), expires_at);
        if is_queued { WriteOutcome::Queued } else { WriteOutcome::LocalOnly }
    }

    /// Deletes a value, or queues the deletion.
    pub(in crate::store) async fn remove(
        &self,
        kind: &'static str,
        key: &StoreKey,
        lifetime: Duration,
    ) {
        self.pending.cancel_overwrites(kind, key);
        if !self.delete(self.timeout, kind, key).await {
            self.enqueue(kind, key, PendingOperation::Remove, Instant::now() + lifetime);
        }
    }

    /// Queues an operation for the background task. Returns `false` if the queue is full.
    pub(super) fn enqueue(
        &self,
        kind: &'static str,
        key: &StoreKey,
        operation: PendingOperation,
        expires_at: Instant,
    ) -> bool {
        let is_queued = self.pending.push(kind, key, operation, expires_at);
        self.wake.notify_one();
        is_queued
    }

    async fn delete(&self, timeout: Duration, kind: &str, key: &StoreKey) -> bool {
        let Some(Connection { number, handle: mut connection }) = self.require_connection() else {
            return false;
        };
        let mut delete = redis::cmd("DEL");
        delete.arg(self.redis_key("kept", kind, key));
        self.run_within(timeout, number, delete.query_async::<()>(&mut connection)).await.is_some()
    }

    /// Stores a value that expires at `until`. Returns whether Redis confirmed it in time.
    async fn set(
        &self,
        timeout: Duration,
        kind: &str,
        key: &StoreKey,
        value: &[u8],
        expires_at: Instant,
    ) -> bool {
        let Some(Connection { number, handle: mut connection }) = self.require_connection() else {
            return false;
        };
        let lifetime = expires_at.saturating_duration_since(Instant::now()).as_millis();
        let milliseconds = u64::try_from(lifetime).unwrap_or(u64::MAX).max(1);
        let mut set = redis::cmd("SET");
        set.arg(self.redis_key("kept", kind, key)).arg(value).arg("PX").arg(milliseconds);
        self.run_within(timeout, number, set.query_async::<()>(&mut connection)).await.is_some()
    }

    /// Performs the queued operations. Returns whether the queue is empty.
    pub(super) async fn flush_pending(&self) -> bool {
        while let Some(next) = self.pending.front() {
            // No call waits for these operations, so they get the longer time limit.
            let (kind, key) = (next.kind, &next.key);
            let is_done = match &next.operation {
                PendingOperation::Write(value) => {
                    self.set(CONNECT_TIMEOUT, kind, key, value, next.expires_at).await
                }
                PendingOperation::Remove => self.delete(CONNECT_TIMEOUT, kind, key).await,
                PendingOperation::Release(value) => {
                    self.delete_if_equal(CONNECT_TIMEOUT, kind, key, value).await
                }
                PendingOperation::Replace(old, new) => {
                    self.replace_if_equal(CONNECT_TIMEOUT, kind, key, (old, new), next.expires_at)
                        .await
                }
            };
            if !is_done {
                return false;
            }
            self.pending.complete(&next);
        }
        true
    }

    /// Returns the value in Redis. Returns `None` also if a newer value is queued.
    pub(in crate::store) async fn get(&self, kind: &str, key: &StoreKey) -> Option<Vec<u8>> {
        if self.pending.has_overwrite(kind, key) {
            return None;
        }
        let Connection { number, handle: mut connection } = self.require_connection()?;
        let mut get = redis::cmd("GET");
        get.arg(self.redis_key("kept", kind, key));
        self.run_within(self.timeout, number, get.query_async::<Option<Vec<u8>>>(&mut connection))
            .await?
    }
}
