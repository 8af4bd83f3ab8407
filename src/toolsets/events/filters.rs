//! Filters of a search of the audit log.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::find_events::FindEvents;
use crate::{
    octopus::{
        self, ApiPath, ResourceKind, Space,
        environments::Environment,
        events::{self, EventTerm, EventTermKind},
        project_groups::ProjectGroup,
        projects::Project,
        tenants::Tenant,
        users,
    },
    text::nearest::nearest,
    tool::{Error, StringList, find_ids, parse_document_id, present_arguments},
    toolsets::attribution::is_known_id,
};

/// Returns the names of the filters that a call uses.
pub(super) fn given_filters(call: &FindEvents) -> Vec<&'static str> {
    present_arguments(&[
        ("regarding", call.regarding.is_some()),
        ("regardingAny", call.regarding_any.is_some()),
        ("users", call.users.is_some()),
        ("projects", call.projects.is_some()),
        ("projectGroups", call.project_groups.is_some()),
        ("environments", call.environments.is_some()),
        ("tenants", call.tenants.is_some()),
        ("tags", call.tags.is_some()),
        ("eventCategories", call.event_categories.is_some()),
        ("eventGroups", call.event_groups.is_some()),
        ("eventAgents", call.event_agents.is_some()),
        ("documentTypes", call.document_types.is_some()),
        ("from", call.from.is_some()),
        ("to", call.to.is_some()),
        ("includeInternalEvents", call.include_internal_events.is_some()),
    ])
}

