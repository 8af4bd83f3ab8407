//! Targets of an execution: environments and tenants.

use std::{borrow::Cow, collections::HashSet};

use crate::{
    approval::ChangePreview,
    octopus::{
        Named, Page, PageRange, Resource, Space, environments::Environment, projects::Project,
        tenants::Tenant,
    },
    tool::Error,
};

/// The environments and tenants of an execution.
#[derive(Debug)]
pub(in crate::toolsets) struct Targets {
    pub(in crate::toolsets) environments: Vec<Environment>,
    pub(in crate::toolsets) tenancy: Tenancy,
}

/// The tenants of an execution.
#[derive(Debug)]
pub(in crate::toolsets) enum Tenancy {
    /// Without a tenant.
    Untenanted,
    /// For named tenants, and tenants with tags.
    Tenanted {
        /// The tenants that the call names.
        named: Vec<Tenant>,
        /// The tags of the call, as `Set/Tag`.
        tags: Vec<String>,
        /// The connected tenants with these tags.
        tagged: Vec<Tenant>,
    },
}

/// The tenanted deployment mode of a project or runbook.
#[derive(Debug, Clone, Copy)]
pub(in crate::toolsets) struct TenantedMode<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> TenantedMode<'a> {
    /// Creates the mode of a project or runbook with this name. `words` is the value in Octopus,
    /// e.g. `Tenanted`.
    pub(in crate::toolsets) fn new(name: &'a str, text: Option<&'a str>) -> Self {
        Self { name, value: text }
    }

    fn check(self, tenanted: bool) -> Result<(), Error> {
        let name = self.name;
        match self.value {
            Some("Untenanted") if tenanted => Err(Error::Invalid(format!(
                "{name} does not support tenants; leave out tenants and tenantTags"
            ))),
            Some("Tenanted") if !tenanted => {
                Err(Error::Invalid(format!("{name} requires tenants; give tenants or tenantTags")))
            }
            _ => Ok(()),
        }
    }
}

/// Maximum number of tenants of one call, so that a person can review the preview.
const MAX_TENANTS: usize = 200;
/// Maximum number of tenants with the tags that are read to find connected tenants.
const MAX_TAGGED_TENANTS: u32 = 1_000;

impl Targets {
    /// Finds the environments and tenants of a call.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the mode and the tenants conflict, if no tenant is connected, or for
    /// more than [`MAX_TENANTS`] tenants.
    pub(in crate::toolsets) async fn find(
        space: &Space,
        project: &Project,
        mode: TenantedMode<'_>,
        environments: &[String],
        tenants: &[String],
        tags: &[String],
    ) -> Result<Self, Error> {
        let tenanted = !tenants.is_empty() || !tags.is_empty();
        mode.check(tenanted)?;
        let (environments, named, tagged) = futures::try_join!(
            async { Ok(space.find_all_for_change::<Environment>(environments).await?) },
            async {
                let none = tenants.is_empty();
                Ok(if none { Vec::new() } else { space.find_all(tenants).await? })
            },
            tagged_tenants(space, project, tags),
        )?;
        let environments = unique(environments);
        // Octopus accepts a request without environments, and does nothing.
        if environments.is_empty() {
            return Err(Error::Argument {
                field: "environmentNames".to_owned(),
                reason: "expected at least one environment".to_owned(),
            });
        }
        let tenancy = if tenanted {
            let (named, mut tagged) = (unique(named), tagged);
            tagged.retain(|tenant| is_connected(tenant, project, &environments));
            Tenancy::Tenanted { named, tags: tags.to_vec(), tagged }
        } else {
            Tenancy::Untenanted
        };
        if tenanted && tenancy.tenants().next().is_none() {
            return Err(Error::Invalid(format!(
                "no tenant with {} is connected to {} in these environments",
                tags.join(", "),
                project.name
            )));
        }
        if tenancy.tenants().count() > MAX_TENANTS {
            return Err(Error::Invalid(format!(
                "the call selects {} tenants; the maximum is {MAX_TENANTS}, so that a person can review it",
                tenancy.tenants().count()
            )));
        }
        let all: Vec<Tenant> = tenancy.tenants().cloned().collect();
        space.ensure_unique_ids(&all).await?;
        Ok(Self { environments, tenancy })
    }

