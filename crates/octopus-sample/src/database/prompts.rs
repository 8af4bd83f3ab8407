//! Prompted variables of deployments and runbook runs.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Database;

/// A prompted variable.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Prompt {
    /// ID of the project or runbook; slug of a runbook in Git.
    owner_id: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) label: String,
    description: Option<String>,
    pub(crate) is_required: bool,
    pub(crate) is_sensitive: bool,
    pub(crate) default_value: Option<String>,
    control_type: String,
    /// Options of a `Select`, one per line: value, `|`, label.
    #[serde(default)]
    select_options: Option<String>,
    /// Environments that it applies to; empty for all.
    environments: Vec<String>,
    /// Tenants that it applies to; empty for all.
    #[serde(default)]
    tenants: Vec<String>,
    /// Whether only the draft of a runbook has it, and no snapshot.
    #[serde(default)]
    is_draft: bool,
}

/// The target and version for which variables are prompted. `None` stands for all.
#[derive(Clone, Copy, Default)]
pub(crate) struct PromptScope<'a> {
    pub(crate) environment_id: Option<&'a str>,
    /// The tenant; for an environment, `None` is an execution without a tenant.
    pub(crate) tenant_id: Option<&'a str>,
    /// Whether the execution runs a snapshot, which lacks the prompts of the draft.
    pub(crate) is_snapshot: bool,
}

impl Prompt {
    fn display_settings(&self) -> Value {
        let mut settings = json!({ "Octopus.ControlType": self.control_type });
        if let Some((settings, options)) =
            settings.as_object_mut().zip(self.select_options.as_ref())
        {
            settings.insert("Octopus.SelectOptions".to_owned(), json!(options));
        }
        settings
    }

    /// Returns whether the control accepts a value.
    pub(crate) fn accepts(&self, value: &str) -> bool {
        match self.control_type.as_str() {
            "Checkbox" => ["True", "False"].contains(&value),
            "Select" => {
                let options = self.select_options.as_deref().unwrap_or_default().lines();
                let values =
                    options.map(|option| option.split_once('|').map_or(option, |(v, _)| v));
                values.into_iter().any(|option| option == value)
            }
            _ => true,
        }
    }

    /// Returns the variable in the form of a variable set.
    pub(super) fn variable(&self) -> Value {
        let mut scope = json!({ "ProcessOwner": [self.owner_id] });
        if let Some(scope) = scope.as_object_mut().filter(|_| !self.environments.is_empty()) {
            scope.insert("Environment".to_owned(), json!(self.environments));
        }
        if let Some(scope) = scope.as_object_mut().filter(|_| !self.tenants.is_empty()) {
            scope.insert("Tenant".to_owned(), json!(self.tenants));
        }
        let value = self.default_value.as_deref().unwrap_or_default();
        json!({
            "Id": self.id, "Name": self.name,
            "Value": if self.is_sensitive { Value::Null } else { json!(value) },
            "Description": null, "Scope": scope, "IsEditable": true,
            "Prompt": {
                "Label": self.label, "Description": self.description, "Required": self.is_required,
                "DisplaySettings": self.display_settings(),
            },
            "Type": if self.is_sensitive { "Sensitive" } else { "String" },
            "IsSensitive": self.is_sensitive,
        })
    }
}

impl Database {
    /// Returns the prompted variables of a project or runbook in a scope.
    pub(crate) fn prompts_of<'a>(
        &'a self,
        owner_id: &'a str,
        scope: PromptScope<'a>,
    ) -> impl Iterator<Item = &'a Prompt> {
        self.prompts.iter().filter(move |prompt| {
            let is_in = |ids: &[String], id: Option<&str>| {
                ids.is_empty() || id.is_some_and(|id| ids.iter().any(|other| other == id))
            };
            prompt.owner_id == owner_id
                && !(scope.is_snapshot && prompt.is_draft)
                && scope.environment_id.is_none_or(|id| {
                    is_in(&prompt.environments, Some(id)) && is_in(&prompt.tenants, scope.tenant_id)
                })
        })
    }
}

/// Returns the form for these variables.
pub(crate) fn form<'a>(prompts: impl Iterator<Item = &'a Prompt>) -> Value {
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
                "DisplaySettings": prompt.display_settings(),
            },
            "IsValueRequired": prompt.is_required,
        }));
    }
    json!({ "Values": values, "Elements": elements })
}
