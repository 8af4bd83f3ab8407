//! Tenants: the customers, regions or sites that a project is deployed for.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Error, Id, Kind, Named, Page, Resource, Space, Thing, Touches, Window,
    environments::Environment, library_variable_sets::LibraryVariableSet, projects::Project,
    resource::null_as_default,
};

/// The fields of a tenant that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tenant {
    pub id: Id<Tenant>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_disabled: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    pub tenant_tags: Vec<String>,
    /// The environments of each project that the tenant is connected to, by project ID.
    #[serde(default, deserialize_with = "null_as_default")]
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
    fn touches(&self, touches: &mut Touches) {
        touches.add(Kind::Tenant, self.thing());
    }
}

impl Tenant {
    /// What rules and records know of it.
    pub fn thing(&self) -> Thing {
        Thing {
            id: self.id.to_string(),
            name: Some(self.name.clone()),
            slug: self.slug.clone(),
            tags: Some(self.tenant_tags.clone()),
            ..Thing::default()
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

/// Which tenants to list. An empty list does not filter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Connected to this project.
    pub project: Option<Id<Project>>,
    /// With these tags, as `Set/Tag`: one of each set that is named.
    pub tags: Vec<String>,
    /// These tenants.
    pub ids: Vec<Id<Tenant>>,
    /// Whose name holds this.
    pub partial_name: Option<String>,
}

impl Filter {
    /// Whether it lets everything pass.
    pub fn is_empty(&self) -> bool {
        self.project.is_none()
            && self.tags.is_empty()
            && self.ids.is_empty()
            && self.partial_name.is_none()
    }
}

/// Reads a page of the tenants of a space, by name.
pub async fn list(space: &Space, filter: &Filter, window: Window) -> Result<Page<Tenant>, Error> {
    let path = space
        .path([Tenant::COLLECTION])
        .with_some("projectId", filter.project.as_ref())
        .with_list("tags", &filter.tags)
        .with_list("ids", &filter.ids)
        .with_some("partialName", filter.partial_name.as_deref());
    space.list(path, window).await
}

/// All variables of a tenant, in the shape that every version of Octopus has.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Variables {
    /// By project ID.
    #[serde(default, deserialize_with = "null_as_default")]
    pub project_variables: BTreeMap<String, ProjectVariables>,
    /// By library variable set ID.
    #[serde(default, deserialize_with = "null_as_default")]
    pub library_variables: BTreeMap<String, LibraryVariables>,
}

/// The variables that a tenant gives a project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProjectVariables {
    pub project_name: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub templates: Vec<Template>,
    /// Values by environment ID and template ID.
    #[serde(default, deserialize_with = "null_as_default")]
    pub variables: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The variables that a tenant gives a library variable set.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LibraryVariables {
    pub library_variable_set_name: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub templates: Vec<Template>,
    /// Values by template ID.
    #[serde(default, deserialize_with = "null_as_default")]
    pub variables: BTreeMap<String, Value>,
}

/// A variable that tenants give a value.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Template {
    pub id: Option<String>,
    pub name: Option<String>,
    pub label: Option<String>,
    pub default_value: Option<Value>,
    pub display_settings: Option<DisplaySettings>,
}

/// How the portal asks for the value of a template.
#[derive(Debug, Clone, Deserialize)]
pub struct DisplaySettings {
    #[serde(rename = "Octopus.ControlType")]
    pub control_type: Option<String>,
}

impl Template {
    /// Whether Octopus never shows the values.
    pub fn is_sensitive(&self) -> bool {
        self.display_settings
            .as_ref()
            .and_then(|settings| settings.control_type.as_deref())
            .is_some_and(|control| control.eq_ignore_ascii_case("Sensitive"))
    }
}

/// The common or the project variables of a tenant, in the newer shape with scopes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScopedVariables {
    #[serde(default, deserialize_with = "null_as_default")]
    pub variables: Vec<ScopedVariable>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub missing_variables: Vec<ScopedVariable>,
}

/// A value with the environments it is for. Without an ID, it is one that is missing.
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
    pub scope: Option<Scope>,
}

/// The environments that a value is for. None: all.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Scope {
    #[serde(default, deserialize_with = "null_as_default")]
    pub environment_ids: Vec<Id<Environment>>,
}

/// Which half of a tenant's variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// Those of library variable sets, shared by projects.
    Common,
    /// Those of projects.
    Project,
}

/// Reads all variables of a tenant.
pub async fn variables(space: &Space, id: &Id<Tenant>) -> Result<Variables, Error> {
    space.read(id, &space.path([Tenant::COLLECTION, id.as_str(), "variables"])).await
}

/// Reads one half of a tenant's variables in the newer shape. `None`: the instance is too old to
/// know it.
pub async fn scoped_variables(
    space: &Space,
    id: &Id<Tenant>,
    half: Half,
    include_missing: bool,
) -> Result<Option<ScopedVariables>, Error> {
    let half = match half {
        Half::Common => "commonvariables",
        Half::Project => "projectvariables",
    };
    let path = space.path([Tenant::COLLECTION, id.as_str(), half]);
    match space.session().get(&path.with("includeMissingVariables", include_missing)).await {
        // The tenant was read before, so it is the route that is unknown.
        Err(Error::NotFound { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// A tenant with variables that have no value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Missing {
    pub tenant_id: Id<Tenant>,
    /// Only where details were asked for.
    #[serde(default, deserialize_with = "null_as_default")]
    pub missing_variables: Vec<MissingVariable>,
}

/// A variable that a tenant gives no value.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MissingVariable {
    pub project_id: Option<Id<Project>>,
    pub environment_id: Option<Id<Environment>>,
    pub library_variable_set_id: Option<Id<LibraryVariableSet>>,
    pub variable_template_id: Option<String>,
    pub variable_template_name: Option<String>,
}

/// Lists the tenants with variables that have no value.
pub async fn missing_variables(
    space: &Space,
    tenant: Option<&Id<Tenant>>,
    project: Option<&Id<Project>>,
    environment: Option<&Id<Environment>>,
    include_details: bool,
) -> Result<Vec<Missing>, Error> {
    let path = space
        .path([Tenant::COLLECTION, "variables-missing"])
        .with_some("tenantId", tenant)
        .with_some("projectId", project)
        .with_some("environmentId", environment)
        .with("includeDetails", include_details);
    space.session().get(&path).await
}
