//! Octopus users of credentials, for audit records and the four-eyes rule.

use std::{fmt, sync::Arc, time::Duration};

use moka::sync::Cache;

use crate::octopus::{self, Fingerprint, Session, users};

/// Cache of the Octopus users of credentials. Failed lookups are cached too. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ActingUsers(Cache<Fingerprint, Option<Arc<ActingUser>>>);

/// An Octopus user. Displayed as in audit records: `name (ID)`.
#[derive(Debug)]
struct ActingUser {
    id: String,
    username: String,
}

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
        self.0.get(&cache_key(session)).flatten().map(|user| user.to_string())
    }

    /// Looks up the user. Returns `None` on failure, because a failed lookup must not fail the
    /// change.
    pub(in crate::tool) async fn lookup(&self, session: &Session) -> Option<String> {
        if let Some(user) = self.0.get(&cache_key(session)) {
            return user.map(|user| user.to_string());
        }
        let user = tokio::time::timeout(LOOKUP_TIMEOUT, self.request(session)).await.ok()?.ok();
        if user.is_none() {
            self.0.insert(cache_key(session), None);
        }
        user.map(|user| user.to_string())
    }

    /// Returns the ID of the user. Repeats a lookup that failed before.
    pub(in crate::tool) async fn user_id(
        &self,
        session: &Session,
    ) -> Result<String, octopus::Error> {
        let user = match self.0.get(&cache_key(session)).flatten() {
            Some(user) => user,
            None => self.request(session).await?,
        };
        Ok(user.id.clone())
    }

    async fn request(&self, session: &Session) -> Result<Arc<ActingUser>, octopus::Error> {
        let user = users::me(&session.without_recording()).await?;
        let user = Arc::new(ActingUser { id: user.id.into_string(), username: user.username });
        self.0.insert(cache_key(session), Some(Arc::clone(&user)));
        Ok(user)
    }
}

impl fmt::Display for ActingUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.username, self.id)
    }
}

/// Returns the cache key: the caller, the credential and the instance. A credential can belong to a
/// different user at each instance.
fn cache_key(session: &Session) -> Fingerprint {
    session.fingerprint().combined_with(session.client().url().as_str().as_bytes())
}
