//! Checks that the space named by a request's path or header exists for its caller.

use std::time::Duration;

use moka::sync::Cache;

use super::AdmissionError;
use crate::{
    access::EffectiveScope,
    octopus::{self, Fingerprint, Instance, PageRange, Session, spaces},
};

/// Time limit of each lookup. If Octopus takes longer, the call itself reports a missing space.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of spaces that the error message lists.
const MAX_LISTED_SPACES: u32 = 30;

/// Maximum number of cached misses.
const CACHE_CAPACITY: u64 = 10_000;
/// Lifetime of a cached miss. It is short, so that a new space is soon found.
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
        reach: &EffectiveScope,
        instance: &Instance,
    ) -> Result<(), AdmissionError> {
        let Some(wanted) = reach.request.space.as_deref() else { return Ok(()) };
        let key = cache_key(reach, instance, wanted);
        if let Some(error) = self.0.get(&key) {
            return Err(error);
        }
        let result = look_up_space(reach, instance, wanted).await;
        if let Err(error) = &result {
            self.0.insert(key, error.clone());
        }
        result
    }
}

/// Returns the cache key: caller, groups, granted spaces, instance and requested space.
fn cache_key(reach: &EffectiveScope, instance: &Instance, wanted: &str) -> Fingerprint {
    let who = &reach.caller.identity;
    let caller = reach.caller.fingerprint();
    let granted = format!("{:?} {:?}", who.groups, who.grants.spaces);
    let wanted = wanted.trim().to_lowercase();
    let parts = [granted.as_bytes(), instance.name.as_bytes(), wanted.as_bytes()];
    Fingerprint::of(std::iter::once(caller.as_bytes().as_slice()).chain(parts))
}

async fn look_up_space(
    reach: &EffectiveScope,
    instance: &Instance,
    wanted: &str,
) -> Result<(), AdmissionError> {
    let look = async {
        let session = reach.session(instance, None).await.ok()?;
        let fixed = match instance.space.as_deref() {
            Some(fixed) => Some(session.space(fixed).await.ok()?),
            None => None,
        };
        let granted = reach.caller.identity.grants.spaces.as_ref();
        match session.space(wanted).await {
            Ok(space) => {
                let is_other = fixed.as_ref().is_some_and(|fixed| fixed.id() != space.id());
                let is_granted =
                    granted.is_none_or(|granted| granted.iter().any(|one| space.matches(one)));
                if is_granted && !is_other { None } else { Some(session) }
            }
            Err(octopus::Error::NotFound { .. }) => Some(session),
            Err(_) => None,
        }
    };
    // `Some`: the space was not found, is not granted or is not the space that the settings pin.
    let Ok(Some(session)) = tokio::time::timeout(LOOKUP_TIMEOUT, look).await else { return Ok(()) };
    let names =
        match tokio::time::timeout(LOOKUP_TIMEOUT, accessible_spaces(reach, instance, &session))
            .await
        {
            Ok(names) if !names.is_empty() => format!("; available: {}", names.join(", ")),
            _ => String::new(),
        };
    Err(AdmissionError::NotFound(format!(
        "space '{}' not found in instance '{}', or you have no access to it{names}",
        wanted.escape_debug(),
        instance.name
    )))
}

/// Returns the spaces that the caller can use: the pinned space, the granted spaces, or the first
/// spaces that Octopus lists.
async fn accessible_spaces(
    reach: &EffectiveScope,
    instance: &Instance,
    session: &Session,
) -> Vec<String> {
    if let Some(fixed) = &instance.space {
        return vec![fixed.clone()];
    }
    if let Some(granted) = &reach.caller.identity.grants.spaces {
        return granted.iter().cloned().collect();
    }
    let page = spaces::list(session, None, PageRange { skip: 0, take: MAX_LISTED_SPACES }).await;
    let spaces = page.map(|page| page.items).unwrap_or_default();
    spaces.into_iter().map(|space| space.slug.unwrap_or(space.name)).collect()
}
