//! Projects: deployable applications with their process and variables.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    library_variable_sets::LibraryVariableSet,
    lifecycles::Lifecycle,
    project_groups::ProjectGroup,
    resource::{Id, Named, Resource},
    variables::VariableSet,
};
use crate::octopus::client::access_set::{AccessSet, AccessedResource, ResourceKind};

/// Fields of a project that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Project {
    pub id: Id<Project>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub description: String,
    pub deployment_process_id: Option<String>,
    pub variable_set_id: Option<Id<VariableSet>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub included_library_variable_set_ids: Vec<Id<LibraryVariableSet>>,
    pub lifecycle_id: Option<Id<Lifecycle>>,
    pub project_group_id: Option<Id<ProjectGroup>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_disabled: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_version_controlled: bool,
    pub tenanted_deployment_mode: Option<String>,
    pub persistence_settings: Option<PersistenceSettings>,
}

/// Storage of the project's process: the database or Git.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PersistenceSettings {
    /// `Database` or `VersionControlled`.
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub url: Option<String>,
    pub default_branch: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub conversion_state: ConversionState,
}

/// Parts besides the process that are stored in Git.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConversionState {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub variables_are_in_git: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub runbooks_are_in_git: bool,
}

impl Resource for Project {
    const NOUN: &'static str = "project";
    const ID_PREFIX: &'static str = "Projects-";
    const COLLECTION: &'static str = "projects";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
    fn record_access(&self, access_set: &mut AccessSet) {
        access_set.add(ResourceKind::Project, self.access_entry());
    }
}

impl Project {
    /// Returns the entry of this project for policy rules and audit records.
    pub fn access_entry(&self) -> AccessedResource {
        AccessedResource {
            id: self.id.to_string(),
            name: Some(self.name.clone()),
            slug: self.slug.clone(),
            group: self.project_group_id.as_ref().map(ToString::to_string),
            ..AccessedResource::default()
        }
    }
}

impl Named for Project {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}
