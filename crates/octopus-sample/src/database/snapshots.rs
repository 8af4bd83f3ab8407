//! IDs of snapshots.

use crate::random::token;

/// Returns the ID of the snapshot in a release of a process or variable set.
pub(crate) fn snapshot(prefix: &str, owner_id: &str, release_id: &str) -> String {
    let number = release_id.rsplit('-').next().unwrap_or_default();
    let mark = token(&format!("{prefix}-{owner_id}-{release_id}"), 5).to_uppercase();
    format!("{prefix}-{owner_id}-s-{number}-{mark}")
}
