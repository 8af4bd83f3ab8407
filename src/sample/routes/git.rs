//! The branches of a version-controlled project.

use serde_json::{Value, json};

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::{Call, contains};
use super::super::page::Pages;
use super::super::version::Since;
use super::super::world::Item;
use super::missing;

const PAGES: Pages = Pages::of("GitBranch", "skip,take,searchByName,refresh");
const BRANCHES: [&str; 3] = ["main", "feature/electric-vans", "release/2.6"];

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
