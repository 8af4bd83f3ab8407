//! Teams.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::Item;

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
pub(super) fn is_visible(call: &Call<'_>, team: &Item) -> bool {
    if let Some(space) = call.space {
        return team.space_id == space.id;
    }
    if team.space_id.is_empty() {
        return call.query.switch("includeSystem").unwrap_or(true);
    }
    call.one_of("spaces", &team.space_id) && call.user.sees_space(&team.space_id)
}
