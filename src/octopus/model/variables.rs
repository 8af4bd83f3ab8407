//! Variable sets of projects, of library variable sets, and of their snapshots.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    resource::{Id, Resource, lists_by_key},
    space::Space,
};
use crate::octopus::client::{error::Error, path::id_batches};

/// Fields of a variable set that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VariableSet {
    pub id: Id<VariableSet>,
    pub space_id: Option<String>,
    pub owner_id: Option<String>,
    pub version: Option<i64>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub variables: Vec<Variable>,
    #[serde(default, deserialize_with = "lists_by_key")]
    pub scope_values: ScopeValues,
}

/// Names of the IDs in scopes, as each variable set lists them.
pub type ScopeValues = BTreeMap<String, Vec<ScopeValue>>;

/// A resource that variables can be scoped to.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScopeValue {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub id: String,
    pub name: Option<String>,
}

/// A variable. Octopus never returns the value of a sensitive one.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Variable {
    pub id: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    pub value: Option<String>,
    pub description: Option<String>,
    /// `String`, `Sensitive`, `Certificate`, `AmazonWebServicesAccount` and others.
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    /// IDs by scope type. Empty: the variable applies everywhere.
    #[serde(default, deserialize_with = "lists_by_key")]
    pub scope: BTreeMap<String, Vec<String>>,
    pub is_editable: Option<bool>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_sensitive: bool,
    pub prompt: Option<Value>,
}

impl Resource for VariableSet {
    const NOUN: &'static str = "variable set";
    const ID_PREFIX: &'static str = "variableset-";
    const COLLECTION: &'static str = "variables";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Reads several variable sets by ID.
pub async fn by_ids(
    space: &Space,
    ids: &[Id<VariableSet>],
) -> Result<HashMap<String, VariableSet>, Error> {
    let mut sets = HashMap::new();
    for batch in id_batches(ids) {
        let path = space.path([VariableSet::COLLECTION, "all"]).query_list("ids", batch);
        // A variable that is missing in an answer could mislead, so every set must be readable.
        let read = space.session().array::<VariableSet>(&path).await?;
        let read = read.complete(VariableSet::NOUN)?;
        sets.extend(read.items.into_iter().map(|set| (set.id.to_string(), set)));
    }
    Ok(sets)
}
