//! `get_latest_deployment`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::{DeploymentReferences, DeploymentSummary};
use crate::{
    octopus::{
        self, Id, PageRange, Space, UnreadableItem,
        deployments::{self, Deployment, Filter, TaskState},
        environments::Environment,
        projects::Project,
        tasks::{self, Details, Task},
        tenants::Tenant,
    },
    tool::{
        Context, EnvironmentArg, Error, NamedId, ProjectArg, SpaceArg, TenantArg, Tool, named_id,
    },
    toolsets::tasks::TaskDetails,
};

/// Get the newest deployment of a project that matches the filters, with release, environment,
/// outcome and cause of a failure.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetLatestDeployment {
    space: Option<SpaceArg>,
    project_id: ProjectArg,
    environment_id: Option<EnvironmentArg>,
    tenant_id: Option<TenantArg>,
    /// State of the deployment's task.
    task_state: Option<TaskState>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LatestDeployment {
    project: NamedId,
    /// Absent if no deployment matches.
    deployment: Option<DeploymentSummary>,
    /// Task of the deployment, in the form of get_task_details. Absent if this user may not see it.
    task_details: Option<TaskDetails>,
    /// Reason why no deployment matches, and a next step.
    hint: Option<String>,
    /// Deployments that could not be read. A newer one may be among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    incomplete: Vec<String>,
}

impl Tool for GetLatestDeployment {
    const NAME: &'static str = "get_latest_deployment";
    const TITLE: &'static str = "Get the latest deployment";
    const TAKES_MAX_BYTES: bool = true;

    type Output = LatestDeployment;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let (project, environment, tenant) = futures::try_join!(
            space.find::<Project>(&self.project_id),
            space.find_optional::<Environment>(self.environment_id.as_deref()),
            space.find_optional::<Tenant>(self.tenant_id.as_deref()),
        )?;
        let filter = Filter {
            projects: vec![project.id.clone()],
            environments: environment.into_iter().map(|found| found.id).collect(),
            tenants: tenant.into_iter().map(|found| found.id).collect(),
            channels: Vec::new(),
            task_state: self.task_state,
        };
        let project = named_id(&project);
        let Latest { deployment, unreadable } = latest(&space, &filter).await?;
        let incomplete = UnreadableItem::describe(&unreadable).into_iter().collect();
        let Some(deployment) = deployment else {
            let hint = if filter.environments.is_empty()
                && filter.tenants.is_empty()
                && filter.task_state.is_none()
            {
                "this project was never deployed, or this user may not see its deployments"
            } else {
                "no deployment of this project matches; leave out taskState, tenantId or environmentId"
            };
            let hint = Some(hint.to_owned());
            return Ok(LatestDeployment {
                project,
                deployment: None,
                task_details: None,
                hint,
                incomplete,
            });
        };
        let (references, details) = futures::try_join!(
            DeploymentReferences::read(&space, std::slice::from_ref(&deployment)),
            details(&space, &deployment.task_id),
        )?;
        let max_bytes = cx.limits.answer.saturating_sub(DEPLOYMENT_BYTES);
        let task_details = match details {
            Some(details) => {
                let name = project.name.clone();
                Some(TaskDetails::of(cx, &space, details, name, false, max_bytes).await?)
            }
            None => None,
        };
        let deployment = Some(references.summary(&space, deployment));
        Ok(LatestDeployment { project, deployment, task_details, hint: None, incomplete })
    }
}

/// Approximate size of the deployment in the answer, in bytes.
const DEPLOYMENT_BYTES: usize = 2048;

/// Reads the details of the task. Returns `None` if the caller cannot see them, because the
/// deployment alone is useful as well.
async fn details(space: &Space, task: &Id<Task>) -> Result<Option<Details>, octopus::Error> {
    match tasks::details(space, task).await {
        Err(octopus::Error::Forbidden { .. } | octopus::Error::NotFound { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// Maximum number of deployments to read if Octopus does not sort them.
const MAX_SCANNED: u32 = 1_000;

/// The result of a search for the latest deployment.
struct Latest {
    deployment: Option<Deployment>,
    /// Deployments that do not have the expected form.
    unreadable: Vec<UnreadableItem>,
}

/// Returns the latest deployment. Octopus lists the newest first; if a page is not sorted, the
/// whole list is searched.
async fn latest(space: &Space, filter: &Filter) -> Result<Latest, Error> {
    let mut window = PageRange { skip: 0, take: 30 };
    let mut latest = Latest { deployment: None, unreadable: Vec::new() };
    loop {
        let page = deployments::list(space, filter, window).await?;
        let received = u32::try_from(page.received()).unwrap_or(window.take);
        let sorted = page.items.is_sorted_by(|a, b| a.created >= b.created);
        let newest =
            page.items.into_iter().reduce(|a, b| if b.created > a.created { b } else { a });
        latest.deployment = match (latest.deployment, newest) {
            (Some(a), Some(b)) if b.created > a.created => Some(b),
            (a, b) => a.or(b),
        };
        latest.unreadable.extend(page.unreadable);
        window.skip += received;
        if received == 0
            || window.skip >= page.total_results.min(MAX_SCANNED)
            || (sorted && window.skip == received && latest.deployment.is_some())
        {
            return Ok(latest);
        }
    }
}
