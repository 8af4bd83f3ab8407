//! Filters of a search of the audit log.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::find_events::FindEvents;
use crate::{
    octopus::{
        self, Kind, Path, Space,
        environments::Environment,
        events::{Vocabulary, Word},
        project_groups::ProjectGroup,
        projects::Project,
        tenants::Tenant,
        users,
    },
    text::nearest::nearest,
    tool::{Error, Words, document_id, given, ids_of},
    toolsets::attribution::is_id,
};

/// Returns the names of the filters that a call uses.
pub(super) fn given_in(call: &FindEvents) -> Vec<&'static str> {
    given(&[
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
pub(super) struct Period {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// Parses `from` and `to`.
///
/// # Errors
///
/// [`Error`] for an invalid time, or if `from` is not before `to`.
pub(super) fn period(from: Option<&str>, to: Option<&str>) -> Result<Period, Error> {
    let period = Period {
        from: from.map(|text| moment("from", text)).transpose()?,
        to: to.map(|text| moment("to", text)).transpose()?,
    };
    match (period.from, period.to) {
        (Some(from), Some(to)) if from >= to => {
            Err(Error::Invalid(format!("`from` must be before `to`: {from} is not before {to}")))
        }
        _ => Ok(period),
    }
}

fn moment(field: &str, text: &str) -> Result<Timestamp, Error> {
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
    path: Path,
    period: Period,
) -> Result<Path, Error> {
    let regarding = documents("regarding", call.regarding)?;
    let regarding_any = documents("regardingAny", call.regarding_any)?;
    // Policy rules about reads apply to the documents that the events concern.
    space.session().touched().note(|noted| {
        for id in regarding.iter().chain(&regarding_any) {
            noted.add_id(id);
            if !is_id(id) {
                noted.add_unnamed(
                    [Kind::Project, Kind::Environment, Kind::Tenant],
                    format!("the owner of '{id}' is unknown"),
                );
            }
        }
        if call.project_groups.is_some() && call.projects.is_none() {
            noted.add_unnamed(
                [Kind::Project],
                "a project group can contain any project; give `projects` as well",
            );
        }
    });
    let (projects, groups, environments, tenants) = futures::try_join!(
        ids_of::<Project>(space, call.projects),
        ids_of::<ProjectGroup>(space, call.project_groups),
        ids_of::<Environment>(space, call.environments),
        ids_of::<Tenant>(space, call.tenants),
    )?;
    let (users, categories, event_groups, agents, types) = futures::try_join!(
        people(space, call.users),
        known(space, "eventCategories", Vocabulary::Categories, call.event_categories),
        known(space, "eventGroups", Vocabulary::Groups, call.event_groups),
        known(space, "eventAgents", Vocabulary::Agents, call.event_agents),
        known(space, "documentTypes", Vocabulary::DocumentTypes, call.document_types),
    )?;
    Ok(path
        .with_list("regarding", &regarding)
        .with_list("regardingAny", &regarding_any)
        .with_list("users", &users)
        .with_list("projects", &projects)
        .with_list("projectGroups", &groups)
        .with_list("environments", &environments)
        .with_list("tenants", &tenants)
        .with_list("tags", &call.tags.unwrap_or_default().0)
        .with_list("eventCategories", &categories)
        .with_list("eventGroups", &event_groups)
        .with_list("eventAgents", &agents)
        .with_list("documentTypes", &types)
        .with_some("from", period.from)
        .with_some("to", period.to)
        .with_some("includeInternalEvents", call.include_internal_events))
}

fn documents(field: &str, wanted: Option<Words>) -> Result<Vec<String>, Error> {
    wanted.unwrap_or_default().0.iter().map(|id| document_id(field, id)).collect()
}

/// Maximum number of concurrent user lookups.
const AT_ONCE: usize = 4;

async fn people(space: &Space, wanted: Option<Words>) -> Result<Vec<String>, Error> {
    let Words(wanted) = wanted.unwrap_or_default();
    let found = wanted.iter().map(|wanted| users::id_of(space.session(), wanted));
    let found = stream::iter(found.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect::<Vec<_>>();
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

/// Returns the IDs of vocabulary entries. Octopus may ignore a filter with an unknown value, so it is rejected here.
async fn known(
    space: &Space,
    field: &str,
    vocabulary: Vocabulary,
    wanted: Option<Words>,
) -> Result<Vec<String>, Error> {
    let Some(Words(wanted)) = wanted else { return Ok(Vec::new()) };
    let words = vocabulary.words(space.session()).await?;
    wanted.iter().map(|wanted| spelled(field, wanted.trim(), &words)).collect()
}

fn spelled(field: &str, wanted: &str, words: &[Word]) -> Result<String, Error> {
    let is = |text: &str| text.to_lowercase() == wanted.to_lowercase();
    let is_match = |word: &&Word| is(&word.id) || word.name.as_deref().is_some_and(is);
    if let Some(word) = words.iter().find(is_match) {
        return Ok(word.id.clone());
    }
    let near = nearest(wanted, words.iter().map(|word| word.id.as_str()), 5);
    let near = if near.is_empty() {
        String::new()
    } else {
        format!(", did you mean {}?", near.join(" or "))
    };
    let shown: String = wanted.chars().take(80).collect();
    let reason =
        format!("'{shown}' not found{near} (the list modes of find_events list all values)");
    Err(Error::Argument { field: field.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_a_zone_and_an_order() {
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
            match (period(from, to), expected) {
                (Ok(_), None) => {}
                (Err(error), Some(words)) => {
                    assert!(error.to_string().contains(words), "{error}");
                }
                (_, expected) => panic!("{from:?} {to:?}: {expected:?}"),
            }
        }
    }
}
