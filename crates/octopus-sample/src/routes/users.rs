//! Users and their permissions.

use serde_json::{Map, Value, json};

use super::super::call::{Call, contains};
use super::super::database::Item;
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::users::{PERMISSIONS, User};
use super::super::version::Feature;
use super::{administration, missing, teams};

const PAGES: Pages = Pages::of("User", "skip,take,ids,filter");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
        [] => {
            administrators(call, "UserView")?;
            let matching = |user: &&Item| {
                let filter = call.query.text("filter").unwrap_or_default();
                contains(user.text("Username"), filter)
                    || contains(user.text("DisplayName"), filter)
            };
            let ignores_ids = call.version.has(Feature::ListsWithoutIds);
            let users = call.database.users.iter();
            let users = users.filter(|user| ignores_ids || call.in_ids(user));
            Ok(PAGES.page(call, users.filter(matching)))
        }
        ["invitations"] => administration::invitations(call),
        [id, "apikeys"] => administration::keys(call, one(call, id)?, None),
        [id, "apikeys", key] => administration::keys(call, one(call, id)?, Some(key)),
        [id, "teams"] => Ok(ApiResponse::value(&teams::of_user(call, one(call, id)?))),
        [id] => {
            let user = one(call, id)?;
            Ok(ApiResponse::json(user.json.to_string()))
        }
        [id, "permissions"] => {
            let user = one(call, id)?;
            Ok(ApiResponse::value(&permissions(call, user)))
        }
        [id, "permissions", "configuration"] => {
            let user = one(call, id)?;
            let key = call.query.text("apiKeyId");
            if call.version.has(Feature::ActorTypes)
                && let Some(key) = key
                && !key.eq_ignore_ascii_case(&administration::key_id(user))
            {
                return Err(missing(key));
            }
            Ok(ApiResponse::value(&permissions(call, user)))
        }
        [id, "spaces"] => {
            let user = one(call, id)?;
            let access = User::with_id(&user.id);
            let sees = |space: &&Item| access.is_some_and(|access| access.sees_space(&space.id));
            let spaces = call.database.spaces.iter().filter(sees);
            let spaces = spaces.map(|space| json!({ "Id": space.id, "Name": space.text("Name") }));
            Ok(ApiResponse::value(&Value::Array(spaces.collect())))
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Returns the caller, or any user if the caller is an administrator.
fn one<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, ApiError> {
    let id = if id == "me" { call.user.id } else { id };
    let user = call.database.users.find(id).ok_or_else(|| missing(id))?;
    if user.id != call.user.id {
        administrators(call, "UserView")?;
    }
    Ok(user)
}

fn administrators(call: &Call<'_>, permission: &'static str) -> Result<(), ApiError> {
    if call.user.administrator { Ok(()) } else { Err(ApiError::Forbidden(permission)) }
}

fn permissions(call: &Call<'_>, user: &Item) -> Value {
    let access = User::with_id(&user.id);
    let spaces: Vec<&str> = access
        .into_iter()
        .flat_map(|access| access.spaces)
        .filter(|space| call.one_of("spaces", space))
        .copied()
        .collect();
    let projects: &[&str] = match access {
        Some(access) if access.agent => &["Projects-1"],
        _ => &[],
    };
    let restrictions = |space: &str| {
        json!({
            "RestrictedToProjectIds": projects, "RestrictedToEnvironmentIds": [],
            "RestrictedToTenantIds": [], "RestrictedToProjectGroupIds": [], "SpaceId": space,
        })
    };
    let granted = PERMISSIONS
        .into_iter()
        .filter(|permission| access.is_some_and(|access| access.has_permission(permission)))
        .map(|permission| {
            let spaces = spaces.iter().map(|space| restrictions(space));
            (permission.to_owned(), Value::Array(spaces.collect()))
        });
    let is_administrator = access.is_some_and(|access| access.administrator);
    json!({
        "Id": user.id,
        "SpacePermissions": granted.collect::<Map<_, _>>(),
        "SystemPermissions":
            if is_administrator { json!(["AdministerSystem", "UserView", "TeamView", "TaskView"]) }
            else { json!([]) },
        "Teams": teams::of_user(call, user),
        "IsTeamsComplete": true,
        "IsPermissionsComplete": true,
        "Links": { "Self": format!("/api/users/{}/permissions{{?spaces,includeSystem}}", user.id) },
    })
}
