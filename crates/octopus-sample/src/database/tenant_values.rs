//! Values of tenant variables, and missing values.

use serde::Deserialize;
use serde_json::{Value, json};

use super::collection::Item;

/// Value of a tenant for a template of a project or library variable set.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TenantValue {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    #[serde(default)]
    pub(crate) project_id: Option<String>,
    #[serde(default)]
    pub(crate) library_variable_set_id: Option<String>,
    pub(crate) template_id: String,
    /// Environment of a project value; `None` for common values, which apply everywhere.
    #[serde(default)]
    pub(crate) environment_id: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    sensitive: bool,
}

impl TenantValue {
    /// Returns the value in the form of the API. Sensitive values show only that they exist.
    pub(crate) fn shown(&self) -> Value {
        if self.sensitive {
            json!({ "HasValue": true, "NewValue": null, "Hint": null })
        } else {
            json!(self.value)
        }
    }
}

/// A variable that tenants have values for.
#[derive(Clone, Copy)]
pub(crate) struct Template<'a> {
    /// Its project or library variable set.
    pub(crate) owner: &'a Item,
    pub(crate) body: &'a Value,
}

impl<'a> Template<'a> {
    pub(crate) fn text(&self, key: &str) -> &'a str {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns whether the variable has a default, so that tenants need no value.
    pub(crate) fn has_default(&self) -> bool {
        self.body.get("DefaultValue").is_some_and(|value| !value.is_null())
    }
}

/// Returns the templates of a project or library variable set.
pub(crate) fn templates_of(owner: &Item) -> impl Iterator<Item = Template<'_>> {
    owner.list("Templates").map(move |body| Template { owner, body })
}
