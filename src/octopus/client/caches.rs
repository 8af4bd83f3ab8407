//! Caches of one instance, which all of its sessions share.

use std::time::{Duration, Instant};

use bytes::Bytes;
use moka::future::Cache;

use super::{credentials::Fingerprint, version::OctopusVersion};

/// Maximum number of cached spaces, over all callers.
const MAX_SPACES: u64 = 10_000;
/// Time for which the version of the instance, and what depends on it, is cached.
const VERSION_TTL: Duration = Duration::from_mins(10);
/// Maximum number of callers for which a list is known to exist.
const MAX_V2_LISTS: u64 = 10_000;
/// Time for which the API reference is cached.
const LLMS_TXT_TTL: Duration = Duration::from_mins(5);
/// Maximum bytes of cached API references, over all callers; one has a few hundred thousand.
const MAX_LLMS_TXT_BYTES: u64 = 32 * 1024 * 1024;

/// Caches of one instance. Except for the version, callers never share an entry, because they can
/// have access to different parts of the instance.
#[derive(Debug)]
pub(in crate::octopus) struct Caches {
    /// Spaces by session fingerprint and the lower-cased text that the caller wrote.
    pub(in crate::octopus) spaces: Cache<(Fingerprint, String), CachedSpace>,
    /// Whether the instance has the list `{collection}/v2`, by session fingerprint and collection.
    pub(in crate::octopus) v2_lists: Cache<(Fingerprint, &'static str), bool>,
    /// Version of the instance.
    pub(in crate::octopus) version: Cache<(), KnownVersion>,
    /// API references for language models by session fingerprint.
    pub(in crate::octopus) llms_txt: Cache<Fingerprint, Bytes>,
}

/// Version of the instance, and the time of the answer that contained it.
#[derive(Debug, Clone, Copy)]
pub(in crate::octopus) struct KnownVersion {
    pub(in crate::octopus) version: OctopusVersion,
    pub(in crate::octopus) read_at: Instant,
}

/// Identity of a space.
#[derive(Debug, Clone)]
pub(in crate::octopus) struct CachedSpace {
    pub(in crate::octopus) id: String,
    pub(in crate::octopus) name: String,
    pub(in crate::octopus) slug: Option<String>,
}

impl Caches {
    /// Creates empty caches. A space is cached for `space_ttl`.
    pub(in crate::octopus) fn new(space_ttl: Duration) -> Self {
        Self {
            spaces: Cache::builder()
                .max_capacity(MAX_SPACES)
                .time_to_live(space_ttl)
                .support_invalidation_closures()
                .build(),
            v2_lists: Cache::builder()
                .max_capacity(MAX_V2_LISTS)
                .time_to_live(VERSION_TTL)
                .support_invalidation_closures()
                .build(),
            version: Cache::builder().max_capacity(1).time_to_live(VERSION_TTL).build(),
            llms_txt: Cache::builder()
                .max_capacity(MAX_LLMS_TXT_BYTES)
                .weigher(|_, text: &Bytes| u32::try_from(text.len()).unwrap_or(u32::MAX))
                .time_to_live(LLMS_TXT_TTL)
                .build(),
        }
    }
}
