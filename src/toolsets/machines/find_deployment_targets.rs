//! `find_deployment_targets`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::target::{TargetSummary, summaries};
use crate::{
    access::Alias,
    octopus::{
        Id,
        deployments::Deployment,
        machines::{self, CommunicationStyle, Filter, HealthStatus, Machine},
    },
    tool::{
        Choices, Context, Error, List, NamePart, OneOrList, Skip, SpaceArg, StringList, Tags, Take,
        Tool, find_ids, present_arguments, reject_list_filters,
    },
};

/// Find deployment targets (machines), with health, endpoint, target tags, environments and
/// tenants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindDeploymentTargets {
    space: Option<SpaceArg>,
    /// Name, slug or ID of one target; not combined with filters.
    target_id: Option<String>,
    /// Exact target name.
    name: Option<String>,
    partial_name: Option<NamePart>,
    /// Target names, slugs or IDs.
    ids: Option<StringList>,
    /// Target tags, e.g. "web-server".
    roles: Option<StringList>,
    /// Return only disabled (true) or enabled (false) targets.
    is_disabled: Option<bool>,
    /// Health statuses of the targets to return.
    health_statuses: Option<Choices<HealthStatus>>,
    /// Communication styles of the targets to return.
    comm_styles: Option<Choices<CommunicationStyle>>,
    /// Environment names, slugs or IDs.
    environment_ids: Option<StringList>,
    /// Tenant names, slugs or IDs.
    tenant_ids: Option<StringList>,
    /// Tenant tags, e.g. "Region/EMEA".
    tenant_tags: Option<Tags>,
    /// Thumbprint of the certificate.
    thumbprint: Option<String>,
    /// Deployment ID, for targets of a deployment.
    deployment_id: Option<String>,
    /// Shell names, e.g. "Bash".
    shell_names: Option<StringList>,
    /// Target type IDs of the targets to return.
    deployment_target_types: Option<StringList>,
    skip: Option<Skip>,
    take: Option<Take>,
}

impl FindDeploymentTargets {
    fn filters(&self) -> Vec<&'static str> {
        present_arguments(&[
            ("name", self.name.is_some()),
            ("partialName", self.partial_name.is_some()),
            ("ids", self.ids.is_some()),
            ("roles", self.roles.is_some()),
            ("isDisabled", self.is_disabled.is_some()),
            ("healthStatuses", self.health_statuses.is_some()),
            ("commStyles", self.comm_styles.is_some()),
            ("environmentIds", self.environment_ids.is_some()),
            ("tenantIds", self.tenant_ids.is_some()),
            ("tenantTags", self.tenant_tags.is_some()),
            ("thumbprint", self.thumbprint.is_some()),
            ("deploymentId", self.deployment_id.is_some()),
            ("shellNames", self.shell_names.is_some()),
            ("deploymentTargetTypes", self.deployment_target_types.is_some()),
        ])
    }
}

impl Tool for FindDeploymentTargets {
    const NAME: &'static str = "find_deployment_targets";
    const TITLE: &'static str = "Find deployment targets";
    const ALIASES: &'static [Alias] =
        &[Alias::new("list_deployment_targets"), Alias::new("get_deployment_target")];

    type Output = OneOrList<TargetSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let filters = self.filters();
        if let Some(name_or_id) = &self.target_id {
            let page =
                present_arguments(&[("skip", self.skip.is_some()), ("take", self.take.is_some())]);
            reject_list_filters("targetId", &[filters, page].concat())?;
            let space = cx.resolve_space(self.space.as_deref()).await?;
            let target = space.find::<Machine>(name_or_id).await?;
            let id = target.id.clone();
            let summary = summaries(&space, vec![target]).await?.pop();
            return summary.map(OneOrList::one).ok_or_else(|| space.id_not_found(&id).into());
        }
        let window = cx.window(self.skip, self.take)?;
        let deployment = self.deployment_id.as_deref().map(Id::<Deployment>::parse).transpose()?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let (ids, environments, tenants) = futures::try_join!(
            find_ids(&space, self.ids),
            find_ids(&space, self.environment_ids),
            find_ids(&space, self.tenant_ids),
        )?;
        let values = |values: Option<StringList>| values.unwrap_or_default().0;
        let filter = Filter {
            name: self.name,
            partial_name: self.partial_name.map(String::from),
            ids,
            roles: values(self.roles),
            is_disabled: self.is_disabled,
            health_statuses: self.health_statuses.map(|values| values.0).unwrap_or_default(),
            comm_styles: self.comm_styles.map(|values| values.0).unwrap_or_default(),
            environments,
            tenants,
            tenant_tags: self.tenant_tags.unwrap_or_default().0,
            thumbprint: self.thumbprint,
            deployment,
            shell_names: values(self.shell_names),
            target_types: values(self.deployment_target_types),
        };
        let page = machines::list(&space, &filter, window).await?;
        let items = summaries(&space, page.items).await?;
        Ok(OneOrList::List(
            List::new(window, page.total_results, items)
                .with_unreadable(&page.unreadable)
                .with_hint_if_empty(|| {
                    if filters.is_empty() {
                        format!(
                            "space '{}' has no deployment target that this user can see",
                            space.name()
                        )
                    } else {
                        format!(
                            "no deployment target matches {}; leave one out",
                            filters.join(" and ")
                        )
                    }
                }),
        ))
    }
}
