//! What a tool finds that takes an ID or a filter: one thing, or a list of them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Error, List};

/// One thing where the call names one, a list where it does not.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Found<O, L = O> {
    /// The one that was named.
    One(Box<O>),
    /// A page of those that fit.
    Many(List<L>),
}

impl<O, L> Found<O, L> {
    /// The one that was named.
    pub fn one(found: O) -> Self {
        Self::One(Box::new(found))
    }
}

/// The arguments that a call has, of these.
pub fn given(arguments: &[(&'static str, bool)]) -> Vec<&'static str> {
    arguments.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect()
}

/// Refuses what narrows a list beside the name of one thing: it would do nothing.
pub fn alone(one: &str, beside: &[&str]) -> Result<(), Error> {
    if beside.is_empty() {
        return Ok(());
    }
    let beside = beside.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Err(Error::Invalid(format!(
        "`{one}` names one thing, and {beside} a list: give one or the other"
    )))
}

/// A plain object, which every client reads: the keys of either, none of them required.
impl<O: JsonSchema, L: JsonSchema> JsonSchema for Found<O, L> {
    fn schema_name() -> Cow<'static, str> {
        format!("Found_{}_{}", O::schema_name(), L::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        either([generator.subschema_for::<List<L>>(), generator.subschema_for::<O>()])
    }
}

/// The schema of what is one of two objects: the keys of either, none of them required.
pub fn either(schemas: [Schema; 2]) -> Schema {
    let mut properties = Map::new();
    for schema in schemas {
        if let Some(Value::Object(own)) = schema.get("properties") {
            properties.extend(own.clone());
        }
    }
    json_schema!({ "type": "object", "properties": properties })
}
