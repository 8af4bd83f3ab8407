//! Teams.

use serde_json::json;

use super::collection::Collection;
use super::configuration::{by_name, collection};
use super::fixtures;

pub(super) fn teams() -> Collection {
    let teams = collection(fixtures::TEAMS, |id, _, _| {
        let path = format!("/api/teams/{id}");
        json!({
            "ExternalSecurityGroups": [], "CanChangeMembers": true,
            "Links": {
                "Self": path, "ScopedUserRoles": format!("{path}/scopeduserroles{{?skip,take}}"),
            },
        })
    });
    by_name(&teams)
}

pub(super) fn user_roles() -> Collection {
    let roles = collection(
        fixtures::USER_ROLES,
        |id, _, _| json!({ "Links": { "Self": format!("/api/userroles/{id}") } }),
    );
    by_name(&roles)
}
