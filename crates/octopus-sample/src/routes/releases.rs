//! Releases, newest first.

use super::super::call::{Call, contains};
use super::super::database::Item;
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::{deployments, missing, previews, progression};

const OF_OWNER: Pages = Pages::of("Release", "skip,take,searchByVersion");

/// Answers the paths below `/releases/{id}`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
        [id, "deployments", "template" | "preview", ..] => {
            let rest = path.get(2..).unwrap_or_default();
            previews::of_release(call, one(call, id)?, rest)
        }
        [id, "deployments"] => deployments::of_release(call, one(call, id)?),
        [id, "progression"] => progression::of_release(call, one(call, id)?),
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/projects/{id}/releases`.
pub(super) fn of_project(call: &Call<'_>, project: &Item) -> ApiResult {
    of_owner(call, call.database.releases.of_project(project))
}

/// Answers a page of the releases of a project or channel, filtered by `searchByVersion`.
pub(super) fn of_owner<'a>(call: &Call<'_>, releases: impl Iterator<Item = &'a Item>) -> ApiResult {
    call.require("ReleaseView")?;
    let part = call.query.text("searchByVersion").unwrap_or_default();
    Ok(OF_OWNER.page(call, releases.filter(|release| contains(release.text("Version"), part))))
}

/// Answers `/projects/{id}/releases/{version}`.
pub(super) fn by_version(call: &Call<'_>, project: &Item, version: &str) -> ApiResult {
    call.require("ReleaseView")?;
    let is_wanted = |release: &&Item| release.text("Version").eq_ignore_ascii_case(version);
    let release = call.database.releases.of_project(project).find(is_wanted);
    Ok(ApiResponse::json(release.ok_or_else(|| missing(version))?.json.to_string()))
}

/// Matches the parameter `ids` of `/releases`, in versions that have it.
pub(super) fn matches_ids(call: &Call<'_>, release: &Item) -> bool {
    call.version.has(Feature::ListsWithoutIds) || call.in_ids(release)
}

fn one<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, ApiError> {
    let release = call.database.releases.find(id);
    release.filter(|release| release.space_id == call.space_id()).ok_or_else(|| missing(id))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::test_client::get_response;
    use crate::{Sample, keys};

    #[tokio::test]
    async fn ids_of_releases_and_users_depend_on_version() {
        for (version, applies) in [("2023.1.9626", true), ("2023.4.1", false), ("2026.3.1", false)]
        {
            let sample = Sample::with_version(version);
            for path in ["/api/Spaces-1/releases?ids=Releases-9002", "/api/users?ids=Users-41"] {
                let response = get_response(&sample, keys::ADMIN, path).await;
                let page: Value = serde_json::from_slice(response.body()).unwrap();
                assert_eq!(page["TotalResults"] == 1, applies, "{version} {path}");
            }
        }
    }
}
