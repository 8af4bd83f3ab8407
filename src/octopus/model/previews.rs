//! Previews: the steps and the prompted variables of a deployment or a runbook run.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::{Deserialize, de::IgnoredAny};
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment,
    releases::Release,
    resource::{Id, Resource},
    space::Space,
    tenants::Tenant,
};
use crate::octopus::client::error::Error;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Preview {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub steps_to_execute: Vec<Step>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub form: Form,
    /// Releases since the last deployment to the target, newest first; deployments only.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub changes: Vec<ReleaseChanges>,
    /// The changes as text, in the format that the project selects.
    pub changes_markdown: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Step {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub action_name: String,
    /// `false` for required steps. Absent in old versions, in which every step can be skipped.
    pub can_be_skipped: Option<bool>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub machine_names: Vec<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub machines: Vec<StepMachine>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub unavailable_machines: Vec<StepMachine>,
    /// `true` if the step runs on deployment targets and the environment has none for it.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub has_no_applicable_machines: bool,
}

/// A deployment target of a step.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StepMachine {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
}

/// Changes of one release.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReleaseChanges {
    pub version: Option<String>,
    pub release_notes: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub commits: Vec<IgnoredAny>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub work_items: Vec<WorkItem>,
}

/// A work item of an issue tracker.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WorkItem {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub id: String,
    pub description: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Form {
    /// Default values of the form by the names of its elements.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub values: serde_json::Map<String, serde_json::Value>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub elements: Vec<Element>,
}

/// An element of a form; prompted variables have an ID as `name`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Element {
    /// Name of the element. For a prompted variable, the ID of the variable.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub control: Control,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_value_required: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Control {
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub name: Option<String>,
    pub label: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_secure: bool,
    /// An object with texts.
    #[serde(default)]
    pub display_settings: serde_json::Value,
}

/// Kind of the values of a prompted variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlKind {
    Text,
    /// `True` or `False`.
    Checkbox,
    /// One of these options: value and label.
    Select(Vec<(String, String)>),
}

impl Control {
    /// Returns the kind of the values, from `Octopus.ControlType` and `Octopus.SelectOptions`. Each
    /// line of the options is a value, or a value and its label separated by `|`.
    pub fn value_kind(&self) -> ControlKind {
        let setting = |name: &str| {
            let mut settings = self.display_settings.as_object()?.iter();
            let (_, value) = settings.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            value.as_str()
        };
        match setting("Octopus.ControlType") {
            Some("Checkbox") => ControlKind::Checkbox,
            Some("Select") => {
                let lines = setting("Octopus.SelectOptions").unwrap_or_default().lines();
                let options = lines.map(str::trim).filter(|line| !line.is_empty()).map(|line| {
                    let (value, label) = line.split_once('|').unwrap_or((line, line));
                    (value.trim().to_owned(), label.trim().to_owned())
                });
                let options: Vec<_> = options.collect();
                // Options in an unknown form are not checked.
                if options.is_empty() { ControlKind::Text } else { ControlKind::Select(options) }
            }
            _ => ControlKind::Text,
        }
    }
}

/// Reads the preview of a deployment (`GET /releases/{id}/deployments/preview/...`).
pub async fn for_deployment(
    space: &Space,
    release: &Id<Release>,
    environment: &Id<Environment>,
    tenant: Option<&Id<Tenant>>,
) -> Result<Preview, Error> {
    let mut path = space.path([Release::COLLECTION, release.as_str(), "deployments", "preview"]);
    path = path.join([environment.as_str()]);
    if let Some(tenant) = tenant {
        path = path.join([tenant.as_str()]);
    }
    match space.session().get(&path).await {
        // Octopus does not name the missing resource.
        Err(Error::NotFound { .. }) => Err(Error::NotFound {
            noun: "deployment preview",
            query: match tenant {
                Some(tenant) => format!("{release} to {environment} for {tenant}"),
                None => format!("{release} to {environment}"),
            },
            location: Some(space.name().to_owned()),
            suggestions: Vec::new(),
        }),
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn value_kind_follows_the_display_settings() {
        let select = |options: &[(&str, &str)]| {
            let owned = options.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            ControlKind::Select(owned.collect())
        };
        for (settings, expected) in [
            (json!(null), ControlKind::Text),
            (json!({ "Octopus.ControlType": "SingleLineText" }), ControlKind::Text),
            (json!({ "Octopus.ControlType": "New" }), ControlKind::Text),
            (json!({ "Octopus.ControlType": "Checkbox" }), ControlKind::Checkbox),
            (
                json!({ "Octopus.ControlType": "Select", "Octopus.SelectOptions": "a|A\r\nb\n\n" }),
                select(&[("a", "A"), ("b", "b")]),
            ),
            (
                json!({ "octopus.ControlType": "Select", "octopus.SelectOptions": "a" }),
                select(&[("a", "a")]),
            ),
            (
                json!({ "Octopus.ControlType": "Select", "Octopus.SelectOptions": [] }),
                ControlKind::Text,
            ),
        ] {
            let body = json!({ "Type": "VariableValue", "DisplaySettings": settings });
            let control: Control = serde_json::from_value(body).unwrap();
            assert_eq!(control.value_kind(), expected, "{settings}");
        }
    }
}
