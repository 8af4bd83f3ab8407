//! Values of tenant variables, and what is missing among them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::collection::Item;

/// One value a tenant has for a template of a project or of a library variable set.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::sample) struct TenantValue {
    pub(in crate::sample) id: String,
    pub(in crate::sample) tenant_id: String,
    #[serde(default)]
    pub(in crate::sample) project_id: Option<String>,
    #[serde(default)]
    pub(in crate::sample) library_variable_set_id: Option<String>,
    pub(in crate::sample) template_id: String,
    /// Values of projects are kept for each environment; common ones hold everywhere.
    #[serde(default)]
    pub(in crate::sample) environment_id: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    sensitive: bool,
}

impl TenantValue {
    /// The value as the API shows it: sensitive ones say only that they are there.
    pub(in crate::sample) fn shown(&self) -> Value {
        if self.sensitive {
            json!({ "HasValue": true, "NewValue": null, "Hint": null })
        } else {
            json!(self.value)
        }
    }
}

/// A variable that tenants have values for.
#[derive(Clone, Copy)]
pub(in crate::sample) struct Template<'a> {
    /// The project or the library variable set it belongs to.
    pub(in crate::sample) owner: &'a Item,
    pub(in crate::sample) body: &'a Value,
}

impl<'a> Template<'a> {
    pub(in crate::sample) fn text(&self, key: &str) -> &'a str {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether a tenant without a value is fine.
    pub(in crate::sample) fn has_default(&self) -> bool {
        self.body.get("DefaultValue").is_some_and(|value| !value.is_null())
    }
}

/// The templates of a project or of a library variable set.
pub(in crate::sample) fn templates_of(owner: &Item) -> impl Iterator<Item = Template<'_>> {
    owner.list("Templates").map(move |body| Template { owner, body })
}
