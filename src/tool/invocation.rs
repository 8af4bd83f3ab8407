//! Steps around the code of a tool: parses its arguments, checks the version of the instance and
//! serializes its output.

use std::{collections::BTreeMap, io};

use rmcp::model::JsonObject;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Context, Error, schema::MAX_BYTES};
use crate::{
    compute::INLINE_BYTES,
    octopus::{self, OctopusVersion},
    text::step_counter,
};

/// Parses the arguments, which [`super::arguments`] checked against the schema before.
///
/// `maxBytes` is checked and removed, because [`super::Entry::call`] applies it.
pub(super) fn parse_arguments<T: DeserializeOwned>(mut arguments: JsonObject) -> Result<T, Error> {
    if let Some(limit) = arguments.shift_remove(MAX_BYTES) {
        let only = JsonObject::from_iter([(MAX_BYTES.to_owned(), limit)]);
        deserialize::<BTreeMap<String, u32>>(only)?;
    }
    deserialize(arguments)
}

fn deserialize<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Error> {
    serde_path_to_error::deserialize(Value::Object(arguments))
        .map_err(|error| Error::from_serde(&error))
}

/// Checks the version of the instance.
///
/// # Errors
///
/// Returns [`octopus::Error::TooOld`] if the instance is older than `since`.
pub(super) async fn ensure_version(
    feature: &'static str,
    since: OctopusVersion,
    cx: &Context,
) -> Result<(), Error> {
    if since > OctopusVersion::MIN_SUPPORTED {
        let actual = cx.session.version_for(since).await?;
        if actual < since {
            return Err(octopus::Error::TooOld { feature, required: since, actual }.into());
        }
    }
    Ok(())
}

/// Reads the version again at the next call, after a failed call of a tool that needs a newer
/// Octopus: the instance may have been replaced by one without the feature. Tools explain a missing
/// path in their own terms, so any error counts.
pub(super) async fn recheck_version(since: OctopusVersion, cx: &Context) {
    if since > OctopusVersion::MIN_SUPPORTED {
        cx.session.expire_version().await;
    }
}

/// Serializes the output of a tool to JSON, in the compute pool if it is larger than
/// [`INLINE_BYTES`].
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

/// Returns whether `output` has at most `limit` bytes as JSON. Stops at the first byte beyond the
/// limit.
fn is_small(output: &impl Serialize, limit: usize) -> bool {
    /// Number of bytes left.
    struct ByteLimit(usize);

    impl io::Write for ByteLimit {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            step_counter::add(bytes.len());
            let left = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::WriteZero)?;
            self.0 = left;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    serde_json::to_writer(ByteLimit(limit), output).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_output_only_up_to_the_limit() {
        let texts = |count: usize| vec!["a text"; count];
        assert!(is_small(&texts(100), 901) && !is_small(&texts(100), 900));
        let (small, steps) = step_counter::count(|| is_small(&texts(1_000_000), INLINE_BYTES));
        assert!(!small && steps <= INLINE_BYTES + 16, "{steps}");
    }
}
