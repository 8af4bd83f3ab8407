//! `list_tenants`.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    access::Alias,
    octopus::{
        Id,
        projects::Project,
        tenants::{self, Filter, Tenant},
    },
    tool::{
        Context, Error, List, NamePart, NamesById, ProjectArg, Skip, SpaceArg, StringList, Tags,
        Take, Tool, find_ids,
    },
};

/// List the tenants of a space: the customers, regions or sites that projects are deployed for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListTenants {
    space: Option<SpaceArg>,
    project_id: Option<ProjectArg>,
    /// Tenant tags, e.g. "Region/EMEA"; tags of one set are alternatives.
    tags: Option<Tags>,
    /// Tenant names, slugs or IDs.
    ids: Option<StringList>,
    partial_name: Option<NamePart>,
    skip: Option<Skip>,
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantSummary {
    space_id: String,
    id: String,
    name: String,
    slug: Option<String>,
    description: String,
    is_disabled: bool,
    tenant_tags: Vec<String>,
    cloned_from_tenant_id: Option<String>,
    cloned_from_tenant_name: Option<String>,
    /// Number of projects that the tenant is connected to.
    project_count: usize,
    url: String,
}

impl Tool for ListTenants {
    const NAME: &'static str = "list_tenants";
    const TITLE: &'static str = "List tenants";
    const ALIASES: &'static [Alias] = &[Alias::new("find_tenants")];

    type Output = List<TenantSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let window = cx.window(self.skip, self.take)?;
        let Tags(tags) = self.tags.unwrap_or_default();
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let project = space.find_optional::<Project>(self.project_id.as_deref()).await?;
        let ids = find_ids::<Tenant>(&space, self.ids).await?;
        let project = project.map(|project| project.id);
        let filter =
            Filter { project, tags, ids, partial_name: self.partial_name.map(String::from) };
        let page = tenants::list(&space, &filter, window).await?;
        let names: HashMap<String, String> =
            page.items.iter().map(|t| (t.id.to_string(), t.name.clone())).collect();
        let originals = page.items.iter().filter_map(|t| t.cloned_from_tenant_id.as_ref());
        let other_tenants = originals.filter(|id| !names.contains_key(id.as_str()));
        let other_tenants = NamesById::lookup::<Tenant>(&space, other_tenants).await?;
        let name = |id: &str| names.get(id).cloned().or_else(|| other_tenants.get(id));
        let items = page.items.into_iter().map(|tenant| TenantSummary {
            space_id: space.id().to_string(),
            url: space.portal().tenant(&tenant.id),
            id: tenant.id.into_string(),
            name: tenant.name,
            slug: tenant.slug,
            description: tenant.description,
            is_disabled: tenant.is_disabled,
            tenant_tags: tenant.tenant_tags,
            cloned_from_tenant_name: tenant
                .cloned_from_tenant_id
                .as_ref()
                .and_then(|id| name(id.as_str())),
            cloned_from_tenant_id: tenant.cloned_from_tenant_id.map(Id::into_string),
            project_count: tenant.project_environments.len(),
        });
        Ok(List::new(window, page.total_results, items.collect())
            .with_unreadable(&page.unreadable)
            .with_hint_if_empty(|| {
                if filter.is_empty() {
                    format!("space '{}' has no tenant that this user can see", space.name())
                } else {
                    "no tenant matches all filters; leave one out. Tags have the form Set/Tag"
                        .to_owned()
                }
            }))
    }
}
