//! The branches of a version-controlled project.

use serde_json::{Value, json};

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::{Call, contains};
use super::super::dice::token;
use super::super::page::Pages;
use super::super::version::Since;
use super::super::world::{Item, World};
use super::missing;

const PAGES: Pages = Pages::of("GitBranch", "skip,take,searchByName,refresh");
const BRANCHES: [&str; 3] = ["main", "feature/electric-vans", "release/2.6"];

/// What a Git reference stands for.
pub(super) struct At {
    /// The branch it names; none for a commit.
    pub(super) branch: Option<&'static str>,
    pub(super) commit: String,
    /// The branch whose files are seen there.
    pub(super) content: &'static str,
}

/// What a branch, with or without `refs/heads/`, or a commit of a project stands for.
pub(super) fn find(world: &World, project: &Item, reference: &str) -> Option<At> {
    if !project.flag("IsVersionControlled") {
        return None;
    }
    let head = |branch: &str| token(&format!("{}/{branch}", project.id), 40);
    let short = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    if let Some(branch) = BRANCHES.into_iter().find(|name| name.eq_ignore_ascii_case(short)) {
        return Some(At { branch: Some(branch), commit: head(branch), content: branch });
    }
    let commit = reference.to_lowercase();
    let of_release = |release: &Item| {
        let reference = release.body.get("VersionControlReference");
        reference.and_then(|reference| reference.get("GitCommit")?.as_str()) == Some(&*commit)
    };
    let is_released = || world.releases.of_project(project).any(of_release);
    let content = BRANCHES.into_iter().find(|branch| head(branch) == commit);
    let content = content.or_else(|| is_released().then_some("main"))?;
    Some(At { branch: None, commit, content })
}

pub(super) fn answer(call: &Call<'_>, project: &Item, path: &[&str]) -> Answered {
    call.since(Since::GitBranches)?;
    if !project.flag("IsVersionControlled") {
        let reason = format!("The project '{}' is not version controlled.", project.text("Name"));
        return Err(Refusal::BadRequest(reason));
    }
    match path {
        ["branches"] => {
            let part = call.query.text("searchByName").unwrap_or_default();
            let found: Vec<&str> =
                BRANCHES.into_iter().filter(|branch| contains(branch, part)).collect();
            let (skip, take) = PAGES.window(call);
            let shown = found.iter().skip(skip).take(take);
            Ok(PAGES.written(
                call,
                found.len(),
                shown.map(|name| body(project, name).to_string()),
                "",
            ))
        }
        ["branches", name] => {
            let short = name.strip_prefix("refs/heads/").unwrap_or(name);
            let branch = BRANCHES.into_iter().find(|branch| branch.eq_ignore_ascii_case(short));
            Ok(Answer::value(&body(project, branch.ok_or_else(|| missing(name))?)))
        }
        _ => Err(Refusal::NoRoute),
    }
}

fn body(project: &Item, name: &str) -> Value {
    let reference = format!("refs%2fheads%2f{}", name.replace('/', "%2f"));
    let path = format!("/api/{}/projects/{}", project.space_id, project.id);
    json!({
        "Name": name,
        "CanonicalName": format!("refs/heads/{name}"),
        "IsProtected": name == "main" || name.starts_with("release/"),
        "Links": {
            "DeploymentProcess": format!("{path}/{reference}/deploymentprocesses"),
            "DeploymentSettings": format!("{path}/{reference}/deploymentsettings"),
            "Variables": format!("{path}/{reference}/variables"),
            "Self": format!("{path}/git/branches/{reference}"),
        },
    })
}
