//! Records the initiators of tasks, for the four-eyes rule.

use std::{sync::Arc, time::Duration};

use crate::{
    octopus::Fingerprint,
    store::{Store, StoreKey, WriteOutcome},
};

/// Retention of task initiators: 14 days, because an interruption can stay pending for days.
const RETENTION: Duration = Duration::from_hours(14 * 24);
/// Kind of the keys in the store. The value is fixed, because replicas of older versions must find
/// the same records during an upgrade.
const KIND: &str = "starter";

/// Records of task initiators, by instance and task. Replicas that share a store share the records.
#[derive(Debug)]
pub struct TaskInitiators {
    store: Arc<Store>,
}

impl TaskInitiators {
    /// Creates the records in this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Records the fingerprints of the person who started a task.
    pub(crate) async fn record(&self, instance: &str, task: &str, person: &[Fingerprint]) {
        let person: Vec<u8> = person.iter().flat_map(Fingerprint::as_bytes).copied().collect();
        let written = self.store.put(KIND, &store_key(instance, task), &person, RETENTION).await;
        if matches!(written, WriteOutcome::LocalOnly | WriteOutcome::Rejected) {
            tracing::warn!(task, instance, "task initiator not written to the shared store");
        }
    }

    /// Returns the fingerprints of the person who started a task; empty if there is no record.
    pub(crate) async fn get(&self, instance: &str, task: &str) -> Vec<u8> {
        self.store.get(KIND, &store_key(instance, task)).await.unwrap_or_default()
    }
}

fn store_key(instance: &str, task: &str) -> StoreKey {
    *Fingerprint::of([instance, &task.to_lowercase()].map(str::as_bytes)).as_bytes()
}
