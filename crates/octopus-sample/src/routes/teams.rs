//! Teams.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::Item;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

const TEAMS: Pages = Pages::of("Team", "skip,take,ids,partialName,spaces,includeSystem");
const ROLES: Pages = Pages::of("UserRole", "skip,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("TeamView")?;
    let visible = call.database.teams.iter().filter(|team| is_visible(call, team));
    match path {
        [] => {
            Ok(TEAMS
                .page(call, visible.filter(|team| call.in_ids(team) && call.matches_name(team))))
        }
        ["all"] => Ok(all(visible)),
        [id] => {
            let team = call.database.teams.find(id).filter(|team| is_visible(call, team));
            Ok(ApiResponse::json(team.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

pub(super) fn roles(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("UserRoleView")?;
    let roles = call.database.user_roles.iter();
    match path {
        [] => {
            Ok(ROLES.page(call, roles.filter(|role| call.in_ids(role) && call.matches_name(role))))
        }
        ["all"] => Ok(all(roles)),
        [id] => {
            let role = call.database.user_roles.find(id).ok_or_else(|| missing(id))?;
            Ok(ApiResponse::json(role.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Returns the array of `/users/{id}/teams`.
pub(super) fn of_user(call: &Call<'_>, user: &Item) -> Value {
    let is_member = |team: &&Item| team.texts("MemberUserIds").any(|id| id == user.id);
    let teams = call.database.teams.iter().filter(|team| is_visible(call, team)).filter(is_member);
    let shown = teams.map(|team| {
        json!({
            "Id": team.id, "Name": team.text("Name"), "IsDirectlyAssigned": true,
            "ExternalGroupNames": [], "SpaceId": team.body.get("SpaceId"),
        })
    });
    shown.collect()
}

/// Returns whether a team belongs to the space of the path. Without a space in the path: to a space
/// of the caller or to the server level.
fn is_visible(call: &Call<'_>, team: &Item) -> bool {
    if let Some(space) = call.space {
        return team.space_id == space.id;
    }
    if team.space_id.is_empty() {
        return call.query.switch("includeSystem").unwrap_or(true);
    }
    call.one_of("spaces", &team.space_id) && call.user.sees_space(&team.space_id)
}
