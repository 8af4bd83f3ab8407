//! Teams and user roles.

use serde_json::{Value, json};

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::world::Item;
use super::missing;

const TEAMS: Pages = Pages::of("Team", "skip,take,ids,partialName,spaces,includeSystem");
const ROLES: Pages = Pages::of("UserRole", "skip,take,ids,partialName");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("TeamView")?;
    let visible = call.world.teams.iter().filter(|team| is_visible(call, team));
    match path {
        [] => Ok(TEAMS.page(call, visible.filter(|team| call.among_ids(team) && call.named(team)))),
        ["all"] => Ok(all(visible)),
        [id] => {
            let team = call.world.teams.find(id).filter(|team| is_visible(call, team));
            Ok(Answer::json(team.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(Refusal::NoRoute),
    }
}

pub(super) fn roles(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("UserRoleView")?;
    let roles = call.world.user_roles.iter();
    match path {
        [] => Ok(ROLES.page(call, roles.filter(|role| call.among_ids(role) && call.named(role)))),
        ["all"] => Ok(all(roles)),
        [id] => {
            let role = call.world.user_roles.find(id).ok_or_else(|| missing(id))?;
            Ok(Answer::json(role.json.to_string()))
        }
        _ => Err(Refusal::NoRoute),
    }
}

/// `/users/{id}/teams`: a bare array.
pub(super) fn of_user(call: &Call<'_>, user: &Item) -> Value {
    let is_member = |team: &&Item| team.texts("MemberUserIds").any(|id| id == user.id);
    let teams = call.world.teams.iter().filter(|team| is_visible(call, team)).filter(is_member);
    let shown = teams.map(|team| {
        json!({
            "Id": team.id, "Name": team.text("Name"), "IsDirectlyAssigned": true,
            "ExternalGroupNames": [], "SpaceId": team.body.get("SpaceId"),
        })
    });
    shown.collect()
}

/// Those of the space of the path, or of the spaces of the caller and the server level.
fn is_visible(call: &Call<'_>, team: &Item) -> bool {
    if let Some(space) = call.space {
        return team.space_id == space.id;
    }
    if team.space_id.is_empty() {
        return call.query.switch("includeSystem").unwrap_or(true);
    }
    call.one_of("spaces", &team.space_id) && call.user.sees(&team.space_id)
}
