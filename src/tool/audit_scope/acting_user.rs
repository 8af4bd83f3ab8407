//! Octopus users of credentials, for audit records of changes.

use std::time::Duration;

use moka::sync::Cache;

use crate::octopus::{Fingerprint, Session, users};

/// Cache of the Octopus users of credentials. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ActingUsers(Cache<Fingerprint, Option<String>>);

/// Maximum number of cached users.
const MAX_CACHED_USERS: u64 = 10_000;
/// Time for which a user is cached.
const USER_CACHE_TTL: Duration = Duration::from_mins(5);
/// Timeout of the lookup before a change.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

impl Default for ActingUsers {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_CACHED_USERS).time_to_live(USER_CACHE_TTL).build())
    }
}

impl ActingUsers {
    /// Returns the user if it is cached.
    pub fn cached(&self, session: &Session) -> Option<String> {
        self.0.get(&cache_key(session)).flatten()
    }

    /// Looks up the user. Returns `None` on failure, because a failed lookup must not fail the
    /// change.
    pub(in crate::tool) async fn lookup(&self, session: &Session) -> Option<String> {
        if let Some(user) = self.0.get(&cache_key(session)) {
            return user;
        }
        let response = tokio::time::timeout(LOOKUP_TIMEOUT, users::me(session)).await;
        let user = response.ok()?.ok().map(|user| format!("{} ({})", user.username, user.id));
        self.0.insert(cache_key(session), user.clone());
        user
    }
}

/// Returns the cache key: the caller, the credential and the instance. A credential can belong to a
/// different user at each instance.
fn cache_key(session: &Session) -> Fingerprint {
    session.fingerprint().combined_with(session.client().url().as_str().as_bytes())
}
