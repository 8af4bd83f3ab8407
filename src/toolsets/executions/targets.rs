//! Where an execution goes: environments, and tenants.

use std::{borrow::Cow, collections::HashSet};

use crate::{
    octopus::{
        Named, Page, Resource, Space, Window, environments::Environment, projects::Project,
        tenants::Tenant,
    },
    tool::{Error, Proposal},
};

/// Where an execution goes.
#[derive(Debug)]
pub(in crate::toolsets) struct Targets {
    pub(in crate::toolsets) environments: Vec<Environment>,
    pub(in crate::toolsets) tenancy: Tenancy,
}

/// For whom.
#[derive(Debug)]
pub(in crate::toolsets) enum Tenancy {
    /// For nobody in particular.
    Untenanted,
    /// For these tenants, and those with these tags.
    Tenanted {
        /// Named in the call.
        named: Vec<Tenant>,
        /// The tags, as they are written: `Set/Tag`.
        tags: Vec<String>,
        /// The tenants of the project with those tags.
        tagged: Vec<Tenant>,
    },
}

/// Whether something is for tenants.
#[derive(Debug, Clone, Copy)]
pub(in crate::toolsets) struct Mode<'a> {
    name: &'a str,
    words: Option<&'a str>,
}

impl<'a> Mode<'a> {
    /// What this is called, and how Octopus says for whom it is.
    pub(in crate::toolsets) fn of(name: &'a str, words: Option<&'a str>) -> Self {
        Self { name, words }
    }

    fn check(self, tenanted: bool) -> Result<(), Error> {
        let name = self.name;
        match self.words {
            Some("Untenanted") if tenanted => Err(Error::Invalid(format!(
                "{name} is not for tenants; leave tenants and tenantTags out"
            ))),
            Some("Tenanted") if !tenanted => Err(Error::Invalid(format!(
                "{name} is for tenants alone; say which with tenants or tenantTags"
            ))),
            _ => Ok(()),
        }
    }
}

/// How many tenants one call may stand for. More than a person reads before a yes.
const MOST_TENANTS: usize = 200;
/// How many tenants with a tag are looked through for those that are meant.
const MOST_READ: u32 = 1_000;

impl Targets {
    /// Finds everything by the names in the call.
    pub(in crate::toolsets) async fn find(
        space: &Space,
        project: &Project,
        mode: Mode<'_>,
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
            tagged(space, project, tags),
        )?;
        let environments = unique(environments);
        let tenancy = if tenanted {
            let (named, mut tagged) = (unique(named), tagged);
            tagged.retain(|tenant| is_connected(tenant, project, &environments));
            Tenancy::Tenanted { named, tags: tags.to_vec(), tagged }
        } else {
            Tenancy::Untenanted
        };
        if tenanted && tenancy.tenants().next().is_none() {
            return Err(Error::Invalid(format!(
                "no tenant with {} is connected to {} there",
                tags.join(", "),
                project.name
            )));
        }
        if tenancy.tenants().count() > MOST_TENANTS {
            return Err(Error::Invalid(format!(
                "these are {} tenants; at most {MOST_TENANTS} at once can be shown to a person",
                tenancy.tenants().count()
            )));
        }
        let all: Vec<Tenant> = tenancy.tenants().cloned().collect();
        space.ensure_one_meaning(&all).await?;
        Ok(Self { environments, tenancy })
    }

    /// Names of the environments for a person, joined.
    pub(in crate::toolsets) fn names(&self) -> String {
        labels(&self.environments).join(", ")
    }

    /// The IDs of the environments, which are what Octopus is sent: a name could be another
    /// environment's ID.
    pub(in crate::toolsets) fn environment_ids(&self) -> Vec<&str> {
        self.environments.iter().map(|environment| environment.id.as_str()).collect()
    }

    /// What a person should know of them.
    pub(in crate::toolsets) fn show(&self, proposal: Proposal) -> Proposal {
        let proposal = proposal.fact_list("Environments", &labels(&self.environments));
        let Tenancy::Tenanted { named, tags, tagged } = &self.tenancy else { return proposal };
        let proposal = proposal.fact_list("Tenants", &labels(named)).fact_list("Tenant tags", tags);
        if tags.is_empty() {
            return proposal;
        }
        proposal.fact_list("Tenants with these tags now", &labels(tagged))
    }
}

impl Tenancy {
    /// The IDs of all tenants. Octopus is sent them rather than tags, so that it does what was
    /// shown although tags change; and rather than names, since a tenant may have the ID of another
    /// one as its name, or be named "*", which stands for all tenants.
    pub(in crate::toolsets) fn ids(&self) -> Vec<&str> {
        self.tenants().map(|tenant| tenant.id.as_str()).collect()
    }

    /// For how many, in words; nothing where it is for nobody in particular.
    pub(in crate::toolsets) fn whom(&self) -> String {
        match self.tenants().count() {
            0 => String::new(),
            1 => " for 1 tenant".to_owned(),
            count => format!(" for {count} tenants"),
        }
    }

    /// All tenants, each once.
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

/// Whether a tenant takes the project in one of these environments.
fn is_connected(tenant: &Tenant, project: &Project, environments: &[Environment]) -> bool {
    let connected = tenant.project_environments.get(project.id.as_str());
    connected.is_some_and(|ids| environments.iter().any(|e| ids.contains(&e.id)))
}

/// The tenants of a project that have these tags.
async fn tagged(space: &Space, project: &Project, tags: &[String]) -> Result<Vec<Tenant>, Error> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    let path = space
        .path([Tenant::COLLECTION])
        .with("projectId", &project.id)
        .with_list("tags", tags)
        .with("take", MOST_READ);
    let window = Window { skip: 0, take: MOST_READ };
    let page: Page<Tenant> = space.session().page(&path, window).await?;
    if page.total_results as usize > page.items.len() {
        return Err(Error::Invalid(format!(
            "{} tenants have {}; at most {MOST_READ} can be looked through, so name them or use \
             narrower tags",
            page.total_results,
            tags.join(", ")
        )));
    }
    Ok(page.items)
}

fn labels<R: Named>(documents: &[R]) -> Vec<Cow<'_, str>> {
    documents.iter().map(Named::label).collect()
}

/// Each once, however it was called.
fn unique<R: Resource>(documents: Vec<R>) -> Vec<R> {
    let mut seen = HashSet::new();
    documents.into_iter().filter(|document| seen.insert(document.id().to_string())).collect()
}
