//! Deployment freezes.

use super::collection::Collection;
use super::configuration::collection;
use super::fixtures;
use super::{Database, Item};
use crate::clock;

pub(super) fn freezes() -> Collection {
    collection(fixtures::DEPLOYMENT_FREEZES, |_, _, _| serde_json::Value::Null)
}

impl Database {
    /// Returns the freezes of a project in an environment at a time: those of the environment, and
    /// those of the tenant.
    pub(crate) fn freezes_of<'a>(
        &'a self,
        project_id: &'a str,
        environment_id: &'a str,
        tenant_id: Option<&'a str>,
        at: i64,
    ) -> impl Iterator<Item = &'a Item> {
        let moment = |freeze: &Item, key: &str| clock::parse(freeze.text(key));
        self.deployment_freezes.iter().filter(move |freeze| {
            let scope = freeze.body.get("ProjectEnvironmentScope");
            let environments = scope.and_then(|scope| scope.get(project_id)?.as_array());
            let is_frozen =
                environments.is_some_and(|ids| ids.iter().any(|id| id == environment_id));
            let is_tenant_frozen = tenant_id.is_some_and(|tenant_id| {
                freeze.list("TenantProjectEnvironmentScope").any(|scope| {
                    let is = |key: &str, id: &str| scope.get(key).is_some_and(|own| own == id);
                    is("TenantId", tenant_id)
                        && is("ProjectId", project_id)
                        && is("EnvironmentId", environment_id)
                })
            });
            (is_frozen || is_tenant_frozen)
                && moment(freeze, "Start").is_none_or(|start| start <= at)
                && moment(freeze, "End").is_none_or(|end| at < end)
        })
    }
}
