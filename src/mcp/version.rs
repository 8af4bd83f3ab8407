//! Hides tools and resources that need a newer Octopus version than the instance has.

use std::time::Duration;

use crate::{octopus::OctopusVersion, tool::Context};

/// Timeout for reading the version. Clients request lists first, so a full list is better than
/// a failed one.
const VERSION_TIMEOUT: Duration = Duration::from_secs(3);

/// Returns the version of the instance, or `None` if it cannot be read in time.
pub(super) async fn instance_version(cx: &Context) -> Option<OctopusVersion> {
    tokio::time::timeout(VERSION_TIMEOUT, cx.session.version()).await.ok()?.ok()
}

/// Returns whether the instance has the required version. Returns `true` for an unknown version.
pub(super) fn is_new_enough(since: OctopusVersion, version: Option<OctopusVersion>) -> bool {
    version.is_none_or(|version| since <= version)
}
