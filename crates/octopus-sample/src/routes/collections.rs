//! Read routes of collections: a list, `/all`, one resource by ID.
//!
//! [`COLLECTIONS`] describes every collection with the common pattern of the Octopus REST API:
//!
//! | path | response |
//! | --- | --- |
//! | `/{collection}` | a page of the resources that match the query parameters |
//! | `/{collection}/all` | a bare array |
//! | `/{collection}/{id}` | one resource |
//! | `/{collection}/{id}/...` | a subresource, from the function in [`Route::below`] |
//!
//! Resources are in the order of their collection: by name, by sort order, or newest first.
//! A new collection is a new row. Lists with another format have their own file.

use super::super::call::Call;
use super::super::database::{Collection, Database, Item};
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::filters::{Field, Filter, matches};
use super::{
    accounts, certificates, channels, deployments, environments, machines, missing, project_groups,
    projects, releases, runbook_runs, runbooks, spaces, teams, tenants, workers,
};

/// Implementation of a collection's list endpoint.
#[derive(Clone, Copy)]
enum List {
    /// A page of the resources that pass these filters.
    Filtered(&'static [Filter]),
    /// The same, sorted or cut by a function first.
    Arranged(&'static [Filter], for<'a> fn(&Call<'_>, Vec<&'a Item>) -> Vec<&'a Item>),
    /// Handled by this function, which validates the parameters and builds its own page format.
    Custom(fn(&Call<'_>) -> ApiResult),
}

/// One row of [`COLLECTIONS`].
struct Route {
    /// First segment of the path, in lower case.
    path: &'static str,
    /// The permission that every path of this collection needs.
    permission: Option<&'static str>,
    collection: fn(&Database) -> &Collection,
    /// Whether the caller can see a resource. Default: it is in the space of the path.
    is_visible: fn(&Call<'_>, &Item) -> bool,
    /// Whether resources are found by slug, too.
    by_slug: bool,
    pages: Pages,
    list: List,
    /// The filters of `/all`; `None` if the collection has no such path.
    all: Option<&'static [Filter]>,
    /// Function that answers longer paths. Its path starts after the name of the collection.
    below: Option<fn(&Call<'_>, &[&str]) -> ApiResult>,
}

impl Route {
    /// Creates a row of a collection in a space: filters `ids`, `name` and `partialName`, lookup by
    /// ID or slug.
    const fn of_space(
        path: &'static str,
        item_type: &'static str,
        permission: &'static str,
        collection: fn(&Database) -> &Collection,
    ) -> Self {
        Self {
            path,
            permission: Some(permission),
            collection,
            is_visible: |call, item| item.space_id == call.space_id(),
            by_slug: true,
            pages: Pages::of(item_type, COMMON),
            list: List::Filtered(&[Filter::Ids, Filter::Name]),
            all: Some(&[Filter::Ids]),
            below: None,
        }
    }

    /// Sets the parameters in the template link of the list.
    const fn parameters(mut self, parameters: &'static str) -> Self {
        self.pages.parameters = parameters;
        self
    }

    /// Sets the default of `take`.
    const fn take(mut self, take: usize) -> Self {
        self.pages.take = take;
        self
    }

    const fn without_permission(mut self) -> Self {
        self.permission = None;
        self
    }

    const fn visible_if(mut self, is_visible: fn(&Call<'_>, &Item) -> bool) -> Self {
        self.is_visible = is_visible;
        self
    }

    const fn by_id_only(mut self) -> Self {
        self.by_slug = false;
        self
    }

    const fn list(mut self, list: List) -> Self {
        self.list = list;
        self
    }

    const fn all(mut self, filters: Option<&'static [Filter]>) -> Self {
        self.all = filters;
        self
    }

    const fn below(mut self, below: fn(&Call<'_>, &[&str]) -> ApiResult) -> Self {
        self.below = Some(below);
        self
    }

    fn answer(&self, call: &Call<'_>, path: &[&str]) -> ApiResult {
        if let Some(permission) = self.permission {
            call.require(permission)?;
        }
        let passing = |filters: &'static [Filter]| {
            self.visible(call).filter(move |item| matches(filters, call, item))
        };
        match (path, self.all, self.below) {
            ([], ..) => match self.list {
                List::Filtered(filters) => Ok(self.pages.page(call, passing(filters))),
                List::Arranged(filters, arrange) => {
                    let items = arrange(call, passing(filters).collect());
                    Ok(self.pages.page(call, items.into_iter()))
                }
                List::Custom(list) => list(call),
            },
            (["all"], Some(filters), _) => Ok(all(passing(filters))),
            ([id], ..) => Ok(ApiResponse::json(self.one(call, id)?.json.to_string())),
            (_, _, Some(below)) => below(call, path),
            _ => Err(ApiError::NoRoute),
        }
    }

    fn visible<'a>(&'a self, call: &'a Call<'_>) -> impl Iterator<Item = &'a Item> {
        (self.collection)(call.database).iter().filter(move |item| (self.is_visible)(call, item))
    }

    fn one<'a>(&'a self, call: &'a Call<'_>, id: &str) -> Result<&'a Item, ApiError> {
        let has_slug = |item: &&Item| item.text("Slug").eq_ignore_ascii_case(id);
        let by_id = (self.collection)(call.database).find(id);
        by_id
            .filter(|item| (self.is_visible)(call, item))
            .or_else(|| self.visible(call).find(has_slug).filter(|_| self.by_slug))
            .ok_or_else(|| missing(id))
    }
}

/// Answers the paths of a collection in the table; `None` for every other path.
pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<ApiResult> {
    let (word, rest) = path.split_first()?;
    let route = COLLECTIONS.iter().find(|route| route.path == *word)?;
    Some(route.answer(call, rest))
}

/// Parameters of lists without specific filters.
const COMMON: &str = "skip,take,ids,partialName";

const CONTENT_TYPE: Filter = Filter::OneOf("contentType", Field::Key("ContentType"));
const PROJECT_IDS: Filter = Filter::OneOf("projectIds", Field::Key("ProjectId"));

static COLLECTIONS: [Route; 22] = [
    Route::of_space("accounts", "Account", "AccountView", |data| &data.accounts)
        .parameters("skip,take,ids,partialName,accountType")
        .list(List::Filtered(accounts::FILTERS))
        .all(Some(accounts::FILTERS))
        .below(accounts::below),
    Route::of_space("certificates", "Certificate", "CertificateView", |data| &data.certificates)
        .parameters("skip,take,search,archived,tenant,firstResult,orderBy,ids,partialName")
        .list(List::Arranged(certificates::FILTERS, certificates::arrange))
        .all(Some(&[]))
        .below(certificates::below),
    // Slugs of channels are unique in their project only.
    Route::of_space("channels", "Channel", "ProjectView", |data| &data.channels)
        .by_id_only()
        .below(channels::below),
    Route::of_space("deployments", "Deployment", "DeploymentView", |data| &data.deployments)
        .by_id_only()
        .list(List::Custom(deployments::list))
        .all(None),
    Route::of_space("environments", "Environment", "EnvironmentView", |data| &data.environments)
        .parameters("name,skip,ids,take,partialName")
        .take(10)
        .below(environments::below),
    Route::of_space(
        "libraryvariablesets",
        "LibraryVariableSet",
        "LibraryVariableSetView",
        |data| &data.library_variable_sets,
    )
    .parameters("skip,contentType,take,ids,partialName")
    .list(List::Filtered(&[Filter::Ids, CONTENT_TYPE, Filter::Name]))
    .all(Some(&[Filter::Ids, CONTENT_TYPE])),
    Route::of_space("lifecycles", "Lifecycle", "LifecycleView", |data| &data.lifecycles),
    Route::of_space("machinepolicies", "MachinePolicy", "MachinePolicyView", |data| {
        &data.machine_policies
    })
    .all(Some(&[Filter::Ids, Filter::Name])),
    Route::of_space("machines", "Machine", "MachineView", |data| &data.machines)
        .list(List::Custom(machines::list))
        .below(machines::below),
    Route::of_space("projectgroups", "ProjectGroup", "ProjectGroupView", |data| {
        &data.project_groups
    })
    .below(project_groups::below),
    Route::of_space("projects", "Project", "ProjectView", |data| &data.projects)
        .parameters("name,skip,ids,clone,take,partialName,clonedFromProjectId")
        .list(List::Filtered(&[
            Filter::Ids,
            Filter::Name,
            Filter::Matches(projects::matches_origin),
        ]))
        .below(projects::below),
    Route::of_space("proxies", "Proxy", "ProxyView", |data| &data.proxies)
        .all(Some(&[Filter::Ids, Filter::Name])),
    Route::of_space("releases", "Release", "ReleaseView", |data| &data.releases)
        .parameters("skip,ignoreChannelRules,take,ids")
        .by_id_only()
        .list(List::Filtered(&[Filter::Matches(releases::matches_ids)]))
        .all(None)
        .below(releases::below),
    Route::of_space("runbookruns", "RunbookRun", "RunbookRunView", |data| &data.runbook_runs)
        .by_id_only()
        .list(List::Custom(runbook_runs::list))
        .all(None),
    Route::of_space("runbooks", "Runbook", "RunbookView", |data| &data.runbooks)
        .parameters("skip,take,ids,partialName,projectIds,clone")
        .list(List::Filtered(&[Filter::Ids, PROJECT_IDS, Filter::Name]))
        .all(Some(&[Filter::Ids, PROJECT_IDS]))
        .below(runbooks::below_any),
    Route::of_space("spaces", "Space", "", |data| &data.spaces)
        .parameters("skip,ids,take,partialName")
        .without_permission()
        .visible_if(spaces::is_visible)
        .below(spaces::below),
    Route::of_space("tagsets", "TagSet", "TenantView", |data| &data.tag_sets),
    Route::of_space("teams", "Team", "TeamView", |data| &data.teams)
        .parameters("skip,take,ids,partialName,spaces,includeSystem")
        .visible_if(teams::is_visible)
        .by_id_only()
        .all(Some(&[])),
    Route::of_space("tenants", "Tenant", "TenantView", |data| &data.tenants)
        .parameters("skip,projectId,name,tags,take,ids,clone,partialName,clonedFromTenantId")
        .list(List::Filtered(tenants::FILTERS))
        .below(tenants::below),
    Route::of_space("userroles", "UserRole", "UserRoleView", |data| &data.user_roles)
        .visible_if(|_, _| true)
        .by_id_only()
        .all(Some(&[])),
    Route::of_space("workerpools", "WorkerPool", "WorkerView", |data| &data.worker_pools)
        .parameters("skip,ids,take,partialName")
        .all(Some(&[Filter::Ids, Filter::Name]))
        .below(workers::below_pool),
    Route::of_space("workers", "Worker", "WorkerView", |data| &data.workers)
        .parameters(workers::PARAMETERS)
        .list(List::Filtered(workers::FILTERS))
        .all(Some(&[])),
];
