//! Tenants: customers, regions or sites that projects are deployed for.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment,
    library_variable_sets::LibraryVariableSet,
    projects::Project,
    resource::{Id, Named, Resource, lists_by_key},
    space::Space,
};
use crate::octopus::client::{
    access_set::{AccessSet, AccessedResource, ResourceKind},
    error::Error,
    page::{Page, PageRange},
};

/// Fields of a tenant that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tenant {
    pub id: Id<Tenant>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub description: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_disabled: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub tenant_tags: Vec<String>,
    /// Environments of each project that the tenant is connected to, by project ID.
    #[serde(default, deserialize_with = "lists_by_key")]
    pub project_environments: BTreeMap<String, Vec<Id<Environment>>>,
    pub cloned_from_tenant_id: Option<Id<Tenant>>,
}

impl Resource for Tenant {
    const NOUN: &'static str = "tenant";
    const ID_PREFIX: &'static str = "Tenants-";
    const COLLECTION: &'static str = "tenants";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
    fn record_access(&self, access_set: &mut AccessSet) {
        access_set.add(ResourceKind::Tenant, self.access_entry());
    }
}

impl Tenant {
    /// Returns the entry of this tenant for policy rules and audit records.
    pub fn access_entry(&self) -> AccessedResource {
        AccessedResource {
            id: self.id.to_string(),
            name: Some(self.name.clone()),
            slug: self.slug.clone(),
            tags: Some(self.tenant_tags.clone()),
            ..AccessedResource::default()
        }
    }
}

impl Named for Tenant {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

/// Filter for tenants. An empty list does not filter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Project that the tenants are connected to.
    pub project: Option<Id<Project>>,
    /// Tags as `Set/Tag`: a tenant needs one tag of each set in this list.
    pub tags: Vec<String>,
    /// IDs of the tenants.
    pub ids: Vec<Id<Tenant>>,
    /// Part of the name.
    pub partial_name: Option<String>,
}

impl Filter {
    /// Returns whether no criterion is set.
    pub fn is_empty(&self) -> bool {
        self.project.is_none()
            && self.tags.is_empty()
            && self.ids.is_empty()
            && self.partial_name.is_none()
    }
}

/// Reads a page of the tenants of a space, ordered by name.
pub async fn list(
    space: &Space,
    filter: &Filter,
    window: PageRange,
) -> Result<Page<Tenant>, Error> {
    let path = space
        .path([Tenant::COLLECTION])
        .query_opt("projectId", filter.project.as_ref())
        .query_list("tags", &filter.tags)
        .query_list("ids", &filter.ids)
        .query_opt("partialName", filter.partial_name.as_deref());
    space.list(path, window).await
}

/// All variables of a tenant, in the form that every version of Octopus supports.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Variables {
    /// Project variables by project ID.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub project_variables: BTreeMap<String, ProjectVariables>,
    /// Common variables by library variable set ID.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub library_variables: BTreeMap<String, LibraryVariables>,
}

/// Variables of a tenant for one project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProjectVariables {
    pub project_name: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub templates: Vec<Template>,
    /// Values by environment ID and template ID.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub variables: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Variables of a tenant for one library variable set.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LibraryVariables {
    pub library_variable_set_name: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub templates: Vec<Template>,
    /// Values by template ID.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub variables: BTreeMap<String, Value>,
}

/// Template of a variable with a value for each tenant.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Template {
    pub id: Option<String>,
    pub name: Option<String>,
    pub label: Option<String>,
    pub default_value: Option<Value>,
    pub display_settings: Option<DisplaySettings>,
}

/// Input control of a template in the portal.
#[derive(Debug, Clone, Deserialize)]
pub struct DisplaySettings {
    #[serde(rename = "Octopus.ControlType")]
    pub control_type: Option<String>,
}

impl Template {
    /// Returns whether the values are sensitive, so that Octopus never returns them.
    pub fn is_sensitive(&self) -> bool {
        self.display_settings
            .as_ref()
            .and_then(|settings| settings.control_type.as_deref())
            .is_some_and(|control| control.eq_ignore_ascii_case("Sensitive"))
    }
}

/// Common or project variables of a tenant, in the newer form with scopes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScopedVariables {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub variables: Vec<ScopedVariable>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub missing_variables: Vec<ScopedVariable>,
}

/// A value with the environments that it applies to. Missing variables have no `id`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScopedVariable {
    pub id: Option<String>,
    pub project_id: Option<String>,
    pub project_name: Option<String>,
    pub library_variable_set_id: Option<String>,
    pub library_variable_set_name: Option<String>,
    pub template_id: Option<String>,
    pub template: Option<Template>,
    pub value: Option<Value>,
    pub scope: Option<EnvironmentScope>,
}

/// Environments that a value applies to; an empty list means all.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnvironmentScope {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub environment_ids: Vec<Id<Environment>>,
}

/// Group of a tenant's variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableGroup {
    /// Variables of library variable sets, shared by projects.
    Common,
    /// Variables of projects.
    Project,
}

/// Reads all variables of a tenant.
pub async fn variables(space: &Space, id: &Id<Tenant>) -> Result<Variables, Error> {
    space.read(id, &space.path([Tenant::COLLECTION, id.as_str(), "variables"])).await
}

/// Reads one group of a tenant's variables in the newer form. Returns `None` if the instance is too
/// old for this form.
pub async fn scoped_variables(
    space: &Space,
    id: &Id<Tenant>,
    half: VariableGroup,
    include_missing: bool,
) -> Result<Option<ScopedVariables>, Error> {
    let half = match half {
        VariableGroup::Common => "commonvariables",
        VariableGroup::Project => "projectvariables",
    };
    let path = space.path([Tenant::COLLECTION, id.as_str(), half]);
    match space.session().get(&path.query("includeMissingVariables", include_missing)).await {
        // The tenant exists, because the caller read it before, so a 404 means an unknown route.
        Err(Error::NotFound { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// A tenant with variables that have no value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TenantMissingVariables {
    pub tenant_id: Id<Tenant>,
    /// Present only if details were requested.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub missing_variables: Vec<MissingVariable>,
}

/// A variable without a value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MissingVariable {
    pub project_id: Option<Id<Project>>,
    pub environment_id: Option<Id<Environment>>,
    pub library_variable_set_id: Option<Id<LibraryVariableSet>>,
    pub variable_template_id: Option<String>,
    pub variable_template_name: Option<String>,
}

/// Reads the tenants with variables that have no value.
pub async fn missing_variables(
    space: &Space,
    tenant: Option<&Id<Tenant>>,
    project: Option<&Id<Project>>,
    environment: Option<&Id<Environment>>,
    include_details: bool,
) -> Result<Page<TenantMissingVariables>, Error> {
    let path = space
        .path([Tenant::COLLECTION, "variables-missing"])
        .query_opt("tenantId", tenant)
        .query_opt("projectId", project)
        .query_opt("environmentId", environment)
        .query("includeDetails", include_details);
    space.session().array(&path).await
}
