//! The contract of a tool, and its record in the lists.

use std::{collections::BTreeMap, io};

use futures::future::BoxFuture;
use rmcp::model::{self, JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Alias, Change, Context, Error, Place, Question, ResourceDefinition, brought, change,
    schema::{self, MAX_BYTES},
};
use crate::{
    audit::Bytes,
    compute::INLINE_BYTES,
    octopus::{self, OctopusVersion},
    rules::Deed,
    text::steps,
};

/// One tool that reads. The type is its input: its fields are the arguments, its doc comment is
/// the description that the model reads, and running the value is calling the tool.
///
/// A tool that changes anything is a [`Change`].
pub trait Tool: DeserializeOwned + JsonSchema + Send + 'static {
    /// The name on the wire, and of its file, its snapshot and its metric label.
    const NAME: &'static str;
    /// The name for people.
    const TITLE: &'static str;
    /// The first version of Octopus that it works with.
    const SINCE: OctopusVersion = OctopusVersion::OLDEST;
    /// Other names that it answers to.
    const ALIASES: &'static [Alias] = &[];
    /// What there is to choose from is all that it shows: where that is fixed, it is not there.
    const CHOOSES: Option<Place> = None;
    /// Whether it keeps to the project of the request without an argument that names one
    /// ([`Context::keep`]). What does not, and takes no project, is not there where the request
    /// fixes one.
    const KEEPS_TO_PROJECT: bool = false;
    /// Whether the tool has the argument `maxBytes`. [`super::Entry::call`] applies it, so the input type has no
    /// field for it.
    const TAKES_MAX_BYTES: bool = false;

    /// What it answers. Fields without a value are left out of the answer.
    type Output: Serialize + JsonSchema + Send + 'static;

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

impl Tier {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// A group of tools that is switched on and off as one.
#[derive(Debug)]
pub struct Toolset {
    /// The name on the wire.
    pub name: &'static str,
    /// What its tools are for, in a few words.
    pub summary: &'static str,
    /// The paths of the API that are its own, which `execute` then asks it for. One without a
    /// slash at the start is below a space. `*` stands for one segment, and everything below a
    /// path belongs to it; the most literal of all toolsets' paths owns.
    pub paths: &'static [&'static str],
    /// Its tools, in the order in which they are listed.
    pub tools: &'static [Definition],
    /// Its resources.
    pub resources: &'static [ResourceDefinition],
}

/// A [`Tool`] or a [`Change`] with its type erased: plain data and two function pointers.
#[derive(Debug)]
pub struct Definition {
    /// The name on the wire.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// The most it can do to Octopus.
    pub tier: Tier,
    /// The least it can do.
    pub least: Tier,
    /// What it does, for the risk of it.
    pub deed: Deed,
    /// The first version of Octopus that it works with.
    pub since: OctopusVersion,
    /// Other names that it answers to.
    pub aliases: &'static [Alias],
    /// What it shows to choose from, where that is all.
    pub chooses: Option<Place>,
    /// Whether it keeps to the project of the request without an argument that names one.
    pub keeps_to_project: bool,
    pub(super) does: fn(JsonObject) -> Tier,
    pub(super) model: fn() -> model::Tool,
    pub(super) run: for<'a> fn(JsonObject, &'a Context) -> BoxFuture<'a, Result<Ran, Error>>,
}

/// What running a tool came to.
#[derive(Debug)]
pub(super) enum Ran {
    /// Nothing was changed, and this is the answer.
    Done(Value),
    /// Something was changed, and this is the answer, or the reason why it cannot be shown.
    Changed(Result<Value, Error>),
    /// Nothing yet.
    Ask(Question),
}

/// What a call came to.
#[derive(Debug)]
pub enum Outcome {
    /// An answer.
    Done(Passed),
    /// Nothing yet: somebody must agree first.
    Ask(Question),
}

/// An answer that has been through the door for text, and is within its size.
#[derive(Debug)]
pub struct Passed {
    /// The answer.
    pub value: Value,
    /// How many invisible characters were removed from it.
    pub removed: usize,
    /// How many secrets were taken out of it.
    pub redacted: usize,
    /// How many bytes of JSON it had before it was cut, and has.
    pub bytes: Bytes,
}

