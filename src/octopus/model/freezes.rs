//! Deployment freezes: periods in which Octopus creates no deployments of some projects to some
//! environments (<https://octopus.com/docs/deployments/deployment-freezes>).
//!
//! The list is instance-wide and has its own format without `Items`.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    environments::Environment, projects::Project, resource::Id, space::Space, tenants::Tenant,
};
use crate::octopus::client::{error::Error, path::ApiPath, version::OctopusVersion};

/// The first Octopus version with deployment freezes, in early access.
pub const SINCE: OctopusVersion = OctopusVersion(2024, 2, 0);
/// Maximum number of freezes that are read.
const MAX_FREEZES: u32 = 500;

/// A deployment freeze.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Freeze {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
    pub start: Option<String>,
    pub end: Option<String>,
    /// Environment IDs by project ID.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub project_environment_scope: HashMap<String, Option<Vec<Id<Environment>>>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub tenant_project_environment_scope: Vec<TenantScope>,
    pub recurring_schedule: Option<Value>,
}

/// A tenant to which a freeze applies in one environment of a project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TenantScope {
    pub tenant_id: Option<Id<Tenant>>,
    pub project_id: Option<Id<Project>>,
    pub environment_id: Option<Id<Environment>>,
}

/// Whether a freeze applies at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreezeState {
    Active,
    /// A recurring freeze outside its first period, or a freeze with unreadable times.
    Possible,
    Inactive,
}

/// The freezes of an instance.
#[derive(Debug, Clone)]
pub struct FreezeList {
    pub freezes: Vec<Freeze>,
    /// Whether the instance has freezes that were not read: more than the maximum, or freezes in an
    /// unknown form.
    pub is_incomplete: bool,
}

/// The list as Octopus sends it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawList {
    #[serde(default, with = "As::<DefaultOnNull>")]
    deployment_freezes: Vec<Value>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    count: u64,
}

impl RawList {
    fn parse(self) -> FreezeList {
        let total = self.count.max(self.deployment_freezes.len() as u64);
        let freezes = self.deployment_freezes.into_iter().filter_map(|freeze| {
            serde_json::from_value(freeze)
                .inspect_err(|error| tracing::warn!(%error, "deployment freeze not readable"))
                .ok()
        });
        let freezes: Vec<Freeze> = freezes.collect();
        let is_incomplete = total > freezes.len() as u64;
        FreezeList { freezes, is_incomplete }
    }
}

impl Freeze {
    /// Returns whether the freeze applies at this time.
    ///
    /// `Start` and `End` are those of the first period of a recurring freeze, unless Octopus moves
    /// them to the period at the requested time. The reference does not say, so a later time is
    /// [`FreezeState::Possible`].
    pub fn state_at(&self, at: Timestamp) -> FreezeState {
        let moment = |text: &Option<String>| text.as_deref()?.parse::<Timestamp>().ok();
        let (Some(start), Some(end)) = (moment(&self.start), moment(&self.end)) else {
            return FreezeState::Possible;
        };
        if at < start {
            FreezeState::Inactive
        } else if at < end {
            FreezeState::Active
        } else if self.recurring_schedule.is_some() {
            FreezeState::Possible
        } else {
            FreezeState::Inactive
        }
    }

    /// Returns whether the freeze applies to deployments of this project to this environment and
    /// tenant. A freeze of an environment applies to all of its tenants.
    pub fn covers(
        &self,
        project: &Id<Project>,
        environment: &Id<Environment>,
        tenant: Option<&Id<Tenant>>,
    ) -> bool {
        let environments = self.project_environment_scope.get(project.as_str());
        let is_frozen = environments
            .and_then(Option::as_ref)
            .is_some_and(|ids| ids.iter().any(|id| id == environment));
        let is_frozen_for_tenant = |scope: &TenantScope| {
            tenant.is_some()
                && scope.tenant_id.as_ref() == tenant
                && scope.project_id.as_ref() == Some(project)
                && scope.environment_id.as_ref() == Some(environment)
        };
        is_frozen || self.tenant_project_environment_scope.iter().any(is_frozen_for_tenant)
    }
}

