//! Deployment processes: the steps of a deployment.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_with::{As, DefaultOnNull};

use super::{
    channels::Channel,
    environments::Environment,
    git::{self, GitRef},
    projects::Project,
    resource::{Id, Resource},
    space::Space,
};
use crate::octopus::client::error::Error;

/// Fields of a deployment process that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentProcess {
    pub id: Id<DeploymentProcess>,
    pub space_id: Option<String>,
    pub project_id: Option<Id<Project>>,
    pub version: Option<i64>,
    pub last_snapshot_id: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub steps: Vec<Step>,
}

/// A step, which consists of actions.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Step {
    pub id: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    pub slug: Option<String>,
    /// `Success`, `Failure`, `Always` or `Variable`.
    pub condition: Option<String>,
    /// `StartAfterPrevious` or `StartWithPrevious`.
    pub start_trigger: Option<String>,
    pub package_requirement: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub properties: Map<String, Value>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub actions: Vec<Action>,
}

/// An action of a step.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Action {
    pub id: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    pub slug: Option<String>,
    pub action_type: Option<String>,
    pub notes: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_disabled: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_required: bool,
    pub condition: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub can_be_used_for_project_versioning: bool,
    pub worker_pool_id: Option<String>,
    pub worker_pool_variable: Option<String>,
    pub container: Option<Container>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub environments: Vec<Id<Environment>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub excluded_environments: Vec<Id<Environment>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub channels: Vec<Id<Channel>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub tenant_tags: Vec<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub packages: Vec<Package>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub git_dependencies: Vec<Value>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub properties: Map<String, Value>,
    pub step_package_version: Option<String>,
    /// Configuration of newer step types, instead of `properties`.
    pub inputs: Option<Value>,
}

/// Container image that an action runs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    pub image: Option<String>,
    pub feed_id: Option<String>,
    pub git_url: Option<String>,
    pub dockerfile: Option<String>,
}

/// A package that an action uses. The primary package has no name.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Package {
    pub name: Option<String>,
    pub package_id: Option<String>,
    pub feed_id: Option<String>,
    pub acquisition_location: Option<String>,
    pub version: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub properties: Map<String, Value>,
}

impl Resource for DeploymentProcess {
    const NOUN: &'static str = "deployment process";
    const ID_PREFIX: &'static str = "deploymentprocess-";
    const COLLECTION: &'static str = "deploymentprocesses";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Parses an ID in any form that Octopus has used: `deploymentprocess-Projects-1`,
/// `deploymentprocess-Projects-1-s-3-CGNSF` for a snapshot, and `DeploymentProcesses-1` in old
/// installations.
pub fn parse(text: &str) -> Result<Id<DeploymentProcess>, Error> {
    Id::parse_with_prefix("DeploymentProcesses-", text).or_else(|_| Id::parse(text)).map_err(
        |error| match error {
            Error::MalformedId { noun, given, .. } => {
                Error::MalformedId { noun, prefix: "deploymentprocess-Projects-", given }
            }
            error => error,
        },
    )
}

/// Returns the project of a process that is not a snapshot, if its ID contains the project.
pub fn project_of(id: &Id<DeploymentProcess>) -> Option<Id<Project>> {
    let project = id.as_str().strip_prefix(DeploymentProcess::ID_PREFIX)?;
    let (_, number) = project.split_once('-')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| Id::parse(project).ok())?
}

/// Reads the process of a project; a project in Git is read at `reference`.
pub async fn for_project(
    space: &Space,
    project: &Project,
    reference: Option<&GitRef>,
) -> Result<DeploymentProcess, Error> {
    if let Some(reference) = reference {
        return git::read(space, &project.id, reference, DeploymentProcess::COLLECTION).await;
    }
    if let Some(Ok(id)) = project.deployment_process_id.as_deref().map(parse) {
        return space.get(&id).await;
    }
    // IDs in Octopus's documents may have other forms.
    let segments = [Project::COLLECTION, project.id.as_str(), DeploymentProcess::COLLECTION];
    space.session().get(&space.path(segments)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_all_id_forms() {
        for (text, read, project) in [
            ("deploymentprocess-Projects-1", "deploymentprocess-Projects-1", Some("Projects-1")),
            (" DeploymentProcess-projects-1", "deploymentprocess-projects-1", Some("Projects-1")),
            (
                "deploymentprocess-Projects-1-s-13-B6C0C",
                "deploymentprocess-Projects-1-s-13-B6C0C",
                None,
            ),
            ("deploymentprocesses-7", "DeploymentProcesses-7", None),
        ] {
            let id = parse(text).unwrap();
            assert_eq!(id.as_str(), read);
            assert_eq!(project_of(&id).as_ref().map(Id::as_str), project, "{text}");
        }
        for wrong in ["Projects-1", "deploymentprocess-", "deploymentprocess-Projects-1/../x", ""] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains("look like 'deploymentprocess-Projects-123'"), "{error}");
        }
    }
}
