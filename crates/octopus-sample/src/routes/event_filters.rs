//! Filters of events.

use super::super::call::Call;
use super::super::clock;
use super::super::database::Item;
use super::super::history::events::{AGENTS, DOCUMENT_TYPES, GROUPS};
use super::super::response::ApiError;

/// Filters that are parsed before they are applied.
pub(super) struct EventFilters {
    from: Option<i64>,
    to: Option<i64>,
    /// First and last event number.
    numbers: [Option<u64>; 2],
    /// Categories of the requested groups.
    categories: Option<Vec<&'static str>>,
    /// Prefixes of user agents.
    agents: Option<Vec<&'static str>>,
    /// Prefixes of document IDs.
    prefixes: Option<Vec<&'static str>>,
}

impl EventFilters {
    pub(super) fn read(call: &Call<'_>) -> Result<Self, ApiError> {
        let wrong = |name: &str, text: &str| {
            ApiError::BadRequest(format!("The value '{text}' is not valid for {name}."))
        };
        let moment = |name: &str| match call.query.text(name) {
            Some(text) => clock::parse(text).map(Some).ok_or_else(|| wrong(name, text)),
            None => Ok(None),
        };
        let number = |name: &str| match call.query.text(name) {
            Some(text) => text.parse().map(Some).map_err(|_| wrong(name, text)),
            None => Ok(None),
        };
        let is_requested = |name: &str, id: &str| {
            call.query.items(name).any(|wanted| wanted.eq_ignore_ascii_case(id))
        };
        let some = |name: &str, found: Vec<&'static str>| call.query.text(name).map(|_| found);
        let groups = GROUPS.iter().filter(|(id, ..)| is_requested("eventGroups", id));
        let categories = groups.flat_map(|(_, _, categories)| categories.iter().copied()).collect();
        let agents = AGENTS.iter().filter(|(id, ..)| is_requested("eventAgents", id));
        let types = DOCUMENT_TYPES.iter().filter(|(id, ..)| is_requested("documentTypes", id));
        Ok(Self {
            from: moment("from")?,
            to: moment("to")?,
            numbers: [number("fromAutoId")?, number("toAutoId")?],
            categories: some("eventGroups", categories),
            agents: some("eventAgents", agents.map(|(_, _, start)| *start).collect()),
            prefixes: some("documentTypes", types.map(|(_, _, prefix)| *prefix).collect()),
        })
    }

    pub(super) fn matches(&self, call: &Call<'_>, event: &Item) -> bool {
        let related = "RelatedDocumentIds";
        let names = |wanted: &str| event.texts(related).any(|id| id.eq_ignore_ascii_case(wanted));
        let category = event.text("Category");
        call.in_ids(event)
            && self.in_time(event)
            && call.query.items("regarding").all(names)
            && ["regardingAny", "projects", "environments", "tenants"]
                .into_iter()
                .all(|parameter| call.any_of(parameter, event, related))
            && ["users", "user"].into_iter().all(|name| call.one_of(name, event.text("UserId")))
            && call.one_of("eventCategories", category)
            && self.categories.as_ref().is_none_or(|wanted| wanted.contains(&category))
            && self.agents.as_ref().is_none_or(|starts| {
                starts.iter().any(|start| event.text("UserAgent").starts_with(start))
            })
            && self.prefixes.as_ref().is_none_or(|prefixes| {
                let mut ids = event.texts(related).filter_map(|id| id.split('-').next());
                ids.any(|prefix| prefixes.contains(&prefix))
            })
            && of_group(call, event)
            && tagged(call, event)
    }

    fn in_time(&self, event: &Item) -> bool {
        let [first, last] = self.numbers;
        if self.from.is_none() && self.to.is_none() && first.is_none() && last.is_none() {
            return true;
        }
        let at = clock::parse(event.text("Occurred")).unwrap_or(0);
        let number =
            event.id.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at <= to)
            && first.is_none_or(|first| number >= first)
            && last.is_none_or(|last| number <= last)
    }
}

/// Matches `projectGroups`: events about a project group or a project in it.
fn of_group(call: &Call<'_>, event: &Item) -> bool {
    if call.query.text("projectGroups").is_none() {
        return true;
    }
    event.texts("RelatedDocumentIds").any(|id| {
        let group =
            call.database.projects.find(id).map_or(id, |found| found.text("ProjectGroupId"));
        call.one_of("projectGroups", group)
    })
}

/// Matches `tags`: events about a tenant with one of the tags.
fn tagged(call: &Call<'_>, event: &Item) -> bool {
    if call.query.text("tags").is_none() {
        return true;
    }
    let tenants = event.texts("RelatedDocumentIds").filter_map(|id| call.database.tenants.find(id));
    tenants.into_iter().any(|tenant| call.any_of("tags", tenant, "TenantTags"))
}
