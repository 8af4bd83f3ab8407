//! An interruption in the form of the answer.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{
        Id, Space, environments::Environment, interruptions::Interruption, projects::Project,
        teams, tenants::Tenant, users,
    },
    tool::{Context, Error, NamedId, NamesById, resource_uri},
};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InterruptionSummary {
    space_id: String,
    id: String,
    /// Name of the step.
    title: Option<String>,
    /// ManualIntervention, GuidedFailure, PullRequestCompletion, ArgoCDApplicationSync or
    /// KubernetesResourceVerification.
    #[serde(rename = "type")]
    kind: Option<String>,
    task_id: Option<String>,
    correlation_id: Option<String>,
    is_pending: bool,
    is_linked_to_other_interruption: Option<bool>,
    created: Option<String>,
    project: Option<NamedId>,
    environment: Option<NamedId>,
    tenant: Option<NamedId>,
    related_document_ids: Vec<String>,
    responsible: Responsible,
    /// Names of the form fields.
    form_element_names: Vec<String>,
    /// Pull requests that the task waits for, if type is PullRequestCompletion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pull_requests: Vec<PullRequestSummary>,
    resource_uri: String,
    task_resource_uri: Option<String>,
    url: Option<String>,
}

/// A pull request that must be completed before the task continues.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PullRequestSummary {
    number: Option<u64>,
    title: Option<String>,
    /// Open, Merged, Closed, Unknown or UnknownGitVendor.
    status: Option<String>,
    /// URL of the pull request.
    web_url: Option<String>,
}

/// Responsible teams and user of an interruption.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Responsible {
    /// Responsible teams. Empty means any user with the permission.
    team_ids: Vec<String>,
    team_names: Vec<String>,
    /// User who has taken the interruption.
    user_id: Option<String>,
    user_name: Option<String>,
    /// Whether the caller can take the interruption.
    can_take_responsibility: bool,
    /// Whether the caller has taken the interruption.
    has_responsibility: bool,
}

/// Creates the answer form of interruptions, with the names of related documents. Also returns the
/// reason for missing names, if any.
pub(super) async fn summaries(
    space: &Space,
    interruptions: Vec<Interruption>,
    cx: &Context,
) -> Result<(Vec<InterruptionSummary>, Option<String>), Error> {
    let projects: Vec<Id<Project>> =
        interruptions.iter().filter_map(Interruption::related).collect();
    let environments: Vec<Id<Environment>> =
        interruptions.iter().filter_map(Interruption::related).collect();
    let tenants: Vec<Id<Tenant>> = interruptions.iter().filter_map(Interruption::related).collect();
    let teams = interruptions.iter().flat_map(|found| &found.responsible_team_ids);
    let people = interruptions.iter().filter_map(|found| found.responsible_user_id.as_ref());
    let (projects, environments, tenants, teams, people) = futures::try_join!(
        NamesById::lookup(space, &projects),
        NamesById::lookup(space, &environments),
        NamesById::lookup(space, &tenants),
        teams::names(space, teams),
        users::by_ids(space.session(), people),
    )?;
    let tasks_are_on = cx.access.is_enabled("tasks");
    let summary = |found: Interruption| InterruptionSummary {
        space_id: space.id().to_string(),
        project: found.related::<Project>().map(|id| projects.named_id(&id)),
        environment: found.related::<Environment>().map(|id| environments.named_id(&id)),
        tenant: found.related::<Tenant>().map(|id| tenants.named_id(&id)),
        resource_uri: resource_uri(["spaces", space.name(), "interruptions", found.id.as_str()]),
        task_resource_uri: found
            .task_id
            .as_ref()
            .filter(|_| tasks_are_on)
            .map(|task| resource_uri(["spaces", space.name(), "tasks", task.as_str()])),
        url: found.task_id.as_ref().map(|task| space.portal().task(task)),
        id: found.id.into_string(),
        title: found.title,
        kind: found.kind,
        task_id: found.task_id.map(Id::into_string),
        correlation_id: found.correlation_id,
        is_pending: found.is_pending,
        is_linked_to_other_interruption: found.is_linked_to_other_interruption,
        created: found.created,
        related_document_ids: found.related_document_ids,
        responsible: Responsible {
            team_names: found
                .responsible_team_ids
                .iter()
                .map(|id| teams.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string()))
                .collect(),
            team_ids: found.responsible_team_ids.into_iter().map(Id::into_string).collect(),
            user_name: found
                .responsible_user_id
                .as_ref()
                .and_then(|id| people.documents.get(id.as_str()))
                .map(|user| user.display_label().to_owned()),
            user_id: found.responsible_user_id.map(Id::into_string),
            can_take_responsibility: found.can_take_responsibility,
            has_responsibility: found.has_responsibility,
        },
        form_element_names: found.form.elements.into_iter().map(|element| element.name).collect(),
        pull_requests: found
            .pull_requests
            .into_iter()
            .map(|request| PullRequestSummary {
                number: request.number,
                title: request.title,
                status: request.status,
                web_url: request.url,
            })
            .collect(),
    };
    let incomplete = people.incomplete("responsible.userName");
    Ok((interruptions.into_iter().map(summary).collect(), incomplete))
}
