//! Library variable sets: variables that several projects share.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    resource::{Id, Named, Resource},
    variables::VariableSet,
};

/// Fields of a library variable set that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LibraryVariableSet {
    pub id: Id<LibraryVariableSet>,
    pub name: String,
    pub slug: Option<String>,
    pub description: Option<String>,
    pub variable_set_id: Option<Id<VariableSet>>,
    /// `Variables` or `ScriptModule`.
    pub content_type: Option<String>,
    /// Templates of variables with a value for each tenant.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub templates: Vec<Value>,
    pub version: Option<i64>,
}

impl Resource for LibraryVariableSet {
    const NOUN: &'static str = "library variable set";
    const ID_PREFIX: &'static str = "LibraryVariableSets-";
    const COLLECTION: &'static str = "libraryvariablesets";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for LibraryVariableSet {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}
