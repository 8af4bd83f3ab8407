//! Which user of Octopus a credential is, for the records of changes.

use std::time::Duration;

use moka::sync::Cache;

use crate::octopus::{Fingerprint, Session, users};

/// The users that credentials are, as far as somebody asked not long ago. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Acting(Cache<Fingerprint, Option<String>>);

/// How many users are remembered.
const KEPT: u64 = 10_000;
/// How long they are remembered.
const KEPT_FOR: Duration = Duration::from_mins(5);
/// How long a change waits to learn it.
const PATIENCE: Duration = Duration::from_secs(3);

impl Default for Acting {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KEPT).time_to_live(KEPT_FOR).build())
    }
}

impl Acting {
    /// The user, where it is known already.
    pub fn known(&self, session: &Session) -> Option<String> {
        self.0.get(&key(session)).flatten()
    }

    /// The user. That it cannot be learned is no reason for anything to fail.
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

/// One caller with one credential is another user at each instance.
fn key(session: &Session) -> Fingerprint {
    session.whose().and(session.client().url().as_str().as_bytes())
}
