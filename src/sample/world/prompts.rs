//! Prompted variables: what a deployment or a runbook run asks for.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::World;

/// A prompted variable.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct Prompt {
    /// The ID of the project or of the runbook that asks; the slug of one in Git.
    owner_id: String,
    pub(in crate::sample) id: String,
    pub(in crate::sample) name: String,
    pub(in crate::sample) label: String,
    description: Option<String>,
    pub(in crate::sample) is_required: bool,
    pub(in crate::sample) is_sensitive: bool,
    pub(in crate::sample) default_value: Option<String>,
    control_type: String,
    /// Where it is asked for; empty for everywhere.
    environments: Vec<String>,
}

impl World {
    /// What is asked for in an environment; in any where none is named.
    pub(in crate::sample) fn prompts_of<'a>(
        &'a self,
        owner_id: &'a str,
        environment_id: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Prompt> {
        self.prompts.iter().filter(move |prompt| {
            let is_asked = |id| {
                prompt.environments.is_empty()
                    || prompt.environments.iter().any(|other| other == id)
            };
            prompt.owner_id == owner_id && environment_id.is_none_or(is_asked)
        })
    }
}

/// The form that asks for these variables.
pub(in crate::sample) fn form<'a>(prompts: impl Iterator<Item = &'a Prompt>) -> Value {
    let mut values = Map::new();
    let mut elements = Vec::new();
    for prompt in prompts {
        let value = if prompt.is_sensitive {
            json!({ "HasValue": prompt.default_value.is_some(), "NewValue": null })
        } else {
            json!(prompt.default_value.as_deref().unwrap_or_default())
        };
        values.insert(prompt.id.clone(), value);
        elements.push(json!({
            "Name": prompt.id,
            "Control": {
                "Type": "VariableValue", "Name": prompt.name, "Label": prompt.label,
                "Description": prompt.description, "IsSecure": prompt.is_sensitive,
                "DisplaySettings": { "Octopus.ControlType": prompt.control_type },
            },
            "IsValueRequired": prompt.is_required,
        }));
    }
    json!({ "Values": values, "Elements": elements })
}