/// Reads the freezes that have not ended (`GET /api/deploymentfreezes`), at most 500. `at` selects
/// the recurring freezes of that time; without it, of the current time.
pub async fn list(space: &Space, at: Option<Timestamp>) -> Result<FreezeList, Error> {
    let path = ApiPath::new(["deploymentfreezes"])
        .query("skip", 0)
        .query("take", MAX_FREEZES)
        .query("includeComplete", false)
        .query_opt("effectiveDate", at);
    Ok(space.session().get::<RawList>(&path).await?.parse())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn freeze(more: Value) -> Freeze {
        let mut body = json!({
            "Name": "Peak", "Start": "2026-11-20T00:00:00.000+00:00",
            "End": "2026-12-02T00:00:00.000+01:00",
            "ProjectEnvironmentScope": { "Projects-1": ["Environments-3"], "Projects-2": null },
            "TenantProjectEnvironmentScope": [
                { "TenantId": "Tenants-1", "ProjectId": "Projects-2", "EnvironmentId": "Environments-3" },
                { "TenantId": null },
            ],
        });
        let Value::Object(more) = more else { panic!("not an object: {more}") };
        body.as_object_mut().unwrap().extend(more);
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn state_depends_on_period_and_recurrence() {
        let (once, yearly) =
            (freeze(json!({})), freeze(json!({ "RecurringSchedule": { "Type": "Annually" } })));
        for (at, expected, recurring) in [
            ("2026-11-19T23:59:59Z", FreezeState::Inactive, FreezeState::Inactive),
            ("2026-11-20T00:00:00Z", FreezeState::Active, FreezeState::Active),
            ("2026-12-01T22:59:59Z", FreezeState::Active, FreezeState::Active),
            ("2026-12-01T23:00:00Z", FreezeState::Inactive, FreezeState::Possible),
        ] {
            let at = at.parse().unwrap();
            assert_eq!((once.state_at(at), yearly.state_at(at)), (expected, recurring), "{at}");
        }
        for unreadable in [json!({ "End": null }), json!({ "Start": "soon" })] {
            let at = "2020-01-01T00:00:00Z".parse().unwrap();
            assert_eq!(freeze(unreadable).state_at(at), FreezeState::Possible);
        }
    }

    #[test]
    fn list_without_unreadable_freezes_is_incomplete() {
        for (body, freezes, incomplete) in [
            (json!({ "Count": 0, "DeploymentFreezes": null }), 0, false),
            (json!({ "DeploymentFreezes": [{ "Name": "A", "New": 1 }] }), 1, false),
            (json!({ "Count": 7, "DeploymentFreezes": [{ "Name": "A" }] }), 1, true),
            (json!({ "DeploymentFreezes": [{ "Name": "A" }, { "Name": 5 }, null] }), 1, true),
        ] {
            let list = serde_json::from_value::<RawList>(body.clone()).unwrap().parse();
            assert_eq!((list.freezes.len(), list.is_incomplete), (freezes, incomplete), "{body}");
        }
    }

    #[test]
    fn covers_environments_and_tenants_in_scope() {
        let freeze = freeze(json!({}));
        for (project, environment, tenant, expected) in [
            ("Projects-1", "Environments-3", None, true),
            ("Projects-1", "Environments-3", Some("Tenants-9"), true),
            ("Projects-1", "Environments-2", None, false),
            ("Projects-2", "Environments-3", None, false),
            ("Projects-2", "Environments-3", Some("Tenants-1"), true),
            ("Projects-2", "Environments-3", Some("Tenants-2"), false),
        ] {
            let tenant = tenant.map(|id| Id::parse(id).unwrap());
            let covered = freeze.covers(
                &Id::parse(project).unwrap(),
                &Id::parse(environment).unwrap(),
                tenant.as_ref(),
            );
            assert_eq!(covered, expected, "{project} {environment} {tenant:?}");
        }
    }
}