impl Definition {
    /// The record of a tool that reads.
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            tier: Tier::Read,
            least: Tier::Read,
            deed: Deed::Read,
            since: T::SINCE,
            aliases: T::ALIASES,
            chooses: T::CHOOSES,
            keeps_to_project: T::KEEPS_TO_PROJECT,
            does: |_| Tier::Read,
            model: model::<T>,
            run: run::<T>,
        }
    }

    /// The record of a tool that changes things.
    pub const fn changing<T: Change>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            tier: T::TIER,
            least: T::LEAST,
            deed: T::DEED,
            since: T::SINCE,
            aliases: T::ALIASES,
            chooses: None,
            keeps_to_project: false,
            does: does::<T>,
            model: changing_model::<T>,
            run: change::change::<T>,
        }
    }
}

/// What a call with these arguments does. One that does not read is refused later, and does
/// nothing.
fn does<T: Change>(mut arguments: JsonObject) -> Tier {
    if T::LEAST == T::TIER {
        return T::TIER;
    }
    brought::take(&mut arguments);
    parse::<T>(arguments).map_or(T::LEAST, |input| input.tier())
}

fn model<T: Tool>() -> model::Tool {
    let (description, input) = schema::input::<T>(T::TAKES_MAX_BYTES);
    let annotations = ToolAnnotations::with_title(T::TITLE)
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false);
    model::Tool::new(T::NAME, description, input)
        .with_title(T::TITLE)
        .with_raw_output_schema(schema::output::<T::Output>())
        .with_annotations(annotations)
}

fn changing_model<T: Change>() -> model::Tool {
    let (description, input) = schema::changing_input::<T>(T::TAKES_MAX_BYTES);
    // A call is idempotent by its code or key, which the hint does not know of.
    let annotations = ToolAnnotations::with_title(T::TITLE)
        .read_only(false)
        .destructive(T::DESTRUCTIVE)
        .idempotent(false)
        .open_world(false);
    model::Tool::new(T::NAME, description, input)
        .with_title(T::TITLE)
        .with_raw_output_schema(schema::changing_output::<T::Output>())
        .with_annotations(annotations)
}

/// Reads the arguments. They were checked against the schema before ([`super::arguments`]).
///
/// `maxBytes` is checked and removed, because [`super::Entry::call`] applies it.
pub(super) fn parse<T: DeserializeOwned>(mut arguments: JsonObject) -> Result<T, Error> {
    if let Some(limit) = arguments.shift_remove(MAX_BYTES) {
        let only = JsonObject::from_iter([(MAX_BYTES.to_owned(), limit)]);
        read::<BTreeMap<String, u32>>(only)?;
    }
    read(arguments)
}

fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Error> {
    serde_path_to_error::deserialize(Value::Object(arguments))
        .map_err(|error| Error::argument(&error))
}

/// Refuses what the instance is too old for.
pub(super) async fn old_enough(
    what: &'static str,
    since: OctopusVersion,
    cx: &Context,
) -> Result<(), Error> {
    if since > OctopusVersion::OLDEST {
        let has = cx.session.version().await?;
        if has < since {
            return Err(octopus::Error::TooOld { what, needs: since, has }.into());
        }
    }
    Ok(())
}

fn run<T: Tool>(arguments: JsonObject, cx: &Context) -> BoxFuture<'_, Result<Ran, Error>> {
    Box::pin(async move {
        let input: T = parse(arguments)?;
        old_enough(T::NAME, T::SINCE, cx).await?;
        let output = input.run(cx).await?;
        to_value(output, cx).await.map(Ran::Done)
    })
}

/// Turns what a tool gives into JSON: in the compute pool, if it is larger than [`INLINE_BYTES`].
pub(super) async fn to_value<T>(output: T, cx: &Context) -> Result<Value, Error>
where
    T: Serialize + Send + 'static,
{
    let value = if is_small(&output, INLINE_BYTES) {
        serde_json::to_value(output)
    } else {
        cx.compute().run(move |_| Ok(serde_json::to_value(output))).await?
    };
    value.map_err(|error| Error::Output(error.to_string()))
}

/// Whether `output` has at most `limit` bytes of JSON. Stops at the first byte beyond.
fn is_small(output: &impl Serialize, limit: usize) -> bool {
    /// Counts down the bytes that are left.
    struct Left(usize);

    impl io::Write for Left {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            steps::add(bytes.len());
            let left = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::WriteZero)?;
            self.0 = left;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    serde_json::to_writer(Left(limit), output).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_output_is_measured_only_to_the_limit() {
        let texts = |count: usize| vec!["a text"; count];
        assert!(is_small(&texts(100), 901) && !is_small(&texts(100), 900));
        let (small, steps) = steps::of(|| is_small(&texts(1_000_000), INLINE_BYTES));
        assert!(!small && steps <= INLINE_BYTES + 16, "{steps}");
    }
}
