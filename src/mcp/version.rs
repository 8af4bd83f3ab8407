//! What the version of the instance has to do with what is listed.

use std::time::Duration;

use crate::{octopus::OctopusVersion, tool::Context};

/// How long a list waits for Octopus to say its version. Clients ask for lists before they do
/// anything else, and a list of everything is of more use than none.
const PATIENCE: Duration = Duration::from_secs(3);

/// The version of the instance, where it can be read.
pub(super) async fn version(cx: &Context) -> Option<OctopusVersion> {
    tokio::time::timeout(PATIENCE, cx.session.version()).await.ok()?.ok()
}

/// Whether something of this age is listed. Where the version is not known, everything is.
pub(super) fn is_new_enough(since: OctopusVersion, version: Option<OctopusVersion>) -> bool {
    version.is_none_or(|version| since <= version)
}
