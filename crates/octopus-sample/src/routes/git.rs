//! Branches, tags and commits of a version-controlled project, and their content.

use serde_json::{Value, json};

use super::super::call::{Call, contains};
use super::super::database::repository::{
    Reference, ReferenceKind, branches, commits, resolve, tags,
};
use super::super::database::{Item, processes, variable_sets};
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::super::version::Feature;
use super::{deployment_processes, missing};

const BRANCHES: Pages = Pages::of("GitBranch", "skip,take,searchByName,refresh");
const TAGS: Pages = Pages::of("GitTag", "skip,take,searchByName,refresh");
const COMMITS: Pages = Pages::of("GitCommit", "skip,take,refresh");

pub(super) fn answer(call: &Call<'_>, project: &Item, path: &[&str]) -> ApiResult {
    call.require_feature(Feature::GitBranches)?;
    if !project.flag("IsVersionControlled") {
        let reason = format!("The project '{}' is not version controlled.", project.text("Name"));
        return Err(ApiError::BadRequest(reason));
    }
    let database = call.database;
    match path {
        ["branches"] => Ok(page(call, project, &BRANCHES, branches())),
        ["tags"] => Ok(page(call, project, &TAGS, tags(database, project))),
        ["commits"] => Ok(page(call, project, &COMMITS, commits(database, project))),
        ["branches", name] => one(call, project, ReferenceKind::Branch, name),
        ["tags", name] => one(call, project, ReferenceKind::Tag, name),
        ["commits", name] => one(call, project, ReferenceKind::Commit, name),
        ["refs", name] => {
            call.require_feature(Feature::GitRefs)?;
            one(call, project, reference_kind(name), name)
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/projects/{id}/{gitRef}/...`: the content of a version-controlled project at a
/// reference.
pub(super) fn content(call: &Call<'_>, project: &Item, git_ref: &str, resource: &str) -> ApiResult {
    call.require_feature(Feature::GitBranches)?;
    let permission = if resource == "variables" { "VariableView" } else { "ProcessView" };
    call.require(permission)?;
    let reference = resolve(call.database, project, git_ref).ok_or_else(|| missing(git_ref))?;
    match resource {
        "deploymentprocesses" => {
            Ok(ApiResponse::value(&processes::process(call.database, project, Some(&reference))))
        }
        "template" => deployment_processes::template(call, project),
        "deploymentsettings" => {
            Ok(ApiResponse::value(&deployment_processes::settings(project, Some(&reference))))
        }
        _ => {
            Ok(ApiResponse::value(&variable_sets::of_reference(call.database, project, &reference)))
        }
    }
}

fn page(
    call: &Call<'_>,
    project: &Item,
    pages: &Pages,
    references: impl Iterator<Item = Reference>,
) -> ApiResponse {
    let part = call.query.text("searchByName").unwrap_or_default();
    let found: Vec<Reference> =
        references.filter(|reference| contains(&reference.name, part)).collect();
    let (skip, take) = pages.window(call);
    let shown = found.iter().skip(skip).take(take);
    pages.render(call, found.len(), shown.map(|found| body(project, found).to_string()), "")
}

/// Returns the type of a reference by the beginning of its name. Names without `refs/` are branches.
fn reference_kind(name: &str) -> ReferenceKind {
    let is_tag = name.get(..TAG_PREFIX.len()).is_some_and(|p| p.eq_ignore_ascii_case(TAG_PREFIX));
    if is_tag { ReferenceKind::Tag } else { ReferenceKind::Branch }
}

const TAG_PREFIX: &str = "refs/tags/";

fn one(call: &Call<'_>, project: &Item, kind: ReferenceKind, name: &str) -> ApiResult {
    let in_full = if kind == ReferenceKind::Commit {
        name.to_owned()
    } else {
        let prefix = if kind == ReferenceKind::Tag { TAG_PREFIX } else { "refs/heads/" };
        let start = name.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
        if !call.database.git_names.accepts(start.is_some()) {
            return Err(missing(name));
        }
        let short = start.map_or(name, |start| name.get(start.len()..).unwrap_or(name));
        format!("{prefix}{short}")
    };
    let found = resolve(call.database, project, &in_full).filter(|found| found.kind == kind);
    Ok(ApiResponse::value(&body(project, &found.ok_or_else(|| missing(name))?)))
}

fn body(project: &Item, reference: &Reference) -> Value {
    let (name, segment) = (&reference.name, reference.segment());
    let path = format!("/api/{}/projects/{}", project.space_id, project.id);
    match reference.kind {
        ReferenceKind::Branch => json!({
            "Name": name,
            "CanonicalName": reference.canonical(),
            "IsProtected": name == "main" || name.starts_with("release/"),
            "Links": {
                "DeploymentProcess": format!("{path}/{segment}/deploymentprocesses"),
                "DeploymentSettings": format!("{path}/{segment}/deploymentsettings"),
                "ReleaseTemplate": format!("{path}/{segment}/deploymentprocesses/template{{?channel,releaseId}}"),
                "Variables": format!("{path}/{segment}/variables"),
                "Self": format!("{path}/git/branches/{segment}"),
            },
        }),
        ReferenceKind::Tag => json!({
            "Name": name, "CanonicalName": reference.canonical(),
            "Links": { "Self": format!("{path}/git/tags/{segment}") },
        }),
        ReferenceKind::Commit => json!({
            "Name": name, "CanonicalName": name,
            "Links": { "Self": format!("{path}/git/commits/{segment}") },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_client::{get, get_response, ids, status};
    use crate::keys::{ADMIN, WITH_FEW_PERMISSIONS};
    use crate::{GitNames, Sample};

    const PROJECT: &str = "/api/Spaces-1/projects/Projects-2";

    #[tokio::test]
    async fn accepts_all_reference_formats_as_one_segment() {
        let commit = get(&format!("{PROJECT}/git/commits?take=1")).await;
        let commit = commit["Items"][0]["Name"].as_str().unwrap().to_owned();
        let rows = [
            ("refs%2Fheads%2Fmain", 3),
            ("refs%2fheads%2fmain", 3),
            ("main", 3),
            ("feature%2Felectric-vans", 4),
            ("refs%2Fheads%2Ffeature%2Felectric-vans-2", 3),
            ("v2.6.0", 3),
            ("refs%2Ftags%2Fv2.6.0", 3),
            (commit.as_str(), 3),
        ];
        for (reference, steps) in rows {
            let process = get(&format!("{PROJECT}/{reference}/deploymentprocesses")).await;
            assert_eq!(process["Steps"].as_array().unwrap().len(), steps, "{reference}");
            for resource in ["variables", "deploymentsettings"] {
                let path = format!("{PROJECT}/{reference}/{resource}");
                assert_eq!(status(ADMIN, &path).await, 200, "{path}");
                assert_eq!(status(WITH_FEW_PERMISSIONS, &path).await, 403, "{path}");
            }
        }
        for path in [
            "Projects-2/mai/deploymentprocesses",
            "Projects-2/refs%2Fheads%2Fnone/variables",
            "Projects-1/main/deploymentprocesses",
            "Projects-2/deploymentprocesses",
            "Projects-2/git/branches/mai",
            "Projects-2/git/branches/v2.6.0",
        ] {
            assert_eq!(
                status(ADMIN, &format!("/api/Spaces-1/projects/{path}")).await,
                404,
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn look_ups_accept_the_configured_name_forms() {
        let forms = ["branches/main", "branches/refs%2Fheads%2Fmain", "tags/v2.6.0"];
        let full_tag = ["tags/refs%2Ftags%2Fv2.6.0", "refs/refs%2Ftags%2Fv2.6.0"];
        let rows = [
            (GitNames::Both, [200, 200, 200, 200, 200]),
            (GitNames::Short, [200, 404, 200, 404, 404]),
            (GitNames::Full, [404, 200, 404, 200, 200]),
        ];
        for (names, expected) in rows {
            let sample = Sample::new().with_git_names(names);
            for (path, expected) in forms.iter().chain(&full_tag).zip(expected) {
                let path = format!("{PROJECT}/git/{path}");
                let status = get_response(&sample, ADMIN, &path).await.status();
                assert_eq!(status.as_u16(), expected, "{names:?} {path}");
            }
        }
        let old = Sample::with_version("2022.4.1");
        let path = format!("{PROJECT}/git/refs/main");
        assert_eq!(get_response(&old, ADMIN, &path).await.status(), 404);
    }

    #[tokio::test]
    async fn branches_share_prefixes_and_span_pages() {
        let page = get(&format!("{PROJECT}/git/branches")).await;
        assert_eq!(page["Items"].as_array().unwrap().len(), 30);
        assert_eq!(page["TotalResults"], 40);
        let found = ids(&format!("{PROJECT}/git/branches?searchByName=main")).await;
        assert_eq!(found, ["main", "main-backup", "maintenance", "maintenance/2.5"]);
        let one = get(&format!("{PROJECT}/git/branches/refs%2Fheads%2Fmain")).await;
        assert_eq!(one["CanonicalName"], "refs/heads/main");
        assert!(ids(&format!("{PROJECT}/git/tags?take=100")).await.contains(&"v2.6.0".to_owned()));
    }
}
