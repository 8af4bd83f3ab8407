//! Decides whether an answer shows a resource that a rule denies.
//!
//! The oracle does not use the meaning of keys. It searches all values for IDs: the ID of the
//! denied resource, and the IDs of the documents of the sample instance that belong to it.
//! [`IGNORED_KEYS`] lists the exceptions.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    denied::DeniedResource,
    instance::{SampleReader, SampleResponse},
};

/// The keys below which an ID is a choice or a reference that rules ignore, with the reason.
const IGNORED_KEYS: [&str; 2] = [
    // `execute` removes them from every answer.
    "Links",
    // The choices for the scope of a variable: every environment, tenant and target of the space.
    "ScopeValues",
];

/// The collections that belong to a project or space, besides [`RELATED_COLLECTIONS`]. A runbook
/// that may run in an environment names that environment, but its runs in other environments do not
/// belong to it.
const PROJECT_COLLECTIONS: [&str; 4] = ["channels", "releases", "runbooks", "runbookSnapshots"];

/// The collections whose documents belong to a denied resource if they name it, or name another
/// document that does. The order matters: documents come after those that they name.
const RELATED_COLLECTIONS: [&str; 6] =
    ["machines", "deployments", "runbookRuns", "tasks", "interruptions", "artifacts"];

/// The other collections that belong to a space.
const SPACE_COLLECTIONS: [&str; 3] = ["projects", "environments", "tenants"];

/// The IDs of a denied resource and of the documents that belong to it.
pub struct Oracle {
    denied: DeniedResource,
    /// The IDs in lower case.
    lower_case_ids: HashSet<String>,
}

impl Oracle {
    /// Collects the documents of the sample instance that belong to a denied resource.
    pub async fn of(instance: &SampleReader, denied: DeniedResource) -> Self {
        let mut oracle =
            Self { denied, lower_case_ids: HashSet::from([denied.id.to_ascii_lowercase()]) };
        let of_a_space = SPACE_COLLECTIONS.iter().filter(|_| denied.is_space());
        let is_whole = denied.is_space() || denied.noun() == "Project";
        let of_a_project = PROJECT_COLLECTIONS.iter().filter(|_| is_whole);
        let collections = of_a_space.chain(of_a_project).chain(&RELATED_COLLECTIONS);
        for collection in collections {
            for document in instance.list(denied.space.0, collection).await {
                if oracle.first_id_in(&document).is_some() || oracle.is_affected_by(&document) {
                    oracle
                        .lower_case_ids
                        .insert(document["Id"].as_str().unwrap().to_ascii_lowercase());
                }
            }
        }
        oracle
    }

    /// Returns whether the document with this ID is the denied resource or belongs to it.
    pub fn contains(&self, id: &str) -> bool {
        self.lower_case_ids.contains(&id.to_ascii_lowercase())
    }

    /// Returns whether a task works on everything of a kind because its arguments name no target. A
    /// health check then covers the machines of all environments and tenants, and retention the
    /// releases and deployments of all projects.
    fn is_affected_by(&self, document: &Value) -> bool {
        let arguments = &document["Arguments"];
        let names = |key: &str| match &arguments[key] {
            Value::Array(ids) => !ids.is_empty(),
            id => id.is_string(),
        };
        match document["Name"].as_str() {
            Some("Health") if arguments.is_object() => {
                self.denied.noun() != "Project" && !names("EnvironmentId") && !names("MachineIds")
            }
            Some("Retention") => arguments.is_object(),
            _ => false,
        }
    }

    /// Returns the location of the denied resource in an answer to this request; `None` if the
    /// answer does not contain it. Every answer leaks if the path contains one of the IDs.
    pub fn find_leak(&self, url: &str, answer: &SampleResponse) -> Option<String> {
        let path = url.split('?').next().unwrap_or(url);
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().to_lowercase();
        let called = [self.denied.slug, &self.denied.name.to_lowercase()];
        if path.split('/').any(|segment| called.contains(&segment)) {
            return Some("path".to_owned());
        }
        if let Some(id) = self.id_in(&path) {
            return Some(format!("path: {id}"));
        }
        match answer {
            SampleResponse::Json(value) => self.first_id_in(value),
            SampleResponse::Text(text) => {
                let named = text.to_lowercase().contains(&self.denied.name.to_lowercase());
                named.then(|| "text: name".to_owned()).or_else(|| self.id_in(text))
            }
        }
    }

    /// Returns the path of keys to the first of the IDs in a value.
    pub fn first_id_in(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => self.id_in(text),
            Value::Array(items) => {
                items.iter().find_map(|item| Some(format!("[]/{}", self.first_id_in(item)?)))
            }
            Value::Object(fields) => fields.iter().find_map(|(key, value)| {
                if IGNORED_KEYS.contains(&key.as_str()) {
                    return None;
                }
                let below = || Some(format!("{key}/{}", self.first_id_in(value)?));
                self.id_in(key).or_else(below)
            }),
            _ => None,
        }
    }

    /// Returns the first of the IDs in a text.
    fn id_in(&self, text: &str) -> Option<String> {
        ids(text).find(|id| self.lower_case_ids.contains(id))
    }
}

/// The IDs in a text, in lower case: letters, a dash and a number that ends there.
fn ids(text: &str) -> impl Iterator<Item = String> {
    let letters = |text: &str| text.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
    text.match_indices('-').filter_map(move |(dash, _)| {
        let (before, after) = (&text[..dash], &text[dash + 1..]);
        let word = &before[before.len() - letters(before)..];
        let number = after.bytes().take_while(u8::is_ascii_digit).count();
        let ends = !after[number..].starts_with(|next: char| next.is_alphanumeric());
        let is_id = !word.is_empty() && number > 0 && ends;
        is_id.then(|| format!("{word}-{}", &after[..number]).to_ascii_lowercase())
    })
}

#[test]
fn finds_ids_in_longer_texts() {
    for (text, expected) in [
        ("Projects-1", vec!["projects-1"]),
        ("variableset-Projects-1-s-12-AB3", vec!["projects-1", "s-12"]),
        ("/api/Spaces-1/projects/Projects-10/logo", vec!["spaces-1", "projects-10"]),
        ("of Tenants-2, Tenants-3.", vec!["tenants-2", "tenants-3"]),
        ("Projects-1a -3 2026-11-02", vec![]),
    ] {
        assert_eq!(ids(text).collect::<Vec<_>>(), expected, "{text}");
    }
}
