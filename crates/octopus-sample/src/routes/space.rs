//! Finds the space of a path.

use super::super::database::{Database, Item};
use super::super::response::ApiError;
use super::super::users::User;
use super::super::version::{Feature, Version};
use super::missing;

/// Returns the space of a path, and the rest of the path.
pub(super) fn of<'a, 'p>(
    version: &Version,
    database: &'a Database,
    user: &User,
    path: &'p [&'p str],
) -> Result<(Option<&'a Item>, &'p [&'p str]), ApiError> {
    let visible = |item: &&Item| user.sees_space(&item.id);
    let spaces = &database.spaces;
    match path {
        ["spaces"] | ["spaces", _] | ["spaces", _, "search" | "logo"] => Ok((None, path)),
        ["spaces", id_or_slug, rest @ ..] => {
            if !version.has(Feature::SpacesForm) {
                return Err(ApiError::NoRoute);
            }
            let space = spaces.find_in("", id_or_slug).filter(visible);
            space.map(|space| (Some(space), rest)).ok_or_else(|| missing(id_or_slug))
        }
        [id, rest @ ..] if is_space_id(id) => {
            let space = spaces.find(id).filter(visible);
            space.map(|space| (Some(space), rest)).ok_or_else(|| missing(id))
        }
        [
            "users"
            | "tasks"
            | "events"
            | "teams"
            | "userroles"
            | "scopeduserroles"
            | "licenses"
            | "configuration"
            | "serverconfiguration"
            | "featuresconfiguration"
            | "maintenanceconfiguration"
            | "performanceconfiguration"
            | "smtpconfiguration"
            | "octopusservernodes"
            | "serverstatus"
            | "capabilities"
            | "permissions"
            | "ratelimitingpolicies"
            | "deploymentfreezes",
            ..,
        ] => Ok((None, path)),
        _ => {
            let default = spaces.iter().find(|space| space.flag("IsDefault")).filter(visible);
            default.map(|space| (Some(space), path)).ok_or(ApiError::NoRoute)
        }
    }
}

fn is_space_id(segment: &str) -> bool {
    let number = segment.get(7..).filter(|number| !number.is_empty());
    segment.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("spaces-"))
        && number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