/// The time range of a search.
pub(super) struct TimeRange {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// Parses `from` and `to`.
///
/// # Errors
///
/// [`Error`] for an invalid time, or if `from` is not before `to`.
pub(super) fn parse_time_range(from: Option<&str>, to: Option<&str>) -> Result<TimeRange, Error> {
    let period = TimeRange {
        from: from.map(|text| parse_time("from", text)).transpose()?,
        to: to.map(|text| parse_time("to", text)).transpose()?,
    };
    match (period.from, period.to) {
        (Some(from), Some(to)) if from >= to => {
            Err(Error::Invalid(format!("`from` must be before `to`: {from} is not before {to}")))
        }
        _ => Ok(period),
    }
}

fn parse_time(field: &str, text: &str) -> Result<Timestamp, Error> {
    text.trim().parse().map_err(|_| {
        let shown: String = text.chars().take(80).collect();
        Error::Argument {
            field: field.to_owned(),
            reason: format!(
                "'{shown}' is not a time with zone; expected e.g. 2026-08-04T09:00:00Z or \
                 2026-08-04T09:00:00+10:00"
            ),
        }
    })
}

/// Adds the filters of a call to the path of the search. Names are resolved to IDs.
pub(super) async fn apply(
    call: FindEvents,
    space: &Space,
    path: ApiPath,
    period: TimeRange,
) -> Result<ApiPath, Error> {
    let regarding = document_ids("regarding", call.regarding)?;
    let regarding_any = document_ids("regardingAny", call.regarding_any)?;
    // Policy rules about reads apply to the documents that the events concern.
    space.session().access_recorder().record(|noted| {
        for id in regarding.iter().chain(&regarding_any) {
            noted.add_id(id);
            if !is_known_id(id) {
                noted.add_unidentified(
                    [ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant],
                    format!("the owner of '{id}' is unknown"),
                );
            }
        }
        if call.project_groups.is_some() && call.projects.is_none() {
            noted.add_unidentified(
                [ResourceKind::Project],
                "a project group can contain any project; give `projects` as well",
            );
        }
    });
    let (projects, groups, environments, tenants) = futures::try_join!(
        find_ids::<Project>(space, call.projects),
        find_ids::<ProjectGroup>(space, call.project_groups),
        find_ids::<Environment>(space, call.environments),
        find_ids::<Tenant>(space, call.tenants),
    )?;
    let (users, categories, event_groups, agents, types) = futures::try_join!(
        user_ids(space, call.users),
        vocabulary_ids(space, "eventCategories", EventTermKind::Categories, call.event_categories),
        vocabulary_ids(space, "eventGroups", EventTermKind::Groups, call.event_groups),
        vocabulary_ids(space, "eventAgents", EventTermKind::Agents, call.event_agents),
        vocabulary_ids(space, "documentTypes", EventTermKind::DocumentTypes, call.document_types),
    )?;
    let internal_parameters = match call.include_internal_events {
        Some(_) => events::internal_events_parameters(space.session().version().await.ok()),
        None => &[],
    };
    let path = internal_parameters
        .iter()
        .fold(path, |path, name| path.query_opt(name, call.include_internal_events));
    Ok(path
        .query_list("regarding", &regarding)
        .query_list("regardingAny", &regarding_any)
        .query_list("users", &users)
        .query_list("projects", &projects)
        .query_list("projectGroups", &groups)
        .query_list("environments", &environments)
        .query_list("tenants", &tenants)
        .query_list("tags", &call.tags.unwrap_or_default().0)
        .query_list("eventCategories", &categories)
        .query_list("eventGroups", &event_groups)
        .query_list("eventAgents", &agents)
        .query_list("documentTypes", &types)
        .query_opt("from", period.from)
        .query_opt("to", period.to))
}

fn document_ids(field: &str, requested: Option<StringList>) -> Result<Vec<String>, Error> {
    requested.unwrap_or_default().0.iter().map(|id| parse_document_id(field, id)).collect()
}

/// Maximum number of concurrent user lookups.
const CONCURRENT_LOOKUPS: usize = 4;

async fn user_ids(space: &Space, requested: Option<StringList>) -> Result<Vec<String>, Error> {
    let StringList(requested) = requested.unwrap_or_default();
    let found = requested.iter().map(|requested| users::find_id(space.session(), requested));
    let found = stream::iter(found.collect::<Vec<_>>())
        .buffered(CONCURRENT_LOOKUPS)
        .try_collect::<Vec<_>>();
    found.await.map_err(|error| match error {
        octopus::Error::Forbidden { message } => Error::Argument {
            field: "users".to_owned(),
            reason: format!(
                "this user may not look up users by name ({message}); give IDs such as Users-123, \
                 e.g. the userId of an event"
            ),
        },
        error => error.into(),
    })
}

/// Returns the IDs of vocabulary entries. Rejects unknown values, because Octopus may ignore a
/// filter with an unknown value.
async fn vocabulary_ids(
    space: &Space,
    field: &str,
    vocabulary: EventTermKind,
    requested: Option<StringList>,
) -> Result<Vec<String>, Error> {
    let Some(StringList(requested)) = requested else { return Ok(Vec::new()) };
    let terms = vocabulary.list(space.session()).await?.items;
    requested.iter().map(|requested| find_entry(field, requested.trim(), &terms)).collect()
}

fn find_entry(field: &str, requested: &str, terms: &[EventTerm]) -> Result<String, Error> {
    let is = |text: &str| text.to_lowercase() == requested.to_lowercase();
    let is_match = |term: &&EventTerm| is(&term.id) || term.name.as_deref().is_some_and(is);
    if let Some(term) = terms.iter().find(is_match) {
        return Ok(term.id.clone());
    }
    let near = nearest(requested, terms.iter().map(|term| term.id.as_str()), 5);
    let near = if near.is_empty() {
        String::new()
    } else {
        format!(", did you mean {}?", near.join(" or "))
    };
    let shown: String = requested.chars().take(80).collect();
    let reason =
        format!("'{shown}' not found{near} (the list modes of find_events list all values)");
    Err(Error::Argument { field: field.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_times_without_zone_or_in_wrong_order() {
        for (from, to, expected) in [
            (Some("2026-08-04T09:00:00Z"), Some("2026-08-04T09:00:01Z"), None),
            (Some("2026-08-04T09:00:00+10:00"), None, None),
            (None, Some("2026-08-04T09:00:00.123+00:00"), None),
            (Some("2026-08-04"), None, Some("from: '2026-08-04' is not a time with zone")),
            (None, Some("2026-08-04T09:00:00"), Some("to: ")),
            (Some("yesterday"), None, Some("from: 'yesterday'")),
            (Some("2026-08-04T09:00:00Z"), Some("2026-08-04T09:00:00Z"), Some("before")),
            (Some("2026-08-04T09:00:00Z"), Some("2026-08-04T18:59:59+10:00"), Some("before")),
        ] {
            match (parse_time_range(from, to), expected) {
                (Ok(_), None) => {}
                (Err(error), Some(expected_text)) => {
                    assert!(error.to_string().contains(expected_text), "{error}");
                }
                (_, expected) => panic!("{from:?} {to:?}: {expected:?}"),
            }
        }
    }
}