    /// Returns each environment with each tenant, or without a tenant if there are none.
    pub(in crate::toolsets) fn pairs(&self) -> Vec<(&Environment, Option<&Tenant>)> {
        let tenants: Vec<_> = self.tenancy.tenants().map(Some).collect();
        let tenants = if tenants.is_empty() { vec![None] } else { tenants };
        let pair = |environment| tenants.iter().map(move |tenant| (environment, *tenant));
        self.environments.iter().flat_map(pair).collect()
    }

    /// Returns the names of the environments, comma-separated.
    pub(in crate::toolsets) fn names(&self) -> String {
        labels(&self.environments).join(", ")
    }

    /// Returns the IDs of the environments for the request. A name could be the ID of another
    /// environment.
    pub(in crate::toolsets) fn environment_ids(&self) -> Vec<&str> {
        self.environments.iter().map(|environment| environment.id.as_str()).collect()
    }

    /// Adds the targets to the preview.
    pub(in crate::toolsets) fn add_to_preview(&self, preview: ChangePreview) -> ChangePreview {
        let preview = preview.list_line("Environments", &labels(&self.environments));
        let Tenancy::Tenanted { named, tags, tagged } = &self.tenancy else { return preview };
        let preview = preview.list_line("Tenants", &labels(named)).list_line("Tenant tags", tags);
        if tags.is_empty() {
            return preview;
        }
        preview.list_line("Tenants with these tags now", &labels(tagged))
    }
}

impl Tenancy {
    /// Returns the IDs of all tenants for the request.
    ///
    /// IDs are sent instead of tags, so that a changed tag does not change what was approved. They
    /// are sent instead of names, because a tenant can be named like the ID of another tenant, or
    /// `*`, which selects all tenants.
    pub(in crate::toolsets) fn ids(&self) -> Vec<&str> {
        self.tenants().map(|tenant| tenant.id.as_str()).collect()
    }

    /// Returns the number of tenants as text, e.g. ` for 2 tenants`, or an empty text without
    /// tenants.
    pub(in crate::toolsets) fn description(&self) -> String {
        match self.tenants().count() {
            0 => String::new(),
            1 => " for 1 tenant".to_owned(),
            count => format!(" for {count} tenants"),
        }
    }

    /// Returns all tenants, without duplicates.
    pub(in crate::toolsets) fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        let (named, tagged): (&[Tenant], &[Tenant]) = match self {
            Self::Untenanted => (&[], &[]),
            Self::Tenanted { named, tagged, .. } => (named, tagged),
        };
        let known: HashSet<&str> = named.iter().map(|tenant| tenant.id.as_str()).collect();
        let is_new = move |tenant: &&Tenant| !known.contains(tenant.id.as_str());
        named.iter().chain(tagged.iter().filter(is_new))
    }
}

/// Returns whether a tenant is connected to the project in one of these environments.
fn is_connected(tenant: &Tenant, project: &Project, environments: &[Environment]) -> bool {
    let connected = tenant.project_environments.get(project.id.as_str());
    connected.is_some_and(|ids| environments.iter().any(|e| ids.contains(&e.id)))
}

/// Reads the tenants of a project with these tags.
async fn tagged_tenants(
    space: &Space,
    project: &Project,
    tags: &[String],
) -> Result<Vec<Tenant>, Error> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    let path = space
        .path([Tenant::COLLECTION])
        .query("projectId", &project.id)
        .query_list("tags", tags)
        .query("take", MAX_TAGGED_TENANTS);
    let window = PageRange { skip: 0, take: MAX_TAGGED_TENANTS };
    let page: Page<Tenant> = space.session().page(&path, window).await?;
    let page = page.complete(Tenant::NOUN)?;
    if page.total_results as usize > page.items.len() {
        return Err(Error::Invalid(format!(
            "{} tenants have {}; the maximum is {MAX_TAGGED_TENANTS}, so name the tenants or use narrower \
             tags",
            page.total_results,
            tags.join(", ")
        )));
    }
    Ok(page.items)
}

fn labels<R: Named>(documents: &[R]) -> Vec<Cow<'_, str>> {
    documents.iter().map(Named::label).collect()
}

/// Removes duplicate documents.
fn unique<R: Resource>(documents: Vec<R>) -> Vec<R> {
    let mut seen = HashSet::new();
    documents.into_iter().filter(|document| seen.insert(document.id().to_string())).collect()
}
