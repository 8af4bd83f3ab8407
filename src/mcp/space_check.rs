//! Checks that the space named by a request's path or header exists for its caller.

use std::time::Duration;

use moka::sync::Cache;

use super::AdmissionError;
use crate::{
    access::EffectiveScope,
    octopus::{self, Fingerprint, Instance, PageRange, Session, spaces},
};

/// Timeout of each lookup. After it, the check passes and the call itself reports a missing space.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of spaces that the error message lists.
const MAX_LISTED_SPACES: u32 = 30;

/// Maximum number of cached misses.
const CACHE_CAPACITY: u64 = 10_000;
/// Lifetime of a cached miss. It is short, so that a new space is found soon.
const CACHE_TTL: Duration = Duration::from_secs(10);

/// Cache of spaces that do not exist for a caller, with the error that the caller got.
///
/// A repeated request for a missing space then needs no request to Octopus. Entries are per caller.
#[derive(Debug, Clone)]
pub struct MissingSpaceCache(Cache<Fingerprint, AdmissionError>);

impl Default for MissingSpaceCache {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CACHE_CAPACITY).time_to_live(CACHE_TTL).build())
    }
}

impl MissingSpaceCache {
    /// Rejects a request whose space does not exist for its caller.
    ///
    /// Space lookups are cached per caller, so most checks send no request to Octopus. If Octopus
    /// does not answer in time, the check passes and the call itself reports a missing space.
    ///
    /// # Errors
    ///
    /// [`AdmissionError::NotFound`], with up to 30 of the spaces that the caller can use.
    pub(super) async fn check(
        &self,
        scope: &EffectiveScope,
        instance: &Instance,
    ) -> Result<(), AdmissionError> {
        let Some(name) = scope.request.space.as_deref() else { return Ok(()) };
        let key = cache_key(scope, instance, name);
        if let Some(error) = self.0.get(&key) {
            return Err(error);
        }
        let result = look_up_space(scope, instance, name).await;
        if let Err(error) = &result {
            self.0.insert(key, error.clone());
        }
        result
    }
}

/// Returns the cache key: caller, groups, granted spaces, instance and requested space.
fn cache_key(scope: &EffectiveScope, instance: &Instance, space: &str) -> Fingerprint {
    let identity = &scope.caller.identity;
    let caller = scope.caller.fingerprint();
    let granted = format!("{:?} {:?}", identity.groups, identity.grants.spaces);
    let space = space.trim().to_lowercase();
    let parts = [granted.as_bytes(), instance.name.as_bytes(), space.as_bytes()];
    Fingerprint::of(std::iter::once(caller.as_bytes().as_slice()).chain(parts))
}

async fn look_up_space(
    scope: &EffectiveScope,
    instance: &Instance,
    name: &str,
) -> Result<(), AdmissionError> {
    let lookup = async {
        let session = scope.session(instance, None).await.ok()?;
        let pinned = match instance.space.as_deref() {
            Some(pinned) => Some(session.space(pinned).await.ok()?),
            None => None,
        };
        let granted = scope.caller.identity.grants.spaces.as_ref();
        match session.space(name).await {
            Ok(space) => {
                let is_other = pinned.as_ref().is_some_and(|pinned| pinned.id() != space.id());
                let is_granted =
                    granted.is_none_or(|granted| granted.iter().any(|one| space.matches(one)));
                if is_granted && !is_other { None } else { Some(session) }
            }
            Err(octopus::Error::NotFound { .. }) => Some(session),
            Err(_) => None,
        }
    };
    // `Some`: the space was not found, is not granted or is not the space that the settings pin.
    let Ok(Some(session)) = tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await else {
        return Ok(());
    };
    let names =
        match tokio::time::timeout(LOOKUP_TIMEOUT, accessible_spaces(scope, instance, &session))
            .await
        {
            Ok(names) if !names.is_empty() => format!("; available: {}", names.join(", ")),
            _ => String::new(),
        };
    Err(AdmissionError::NotFound(format!(
        "space '{}' not found in instance '{}', or you have no access to it{names}",
        name.escape_debug(),
        instance.name
    )))
}

/// Returns the spaces that the caller can use: the pinned space, the granted spaces, or the first
/// spaces that Octopus lists.
async fn accessible_spaces(
    scope: &EffectiveScope,
    instance: &Instance,
    session: &Session,
) -> Vec<String> {
    if let Some(pinned) = &instance.space {
        return vec![pinned.clone()];
    }
    if let Some(granted) = &scope.caller.identity.grants.spaces {
        return granted.iter().cloned().collect();
    }
    let page = spaces::list(session, None, PageRange { skip: 0, take: MAX_LISTED_SPACES }).await;
    let spaces = page.map(|page| page.items).unwrap_or_default();
    spaces.into_iter().map(|space| space.slug.unwrap_or(space.name)).collect()
}
