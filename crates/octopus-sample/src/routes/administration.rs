//! Settings, licence, roles and keys of the instance, for administrators. Clients should never send
//! these requests; the sample answers them, so that tests notice a client that does.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::clock::{DAY, NOW, timestamp};
use super::super::database::Item;
use super::super::keys;
use super::super::page::Pages;
use super::super::random::token;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::users::User;
use super::super::version::Feature;
use super::missing;

const KEYS: Pages = Pages::of("ApiKey", "skip,take");
const SCOPED_ROLES: Pages =
    Pages::of("ScopedUserRole", "skip,take,ids,partialName,spaces,includeSystem");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
        ["licenses", "licenses-current-status"] => {
            return Ok(ApiResponse::value(&json!({
                "Id": "licenses-current-status", "IsCompliant": true,
                "HostingEnvironment": "Self-Hosted",
                "ComplianceSummary": "Your license is compliant.",
                "EffectiveExpiryDate": "2027-03-31T00:00:00.000+00:00",
                "DaysToEffectiveExpiryDate": 148, "Messages": [], "Limits": [],
                "PermissionsMode": "Full", "Links": { "Self": "/api/licenses/licenses-current-status" },
            })));
        }
        ["featuresconfiguration"] => return Ok(ApiResponse::value(&features())),
        _ => {}
    }
    let answer = match path {
        ["serverstatus", "extensions"] => json!([{
            "Id": "Octopus.Server.Extensibility.JiraIntegration", "Name": "Jira Integration",
            "AssemblyName": "Octopus.Server.Extensibility.JiraIntegration", "Version": "4.2.1",
            "Author": "Octopus Deploy", "IsCustom": false, "Links": {},
        }]),
        ["serverstatus", "system-info"] => json!({
            "Version": call.version.text(), "OSVersion": "Ubuntu 24.04", "WorkingSetBytes": 1_932_735_283_u64,
            "ClrVersion": "10.0.0", "ThreadCount": 84, "Uptime": "6 days", "Links": {},
        }),
        ["licenses", "licenses-current"] => json!({
            "Id": "licenses-current", "SerialNumber": "SN-00000-EXAMPLE",
            "LicenseText": "<License Signature=\"not-a-real-one\"/>",
            "Links": { "Self": "/api/licenses/licenses-current" },
        }),
        ["scopeduserroles"] => return scoped_roles(call),
        ["serverconfiguration"] => json!({
            "Id": "serverconfiguration", "ServerUri": "https://octopus.larkspurfreight.example",
            "MasterKey": { "HasValue": true, "NewValue": null, "Hint": null },
            "Links": { "Self": "/api/serverconfiguration" },
        }),
        ["serverconfiguration", "settings"] => json!([
            { "Id": "WebPortal", "Name": "Octopus.WebPortal.ListenPrefixes", "Value": "https://*:443" },
        ]),
        ["maintenanceconfiguration" | "performanceconfiguration" | "smtpconfiguration"] => json!({
            "Id": path.first(), "IsInMaintenanceMode": false, "Links": {},
        }),
        ["configuration"] => json!([{ "Id": "authentication", "Name": "Authentication" }]),
        ["configuration", "eventretention", "values"] => {
            json!({ "Id": "eventretention", "EventRetentionDays": 90 })
        }
        ["configuration", id, ..] => {
            json!({ "Id": id, "Name": id, "Description": "", "Links": {} })
        }
        ["permissions", "all"] => json!({
            "ProjectView": {
                "Description": "View the details of projects", "CanApplyAtSpaceLevel": true,
                "CanApplyAtSystemLevel": false,
                "SupportedRestrictions": ["Projects", "ProjectGroups"],
            },
        }),
        _ => return Err(ApiError::NoRoute),
    };
    administrators(call)?;
    Ok(ApiResponse::value(&answer))
}

/// Answers `/users/invitations`.
pub(super) fn invitations(call: &Call<'_>) -> ApiResult {
    administrators(call)?;
    Ok(ApiResponse::value(&json!({ "Id": "Invitations-1", "InvitationCode": null, "Links": {} })))
}

/// Returns the ID of the API key of a user.
pub(super) fn key_id(user: &Item) -> String {
    format!("APIKeys-{}", token(&user.id, 24))
}

