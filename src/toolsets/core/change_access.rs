//! Determines the resources that an `execute` change accesses, from its path, query and body.

use serde_json::Value;

use super::{
    request_names::{KINDS, is_unresolved, look_up, names_in_body, names_in_path, task_arguments},
    unread_fields,
};
use crate::{
    access::{ExecutePath, HttpMethod},
    octopus::{self, AccessSet, Id, NameDetail, ResourceKind, Space, projects::Project, releases},
    policy::{Moment, PolicyAction},
    tool::{Context, Error},
    toolsets::executions::AutomaticDeployments,
};

/// The action, access set and start time of a change.
pub(super) struct ChangeAccess {
    /// The action.
    pub(super) action: PolicyAction,
    /// The accessed documents. Kinds that cannot be determined are marked as unknown.
    pub(super) access: AccessSet,
    /// Start time, if the change does not start immediately.
    pub(super) starts: Option<Moment>,
}

/// Determines the resources that a change accesses.
///
/// # Errors
///
/// [`Error::Argument`] if path and body name different spaces, and failures of Octopus.
pub(super) async fn access_of(
    path: &ExecutePath,
    method: HttpMethod,
    query: &[(String, String)],
    body: Option<&Value>,
    cx: &Context,
) -> Result<ChangeAccess, Error> {
    let below: Vec<&str> = path.below_space().map(|(word, _)| word).collect();
    let first = below.first().copied().unwrap_or_default();
    let mut action = match method {
        HttpMethod::Get => PolicyAction::Read,
        HttpMethod::Delete => PolicyAction::Delete,
        _ if first == "releases" => PolicyAction::Release,
        _ => PolicyAction::Run,
    };
    let starts = start_time(first, method, body);
    if cx.policy.is_empty() {
        let access_set =
            AccessSet::default().with_incomplete(KINDS).with_incomplete([ResourceKind::Space]);
        return Ok(ChangeAccess { action, access: access_set, starts });
    }
    let mut access_set = AccessSet::default();
    path.below_space().for_each(|(_, segment)| access_set.add_id(segment));
    let space = enter_space(path, body, cx, &mut access_set).await?;
    look_up(space.as_ref(), names_in_path(path), &mut access_set).await?;
    octopus::resolve_owners(&cx.session, &mut access_set).await?;
    // If the path names a document, Octopus may ignore environments and tenants in the body.
    let creates =
        method == HttpMethod::Post && (below.len() == 1 || below.get(1) == Some(&"create"));
    let by_path = known_kinds(first, &access_set);
    let named = names_in_body(body, &mut access_set);
    unread_fields::add_body(body, &mut access_set);
    let parameters = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    unread_fields::add_query(parameters, &mut access_set);
    look_up(space.as_ref(), named, &mut access_set).await?;
    octopus::resolve_owners(&cx.session, &mut access_set).await?;
    octopus::resolve_names(&cx.session, &mut access_set, NameDetail::Names).await?;
    let certain = if creates && CREATED_COLLECTIONS.contains(&first) {
        known_kinds(first, &access_set)
    } else {
        by_path
    };
    let uncertain = KINDS.into_iter().filter(|kind| !certain.contains(kind));
    let unknown_space =
        access_set.resources(ResourceKind::Space).is_empty().then_some(ResourceKind::Space);
    access_set = access_set.with_incomplete(uncertain).with_incomplete(unknown_space);
    if creates && first == "releases" {
        (action, access_set) = add_automatic_deployments(space.as_ref(), access_set).await?;
    }
    Ok(ChangeAccess { action, access: access_set, starts })
}

/// Applies read rules to the documents that the response of a change shows.
///
/// The response of a change contains the changed document. Previews and validations may return
/// documents of any space, project, environment or tenant, so unknown kinds stay unknown for them.
///
/// # Errors
///
/// [`Error::Denied`] if a rule denies the read.
pub(super) async fn check_read_rules(
    path: &ExecutePath,
    access_set: &AccessSet,
    cx: &Context,
) -> Result<(), Error> {
    if !cx.policy.has_read_rules() {
        return Ok(());
    }
    let mut read_access = access_set.clone();
    if !["previews", "preview", "validate"].iter().any(|word| path.ends_with(word)) {
        for kind in KINDS.into_iter().chain([ResourceKind::Space]) {
            read_access = read_access.with_complete(kind);
        }
    }
    let reason = "the response may show any document; read it with a tool or a GET".to_owned();
    cx.check_access_set(&mut read_access, &[reason]).await
}

