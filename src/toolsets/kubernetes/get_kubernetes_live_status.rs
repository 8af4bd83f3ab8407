//! `get_kubernetes_live_status`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    octopus::{
        Id, OctopusVersion, document,
        environments::Environment,
        kubernetes::{self, LiveResource, LiveStatus},
        machines::Machine,
        projects::Project,
        tenants::Tenant,
    },
    tool::{Context, EnvironmentArg, Error, NamesById, ProjectArg, SpaceArg, TenantArg, Tool},
};

/// Get the live Kubernetes status of a project in an environment: health and sync status in total
/// and of each object, problems first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetKubernetesLiveStatus {
    space: Option<SpaceArg>,
    project_id: ProjectArg,
    environment_id: EnvironmentArg,
    /// Tenant name, slug or ID, if deployed for tenants.
    tenant_id: Option<TenantArg>,
    /// Return only the total status.
    #[schemars(extend("default" = false))]
    summary_only: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KubernetesLiveStatus {
    project_id: String,
    project_name: String,
    environment_id: String,
    environment_name: String,
    tenant_id: Option<String>,
    tenant_name: Option<String>,
    summary_only: bool,
    /// Objects that are not healthy, not in sync or orphaned. Absent with summaryOnly.
    problems: Option<Vec<Problem>>,
    /// Absent if no object is monitored.
    live_status: Option<Status>,
    hint: Option<String>,
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Problem {
    kind: Option<String>,
    namespace: Option<String>,
    name: String,
    health_status: Option<String>,
    sync_status: Option<String>,
    /// Time since when no deployment contains the object any more.
    orphaned_at: Option<String>,
    /// State of the task that deletes the orphaned object.
    deletion_task_state: Option<String>,
    message: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Status {
    summary: Option<Summary>,
    machine_statuses: Vec<MachineStatus>,
    /// Argo CD instances. Absent if there are none.
    argo_cd_instance_statuses: Option<Vec<Value>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    status: Option<String>,
    health_status: Option<String>,
    sync_status: Option<String>,
    sync_status_message: Option<String>,
    last_updated: Option<String>,
    total_orphan_count: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MachineStatus {
    machine_id: Option<String>,
    machine_name: Option<String>,
    status: Option<String>,
    /// Objects with kind, namespace, name, healthStatus, syncStatus, and the objects they own
    /// (children).
    resources: Vec<Value>,
}

impl Tool for GetKubernetesLiveStatus {
    const NAME: &'static str = "get_kubernetes_live_status";
    const TITLE: &'static str = "Get the live status in Kubernetes";
    const TAKES_MAX_BYTES: bool = true;
    const SINCE: OctopusVersion = kubernetes::SINCE;

    type Output = KubernetesLiveStatus;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let summary_only = self.summary_only == Some(true);
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let (project, environment, tenant) = futures::try_join!(
            space.find::<Project>(&self.project_id),
            space.find::<Environment>(&self.environment_id),
            space.find_optional::<Tenant>(self.tenant_id.as_deref()),
        )?;
        let tenant_id = tenant.as_ref().map(|tenant| &tenant.id);
        let live =
            kubernetes::live_status(&space, &project.id, &environment.id, tenant_id, summary_only)
                .await?;
        let live = live.filter(|live| live.summary.is_some() || has_entries(live));
        let unmonitored = live.as_ref().is_none_or(is_unmonitored).then(|| {
            let mode = project.tenanted_deployment_mode.as_deref();
            let (project, environment) = (&project.name, &environment.name);
            let tenant = match (&tenant, mode) {
                (Some(tenant), _) => format!(" for '{}'", tenant.name),
                (None, Some("Untenanted") | None) => String::new(),
                (None, Some(_)) => " without a tenant; give tenantId".to_owned(),
            };
            format!(
                "nothing is monitored for '{project}' in '{environment}'{tenant}. Monitoring requires \
                 Kubernetes steps, a deployment there, and the Kubernetes monitor on the target"
            )
        });
        let machines = live.iter().flat_map(|live| &live.machine_statuses);
        let machines =
            NamesById::lookup::<Machine>(&space, machines.filter_map(|m| m.machine_id.as_ref()))
                .await?;
        let mut problems = Vec::new();
        for machine in live.iter().flat_map(|live| &live.machine_statuses) {
            machine.resources.iter().for_each(|resource| collect_problems(resource, &mut problems));
        }
        let unlisted =
            live.as_ref().filter(|_| problems.is_empty() && !summary_only).and_then(unlisted_hint);
        let slug = project.slug.as_deref().unwrap_or(project.id.as_str());
        Ok(KubernetesLiveStatus {
            url: space.portal().live_status(slug),
            project_id: project.id.to_string(),
            project_name: project.name,
            environment_id: environment.id.into_string(),
            environment_name: environment.name,
            tenant_id: tenant_id.map(ToString::to_string),
            tenant_name: tenant.map(|tenant| tenant.name),
            summary_only,
            problems: (!summary_only).then_some(problems),
            live_status: live.map(|live| status(live, &machines)),
            hint: unmonitored.or(unlisted),
        })
    }
}

/// Statuses that report no problem. `NotSupported` and `NotApplicable` are reported for objects
/// that are not monitored in this respect.
const GOOD_STATUSES: [&str; 6] =
    ["Healthy", "Suspended", "InSync", "Synced", "NotSupported", "NotApplicable"];
/// Statuses of a summary if nothing is monitored.
const UNMONITORED_STATUSES: [&str; 2] = ["Unavailable", "NotSupported"];

fn is_one_of(status: Option<&str>, statuses: &[&str]) -> bool {
    status.is_none_or(|status| statuses.iter().any(|one| one.eq_ignore_ascii_case(status)))
}

fn has_entries(live: &LiveStatus) -> bool {
    !live.machine_statuses.is_empty() || !live.argo_cd_instance_statuses.is_empty()
}

/// Returns whether nothing is monitored. Octopus then reports the status `Unavailable` or
/// `NotSupported`, and neither objects nor Argo CD instances.
fn is_unmonitored(live: &LiveStatus) -> bool {
    live.argo_cd_instance_statuses.is_empty()
        && live.machine_statuses.iter().all(|machine| machine.resources.is_empty())
        && live
            .summary
            .as_ref()
            .is_none_or(|summary| is_one_of(summary.status.as_deref(), &UNMONITORED_STATUSES))
}

/// Returns a hint if the summary reports a problem and no listed object has one.
fn unlisted_hint(live: &LiveStatus) -> Option<String> {
    let summary = live.summary.as_ref()?;
    let statuses = [&summary.status, &summary.health_status, &summary.sync_status];
    let mut bad: Vec<&str> = statuses.into_iter().flatten().map(String::as_str).collect();
    // A rollout in progress is no problem of an object.
    bad.retain(|status| {
        !is_one_of(Some(status), &GOOD_STATUSES) && !is_one_of(Some(status), &["Progressing"])
    });
    bad.dedup();
    let details = if live.argo_cd_instance_statuses.is_empty() {
        "the project's live status page may show its cause"
    } else {
        "its cause may be in an Argo CD application; see argoCdInstanceStatuses and Argo CD"
    };
    (!bad.is_empty()).then(|| {
        format!(
            "the summary reports {}, but Octopus lists no object with a problem; {details}",
            bad.join(", ")
        )
    })
}

/// Collects orphaned objects and objects whose status is not a known good status. Octopus can add
/// further statuses.
fn collect_problems(resource: &LiveResource, problems: &mut Vec<Problem>) {
    if !is_one_of(resource.health_status.as_deref(), &GOOD_STATUSES)
        || !is_one_of(resource.sync_status.as_deref(), &GOOD_STATUSES)
        || resource.orphaned_at.is_some()
    {
        problems.push(Problem {
            kind: resource.kind.clone(),
            namespace: resource.namespace.clone(),
            name: resource.name.clone(),
            health_status: resource.health_status.clone(),
            sync_status: resource.sync_status.clone(),
            orphaned_at: resource.orphaned_at.clone(),
            deletion_task_state: resource.deletion_task_state.clone(),
            message: resource
                .health_status_message
                .clone()
                .or_else(|| resource.sync_status_message.clone())
                .filter(|message| !message.is_empty()),
        });
    }
    resource.children.iter().for_each(|child| collect_problems(child, problems));
}

/// Octopus reports this day as the time of the last update if there was none.
const UNIX_EPOCH: &str = "1970-01-01T";

fn status(live: LiveStatus, machines: &NamesById) -> Status {
    let instances = live.argo_cd_instance_statuses;
    let instances: Vec<Value> = instances.into_iter().map(document::to_answer_form).collect();
    Status {
        argo_cd_instance_statuses: (!instances.is_empty()).then_some(instances),
        summary: live.summary.map(|summary| Summary {
            status: summary.status,
            health_status: summary.health_status,
            sync_status: summary.sync_status,
            sync_status_message: summary.sync_status_message,
            last_updated: summary.last_updated.filter(|time| !time.starts_with(UNIX_EPOCH)),
            total_orphan_count: summary.total_orphan_count,
        }),
        machine_statuses: live
            .machine_statuses
            .into_iter()
            .map(|machine| MachineStatus {
                machine_name: machine.machine_id.as_ref().and_then(|id| machines.get(id.as_str())),
                machine_id: machine.machine_id.map(Id::into_string),
                status: machine.status,
                resources: machine.resources.iter().map(object_summary).collect(),
            })
            .collect(),
    }
}

fn object_summary(resource: &LiveResource) -> Value {
    let mut object = json!({
        "kind": resource.kind,
        "namespace": resource.namespace,
        "name": resource.name,
        "group": resource.group.as_deref().filter(|group| !group.is_empty()),
        "healthStatus": resource.health_status,
        "syncStatus": resource.sync_status,
        "resourceId": resource.resource_id,
        "desiredResourceId": resource.desired_resource_id,
        "lastUpdated": resource.last_updated,
    });
    let Value::Object(fields) = &mut object else { return object };
    // The source of most objects is the target that lists them.
    let has_other_source =
        resource.source_type.as_deref().is_some_and(|it| it != "KubernetesMonitor");
    let (source_id, source_type) = if has_other_source {
        (&resource.resource_source_id, &resource.source_type)
    } else {
        (&None, &None)
    };
    for (name, value) in [
        ("resourceSourceId", source_id),
        ("sourceType", source_type),
        ("orphanedAt", &resource.orphaned_at),
        ("deletionTaskState", &resource.deletion_task_state),
    ] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    if !resource.children.is_empty() {
        let children: Value = resource.children.iter().map(object_summary).collect();
        fields.insert("children".to_owned(), children);
    }
    object
}
