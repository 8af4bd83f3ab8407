//! `get_deployment_process`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::process::{ActionScopeNames, StepSummary};
use crate::{
    octopus::{
        self, Id, Space,
        git::GitRef,
        processes::{self, DeploymentProcess},
        projects::Project,
    },
    tool::{Context, Error, GitRefArg, NamedId, ProjectArg, SpaceArg, Tool},
    toolsets::git_ref::resolve_git_ref,
};

/// Get the deployment steps of a project: the current ones by projectId, or those of a release or
/// deployment by processId.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetDeploymentProcess {
    space: Option<SpaceArg>,
    project_id: Option<ProjectArg>,
    /// Process ID, e.g. the deploymentProcessId of a deployment.
    process_id: Option<String>,
    git_ref: Option<GitRefArg>,
    /// Include scripts and settings.
    #[schemars(extend("default" = false))]
    include_details: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProcessSummary {
    space_id: String,
    id: String,
    project_id: Option<String>,
    project: Option<NamedId>,
    version: Option<i64>,
    last_snapshot_id: Option<String>,
    /// Git reference at which the process was read.
    git_ref: Option<String>,
    steps: Vec<StepSummary>,
    url: Option<String>,
}

impl Tool for GetDeploymentProcess {
    const NAME: &'static str = "get_deployment_process";
    const TITLE: &'static str = "Get a deployment process";
    const TAKES_MAX_BYTES: bool = true;

    type Output = ProcessSummary;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let id = self.process_id.as_deref().map(processes::parse).transpose()?;
        if id.is_none() && self.project_id.is_none() {
            return Err(Error::Invalid(
                "give `projectId` for the current process of a project, or `processId` for the \
                 process of a release or deployment"
                    .to_owned(),
            ));
        }
        if id.is_some() && self.git_ref.is_some() {
            return Err(Error::Invalid(
                "`processId` names a fixed process; for the process at a branch, tag or commit give \
                 only `projectId` and `gitRef`"
                    .to_owned(),
            ));
        }
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let project = self.project_id.as_deref();
        let found = if let Some(id) = id {
            by_id(&space, id, project).await?
        } else {
            let project = space.find::<Project>(project.unwrap_or_default()).await?;
            of_project(&space, project, self.git_ref.as_deref()).await?
        };
        let LoadedProcess { process, project, reference } = found;
        let owner = async {
            match (project, &process.project_id) {
                (Some(project), _) => Ok(Some(project)),
                (None, Some(id)) => Ok(space.by_ids::<Project>([id]).await?.remove(id.as_str())),
                (None, None) => Ok::<_, octopus::Error>(None),
            }
        };
        let (project, scopes) = futures::try_join!(owner, ActionScopeNames::of(&space, &process))?;
        let in_detail = self.include_details == Some(true);
        let slug = project.as_ref().and_then(|project| project.slug.as_deref());
        let place = slug.or(process.project_id.as_ref().map(Id::as_str));
        Ok(ProcessSummary {
            space_id: space.id().to_string(),
            url: place.map(|place| space.portal().process(place)),
            id: process.id.into_string(),
            project: process.project_id.as_ref().map(|id| NamedId {
                id: id.to_string(),
                name: project.as_ref().map(|project| project.name.clone()),
            }),
            project_id: process.project_id.map(Id::into_string),
            version: process.version,
            last_snapshot_id: process.last_snapshot_id,
            git_ref: reference.map(GitRef::into_string),
            steps: process.steps.into_iter().map(|step| scopes.step(step, in_detail)).collect(),
        })
    }
}

/// A process, with its project and Git reference if they were read.
struct LoadedProcess {
    process: DeploymentProcess,
    project: Option<Project>,
    reference: Option<GitRef>,
}

async fn by_id(
    space: &Space,
    id: Id<DeploymentProcess>,
    project: Option<&str>,
) -> Result<LoadedProcess, Error> {
    let project = match project {
        Some(name_or_id) => Some(space.find::<Project>(name_or_id).await?),
        None => None,
    };
    // The current process of the project may be in Git, where its ID does not exist.
    if let Some(owner) = processes::project_of(&id) {
        let owner = match project {
            Some(project) if project.id == owner => project,
            Some(project) => return Err(wrong_project(&id, &project)),
            None => space.get(&owner).await?,
        };
        return of_project(space, owner, None).await;
    }
    let process: DeploymentProcess = space.get(&id).await?;
    match project {
        Some(project) if process.project_id.as_ref().is_some_and(|of| *of != project.id) => {
            Err(wrong_project(&id, &project))
        }
        project => Ok(LoadedProcess { process, project, reference: None }),
    }
}

async fn of_project(
    space: &Space,
    project: Project,
    given: Option<&str>,
) -> Result<LoadedProcess, Error> {
    let stored = ("process", project.git().is_some());
    let reference = resolve_git_ref(space, &project, stored, given).await?;
    let process = processes::for_project(space, &project, reference.as_ref()).await?;
    Ok(LoadedProcess { process, project: Some(project), reference })
}

fn wrong_project(id: &Id<DeploymentProcess>, project: &Project) -> Error {
    Error::Invalid(format!(
        "'{id}' is not a process of '{}'; leave out `projectId`, or `processId`",
        project.name
    ))
}
