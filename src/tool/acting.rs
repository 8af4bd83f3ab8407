//! Octopus users of credentials, for audit records of changes.

use std::time::Duration;

use moka::sync::Cache;

use crate::octopus::{Fingerprint, Session, users};

/// Cache of the Octopus users of credentials. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Acting(Cache<Fingerprint, Option<String>>);

/// Maximum number of cached users.
const KEPT: u64 = 10_000;
/// How long a user is cached.
const KEPT_FOR: Duration = Duration::from_mins(5);
/// How long a change waits for the lookup.
const PATIENCE: Duration = Duration::from_secs(3);

impl Default for Acting {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KEPT).time_to_live(KEPT_FOR).build())
    }
}

impl Acting {
    /// Returns the user if it is cached.
    pub fn known(&self, session: &Session) -> Option<String> {
        self.0.get(&key(session)).flatten()
    }

    /// Looks up the user. Returns `None` on failure, because a failed lookup must not fail the
    /// change.
    pub(super) async fn user(&self, session: &Session) -> Option<String> {
        if let Some(known) = self.0.get(&key(session)) {
            return known;
        }
        let asked = tokio::time::timeout(PATIENCE, users::me(session)).await;
        let user = asked.ok()?.ok().map(|user| format!("{} ({})", user.username, user.id));
        self.0.insert(key(session), user.clone());
        user
    }
}

/// The same caller and credential can be another user at each instance.
fn key(session: &Session) -> Fingerprint {
    session.whose().and(session.client().url().as_str().as_bytes())
}