/// Adds the automatic deployments of a new release. The body may name any channel, so all channels
/// of the project are considered.
async fn add_automatic_deployments(
    space: Option<&Space>,
    access_set: AccessSet,
) -> Result<(PolicyAction, AccessSet), Error> {
    let unknown =
        |access_set: AccessSet| Ok((PolicyAction::Run, access_set.with_incomplete(KINDS)));
    let ([project], Some(space)) = (access_set.resources(ResourceKind::Project), space) else {
        return unknown(access_set);
    };
    let Ok(id) = Id::<Project>::parse(&project.id) else { return unknown(access_set) };
    let read = async {
        let project = space.get::<Project>(&id).await?;
        let channels = releases::list_channels(space, &id).await?;
        AutomaticDeployments::read(space, &project, &channels).await
    };
    match read.await {
        Ok(automatic) => Ok((automatic.action(), automatic.add_access(access_set))),
        Err(error) if is_unresolved(&error) => unknown(access_set),
        Err(error) => Err(error.into()),
    }
}

/// Returns the start time of the created execution, from the body. The start time of a trigger is
/// unknown.
fn start_time(collection: &str, method: HttpMethod, body: Option<&Value>) -> Option<Moment> {
    if collection.contains("trigger") && method != HttpMethod::Delete {
        return Some(Moment::Unknown);
    }
    let Some(Value::Object(body)) = body else { return None };
    let times = body.iter().chain(task_arguments(body));
    let is_begin = |key: &str| ["queuetime", "runat"].contains(&key.to_lowercase().as_str());
    let mut times = times.filter(|(key, value)| is_begin(key) && !value.is_null());
    let (_, first) = times.next()?;
    // With two times or an invalid one, the start time is unknown.
    let read = first.as_str().and_then(|text| text.trim().parse().ok());
    Some(read.filter(|_| times.next().is_none()).map_or(Moment::Unknown, Moment::At))
}

/// Collections whose new documents name their targets in the body.
const CREATED_COLLECTIONS: [&str; 3] = ["releases", "deployments", "runbookruns"];

/// Returns the kinds whose documents are completely known for a request to a collection.
///
/// For an execution, these are projects and environments. For a release, these are projects. For
/// other documents, this is their own kind.
fn known_kinds(collection: &str, access_set: &AccessSet) -> Vec<ResourceKind> {
    let has = |kind: &ResourceKind| !access_set.resources(*kind).is_empty();
    let all_if =
        |needed: &[ResourceKind]| if needed.iter().all(has) { KINDS.to_vec() } else { Vec::new() };
    let only = |kind: ResourceKind| if has(&kind) { vec![kind] } else { Vec::new() };
    match collection {
        "releases" => all_if(&[ResourceKind::Project]),
        "deployments" | "runbookruns" | "tasks" | "interruptions" => {
            all_if(&[ResourceKind::Project, ResourceKind::Environment])
        }
        "projects" => only(ResourceKind::Project),
        "environments" | "machines" => only(ResourceKind::Environment),
        "tenants" => only(ResourceKind::Tenant),
        _ => Vec::new(),
    }
}

/// Enters the space that the path or, without one, the body names, and adds it to `access_set`.
///
/// If only the body names a space, Octopus may ignore it, so the space is marked as unknown as
/// well.
///
/// # Errors
///
/// Returns [`Error::Argument`] if the body names another space than the path, because the space
/// that Octopus uses is unknown.
async fn enter_space(
    path: &ExecutePath,
    body: Option<&Value>,
    cx: &Context,
    access_set: &mut AccessSet,
) -> Result<Option<Space>, Error> {
    let in_body = body.map(unread_fields::named_spaces).unwrap_or_default();
    let Some(name_or_id) = path.space().or(in_body.first().copied()) else { return Ok(None) };
    match cx.session.without_recording().space(name_or_id).await {
        Ok(space) => {
            let mut space_access = AccessSet::default();
            space.record_access(&mut space_access);
            let is_other = |other: &&str| !unread_fields::is_space_of_change(other, &space_access);
            if let Some(other) = in_body.into_iter().find(is_other) {
                return Err(Error::Argument {
                    field: "body".to_owned(),
                    reason: format!(
                        "the body names space \"{other}\", but the change is made in {} ({}); name \
                         the same space in path and body",
                        space.name(),
                        space.id()
                    ),
                });
            }
            access_set.merge(space_access);
            let unknown = path.space().is_none().then_some(ResourceKind::Space);
            *access_set = std::mem::take(access_set).with_incomplete(unknown);
            Ok(Some(space))
        }
        Err(error) if is_unresolved(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
