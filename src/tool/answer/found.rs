//! The output of tools that take either an ID or filters: one item, or a page of a list.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

use super::list::List;
use crate::tool::Error;

/// One item if the call selects one item, otherwise a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum OneOrList<O, L = O> {
    /// The selected item.
    One(Box<O>),
    /// A page of the matching items.
    List(List<L>),
}

impl<O, L> OneOrList<O, L> {
    /// Creates the output for the selected item.
    pub fn one(found: O) -> Self {
        Self::One(Box::new(found))
    }
}

/// Returns the names of the arguments that the call has. Each pair is an argument's name and
/// whether it is present.
pub fn present_arguments(arguments: &[(&'static str, bool)]) -> Vec<&'static str> {
    arguments.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect()
}

/// Rejects list filters in a call that selects one item, because they would have no effect.
pub fn reject_list_filters(one: &str, filters: &[&str]) -> Result<(), Error> {
    if filters.is_empty() {
        return Ok(());
    }
    let filters = filters.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Err(Error::Invalid(format!(
        "`{one}` selects one item, and {filters} filter a list; pass one or the other"
    )))
}

/// A plain object, which every MCP client can read: the properties of both shapes, none of them
/// required.
impl<O: JsonSchema, L: JsonSchema> JsonSchema for OneOrList<O, L> {
    fn schema_name() -> Cow<'static, str> {
        format!("Found_{}_{}", O::schema_name(), L::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        merged_schema([generator.subschema_for::<List<L>>(), generator.subschema_for::<O>()])
    }
}

/// Merges the schemas of two alternative objects: the properties of both, none of them required.
pub fn merged_schema(schemas: [Schema; 2]) -> Schema {
    let mut properties = Map::new();
    for schema in schemas {
        if let Some(Value::Object(own)) = schema.get("properties") {
            properties.extend(own.clone());
        }
    }
    json_schema!({ "type": "object", "properties": properties })
}
