//! The contract of a tool, and its record in the lists.

use futures::future::BoxFuture;
use rmcp::model::{self, JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Context, Error, schema};
use crate::octopus::OctopusVersion;

/// One tool. The type is its input: its fields are the arguments, its doc comment is the
/// description that the model reads, and running the value is calling the tool.
pub trait Tool: DeserializeOwned + JsonSchema + Send + 'static {
    /// The name on the wire, and of its file, its snapshot and its metric label.
    const NAME: &'static str;
    /// The name for people.
    const TITLE: &'static str;
    /// The most it can do to Octopus.
    const TIER: Tier = Tier::Read;
    /// The first version of Octopus that it works with.
    const SINCE: OctopusVersion = OctopusVersion::OLDEST;

    /// What it answers. Fields without a value are left out of the answer.
    type Output: Serialize + JsonSchema + 'static;

    /// Answers the call.
    fn run(self, cx: &Context) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// What a tool can do to Octopus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// It reads.
    Read,
    /// It makes or changes things.
    Write,
    /// It removes things.
    Delete,
}

/// A group of tools that is switched on and off as one.
#[derive(Debug)]
pub struct Toolset {
    /// The name on the wire.
    pub name: &'static str,
    /// What its tools are for, in a few words.
    pub summary: &'static str,
    /// Its tools, in the order in which they are listed.
    pub tools: &'static [Definition],
}

/// A [`Tool`] with its type erased: plain data and two function pointers.
#[derive(Debug)]
pub struct Definition {
    /// See [`Tool::NAME`].
    pub name: &'static str,
    /// See [`Tool::TITLE`].
    pub title: &'static str,
    /// See [`Tool::TIER`].
    pub tier: Tier,
    /// See [`Tool::SINCE`].
    pub since: OctopusVersion,
    pub(super) model: fn() -> model::Tool,
    pub(super) run: for<'a> fn(JsonObject, &'a Context) -> BoxFuture<'a, Result<Value, Error>>,
}

/// What a call came to.
#[derive(Debug)]
pub struct Outcome {
    /// The answer, within its size.
    pub value: Value,
    /// How many invisible characters were removed from it.
    pub removed: usize,
    /// How many secrets were taken out of it.
    pub redacted: usize,
}

impl Definition {
    /// The record of a tool.
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            tier: T::TIER,
            since: T::SINCE,
            model: model::<T>,
            run: run::<T>,
        }
    }
}

fn model<T: Tool>() -> model::Tool {
    let (description, input) = schema::input::<T>();
    let annotations = ToolAnnotations::with_title(T::TITLE)
        .read_only(T::TIER == Tier::Read)
        .destructive(T::TIER != Tier::Read)
        .idempotent(T::TIER == Tier::Read)
        .open_world(false);
    model::Tool::new(T::NAME, description, input)
        .with_title(T::TITLE)
        .with_raw_output_schema(schema::output::<T::Output>())
        .with_annotations(annotations)
}

/// Parses, gates, runs. Arguments are checked against the schema before ([`super::arguments`]).
fn run<T: Tool>(arguments: JsonObject, cx: &Context) -> BoxFuture<'_, Result<Value, Error>> {
    Box::pin(async move {
        let input: T = serde_path_to_error::deserialize(Value::Object(arguments))
            .map_err(|error| Error::argument(&error))?;
        cx.policy.permit(T::TIER)?;
        if T::SINCE > OctopusVersion::OLDEST {
            let has = cx.session.version().await?;
            if has < T::SINCE {
                let needs = T::SINCE;
                return Err(crate::octopus::Error::TooOld { what: T::NAME, needs, has }.into());
            }
        }
        serde_json::to_value(input.run(cx).await?).map_err(|error| Error::Output(error.to_string()))
    })
}
