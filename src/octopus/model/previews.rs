//! Previews: the steps and the prompted variables of a deployment or a runbook run.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
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
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Step {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub action_name: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub machine_names: Vec<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub has_no_applicable_machines: bool,
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
    #[serde(default)]
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
