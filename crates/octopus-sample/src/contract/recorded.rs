//! Bodies of real servers.

use serde::Deserialize;
use serde_json::Value;

const RECORDED: &str = include_str!("../../contract/recorded.json");

/// A body that a real server sent, as a public test suite recorded it.
#[derive(Debug, Deserialize)]
pub struct Recorded {
    /// Name of the type in `types.txt`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Public repository with the recording.
    pub source: String,
    /// Version of the server, as far as it is known, such as `2024.2`.
    pub version: String,
    /// The body.
    pub body: Value,
}

/// Returns the recorded bodies. They are older than 2026.3 or come from servers in development, so
/// that they can have fewer or more fields than a type.
#[must_use]
pub fn recorded() -> Vec<Recorded> {
    serde_json::from_str(RECORDED).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Contract, Edition, UnknownFields};
    use super::*;

    /// Differences of recordings that no reference explains: an edited date, and a word of an older
    /// server.
    const KNOWN: [&str; 2] = [
        "Created: \"2024-09-2T14:42:40.224+00:00\" is not a date and time",
        "HealthStatus: \"Healthy with warnings\" is not one of",
    ];

    #[test]
    fn recorded_bodies_have_the_types_of_the_contract() {
        let recorded = recorded();
        assert!(recorded.len() > 40, "{}", recorded.len());
        let contract = Contract::of(Edition::V2026_3);
        let mut problems = Vec::new();
        for Recorded { type_name, source, body, .. } in &recorded {
            let shape = contract.named(type_name).expect(type_name);
            let found = contract.check(shape, body, UnknownFields::Ignored).into_iter();
            let is_new = |problem: &String| !KNOWN.iter().any(|known| problem.starts_with(known));
            for problem in found.filter(is_new) {
                problems.push(format!("{type_name} of {source}: {problem}"));
            }
        }
        assert_eq!(problems, Vec::<String>::new(), "\n{}", problems.join("\n"));
    }

    #[test]
    fn recorded_bodies_do_not_have_fields_of_other_types() {
        // Every type has most of the fields of its recordings.
        let contract = Contract::of(Edition::V2026_3);
        for Recorded { type_name, body, .. } in &recorded() {
            let shape = contract.named(type_name).expect(type_name);
            let known = body.as_object().into_iter().flatten();
            let unknown: Vec<&String> =
                known.map(|(key, _)| key).filter(|key| !contract.has_field(shape, key)).collect();
            assert!(unknown.len() <= 2, "{type_name}: {unknown:?}");
        }
    }
}
