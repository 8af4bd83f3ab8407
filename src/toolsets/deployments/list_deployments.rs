//! `list_deployments`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::summary::{DeploymentReferences, DeploymentSummary};
use crate::{
    octopus::{
        Id, Named, Space,
        channels::Channel,
        deployments::{self, Filter, TaskState},
        environments::Environment,
        projects::Project,
        tenants::Tenant,
    },
    tool::{
        Context, Error, List, Skip, SpaceArg, StringList, Take, Tool, find_ids, present_arguments,
    },
};

/// List deployments of a space, newest first, with project, release version, environment, tenant
/// and outcome.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListDeployments {
    space: Option<SpaceArg>,
    /// Project names, slugs or IDs.
    projects: Option<StringList>,
    /// Environment names, slugs or IDs.
    environments: Option<StringList>,
    /// Tenant names, slugs or IDs.
    tenants: Option<StringList>,
    /// Channel names or IDs.
    channels: Option<StringList>,
    /// Task state, e.g. Success for completed deployments.
    task_state: Option<TaskState>,
    skip: Option<Skip>,
    take: Option<Take>,
}

impl Tool for ListDeployments {
    const NAME: &'static str = "list_deployments";
    const TITLE: &'static str = "List deployments";

    type Output = List<DeploymentSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let (projects, environments, tenants) = futures::try_join!(
            find_ids::<Project>(&space, self.projects),
            find_ids::<Environment>(&space, self.environments),
            find_ids::<Tenant>(&space, self.tenants),
        )?;
        let channels = match self.channels {
            Some(StringList(requested)) => channels(&space, &projects, &requested).await?,
            None => Vec::new(),
        };
        let filter =
            Filter { projects, environments, tenants, channels, task_state: self.task_state };
        let page = deployments::list(&space, &filter, window).await?;
        let references = DeploymentReferences::read(&space, &page.items).await?;
        let items = page.items.into_iter().map(|d| references.summary(&space, d)).collect();
        Ok(List::new(window, page.total_results, items)
            .with_unreadable(&page.unreadable)
            .with_incomplete(references.incomplete())
            .with_hint_if_empty(|| {
                if filter.is_empty() {
                    format!("space '{}' has no deployment that this user can see", space.name())
                } else {
                    format!(
                        "no deployment matches {}; leave one out",
                        filters(&filter).join(" and ")
                    )
                }
            }))
    }
}

/// Finds channels by name or ID. Channels of different projects share names such as Default, so a
/// name selects the channels of all requested projects.
async fn channels(
    space: &Space,
    projects: &[Id<Project>],
    requested: &[String],
) -> Result<Vec<Id<Channel>>, Error> {
    let all = space.all::<Channel>().await?;
    let of_projects: Vec<&Channel> = all
        .iter()
        .filter(|channel| projects.is_empty() || projects.contains(&channel.project_id))
        .collect();
    let mut found = Vec::new();
    for requested in requested {
        let before = found.len();
        let matching = of_projects.iter().filter(|channel| channel.matches(requested));
        found.extend(matching.map(|channel| channel.id.clone()));
        if found.len() == before {
            let mut seen = BTreeSet::new();
            let names = of_projects.iter().copied().filter(|channel| seen.insert(&channel.name));
            return Err(space.name_not_found(requested, names).into());
        }
    }
    Ok(found)
}

/// Returns the names of the filters that the call uses.
fn filters(filter: &Filter) -> Vec<&'static str> {
    present_arguments(&[
        ("projects", !filter.projects.is_empty()),
        ("environments", !filter.environments.is_empty()),
        ("tenants", !filter.tenants.is_empty()),
        ("channels", !filter.channels.is_empty()),
        ("taskState", filter.task_state.is_some()),
    ])
}
