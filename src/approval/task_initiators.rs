//! Records the initiators of tasks, for the four-eyes rule.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use crate::{
    octopus::{Error, Fingerprint, Session, users},
    store::{Store, StoreKey, WriteOutcome},
};

/// Retention of task initiators: 14 days, because an interruption can stay pending for days.
const RETENTION: Duration = Duration::from_hours(14 * 24);
/// Kind of the keys in the store.
const KIND: &str = "starter";
/// Time for which the Octopus user of a credential is cached.
const USER_CACHE_TTL: Duration = Duration::from_mins(10);
/// Maximum number of credentials whose Octopus user is cached.
const MAX_CACHED_USERS: u64 = 10_000;

/// Records of task initiators, by instance and task. Replicas that share a store share the records.
#[derive(Debug)]
pub struct TaskInitiators {
    store: Arc<Store>,
    users: Cache<Fingerprint, String>,
}

impl TaskInitiators {
    /// Creates the records in this store.
    pub fn new(store: Arc<Store>) -> Self {
        let users =
            Cache::builder().max_capacity(MAX_CACHED_USERS).time_to_live(USER_CACHE_TTL).build();
        Self { store, users }
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

    /// Returns the ID of the Octopus user of the credential of a session.
    pub(crate) async fn octopus_user_id(&self, session: &Session) -> Result<String, Error> {
        let instance = session.client().url().as_str().as_bytes();
        let key = session.fingerprint().combined_with(instance);
        if let Some(user) = self.users.get(&key) {
            return Ok(user);
        }
        let user = users::me(&session.without_recording()).await?.id.into_string();
        self.users.insert(key, user.clone());
        Ok(user)
    }
}

fn store_key(instance: &str, task: &str) -> StoreKey {
    *Fingerprint::of([instance, &task.to_lowercase()].map(str::as_bytes)).as_bytes()
}
