//! What a tool finds that takes an ID or a filter: one thing, or a list of them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

use super::List;

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

/// A plain object, which every client reads: the keys of either, none of them required.
impl<O: JsonSchema, L: JsonSchema> JsonSchema for Found<O, L> {
    fn schema_name() -> Cow<'static, str> {
        format!("Found_{}_{}", O::schema_name(), L::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        for schema in [generator.subschema_for::<List<L>>(), generator.subschema_for::<O>()] {
            if let Some(Value::Object(own)) = schema.get("properties") {
                properties.extend(own.clone());
            }
        }
        json_schema!({ "type": "object", "properties": properties })
    }
}