/// Answers `/users/{id}/apikeys` and `/users/{id}/apikeys/{key}`. Responses never contain the keys
/// themselves.
pub(super) fn keys(call: &Call<'_>, user: &Item, id: Option<&str>) -> ApiResult {
    if !call.user.administrator && call.user.id != user.id {
        return Err(ApiError::Forbidden("UserEdit"));
    }
    let key_id = key_id(user);
    let hint = keys::OWNERS.iter().find(|(_, owner)| *owner == user.id).map(|(key, _)| *key);
    let mut key = json!({
        "Id": key_id, "Purpose": "Automation", "UserId": user.id,
        "ApiKey": {
            "HasValue": true, "NewValue": null,
            "Hint": hint.and_then(|key| key.get(..8)).unwrap_or("API-SAMP"),
        },
        "Created": timestamp(NOW - 40 * DAY), "Expires": timestamp(NOW + 140 * DAY),
        "Links": { "Self": format!("/api/users/{}/apikeys/{key_id}", user.id) },
    });
    if let (true, Value::Object(key)) = (call.version.has(Feature::ActorTypes), &mut key) {
        let access = User::with_id(&user.id);
        let (level, actor) = match access {
            Some(access) if access.agent => ("Custom", "AiAgent"),
            Some(access) if access.views_only => ("ReadOnly", "User"),
            _ => ("FullAccess", "User"),
        };
        key.extend([
            ("AccessLevel".to_owned(), json!(level)),
            ("ActorType".to_owned(), json!(actor)),
            ("IsLastUsedTimestampKnown".to_owned(), json!(true)),
            ("LastUsedTimeStamp".to_owned(), json!(timestamp(NOW - DAY))),
        ]);
    }
    match id {
        None => Ok(KEYS.render(call, 1, std::iter::once(key.to_string()), "")),
        Some(id) if id.eq_ignore_ascii_case(&key_id) => Ok(ApiResponse::value(&key)),
        Some(id) => Err(missing(id)),
    }
}

fn scoped_roles(call: &Call<'_>) -> ApiResult {
    administrators(call)?;
    let rows =
        [("Teams-21", "Spaces-1", 11), ("Teams-22", "Spaces-1", 12), ("Teams-41", "Spaces-22", 13)];
    let rows = rows.into_iter().filter(|(_, space, _)| call.one_of("spaces", space));
    let rows: Vec<String> = rows
        .map(|(team, space, number)| {
            let id = format!("ScopedUserRoles-{number}");
            json!({
                "Id": id, "UserRoleId": "userroles-projectdeployer", "TeamId": team,
                "ProjectIds": [], "EnvironmentIds": [], "TenantIds": [], "ProjectGroupIds": [],
                "SpaceId": space, "Links": { "Self": format!("/api/scopeduserroles/{id}") },
            })
            .to_string()
        })
        .collect();
    let (skip, take) = SCOPED_ROLES.window(call);
    Ok(SCOPED_ROLES.render(call, rows.len(), rows.iter().skip(skip).take(take), ""))
}

fn features() -> Value {
    json!({
        "Id": "features", "IsDynamicWorkersEnabled": true, "IsCommunityActionTemplatesEnabled": true,
        "IsHelpSidebarEnabled": true, "IsAutomaticStepUpdatesEnabled": true,
        "Links": { "Self": "/api/featuresconfiguration" },
    })
}

fn administrators(call: &Call<'_>) -> Result<(), ApiError> {
    if call.user.administrator { Ok(()) } else { Err(ApiError::Forbidden("AdministerSystem")) }
}

#[cfg(test)]
mod tests {
    use super::super::test_client::status;
    use crate::keys::{ADMIN, DEFAULT_SPACE_ONLY};

    #[tokio::test]
    async fn only_administrators_see_server_settings() {
        let rows = [
            ("users/Users-42/apikeys", 403),
            ("users/me/apikeys", 200),
            ("users/invitations", 403),
            ("licenses/licenses-current", 403),
            ("licenses/licenses-current-status", 200),
            ("serverconfiguration", 403),
            ("scopeduserroles", 403),
            ("configuration/authentication/values", 403),
            ("serverstatus/extensions", 403),
            ("featuresconfiguration", 200),
            ("teams", 200),
            ("teams/Teams-21", 200),
            ("teams/Teams-41", 404),
            ("userroles/userroles-projectdeployer", 200),
            ("users/me/teams", 200),
            ("users/me/permissions", 200),
        ];
        for (path, expected) in rows {
            let path = format!("/api/{path}");
            assert_eq!(status(DEFAULT_SPACE_ONLY, &path).await, expected, "{path}");
            assert_eq!(status(ADMIN, &path).await, 200, "{path}");
        }
    }
}
