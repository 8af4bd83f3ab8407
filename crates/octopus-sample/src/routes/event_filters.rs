//! Which events were asked for.

use super::super::answer::Refusal;
use super::super::call::Call;
use super::super::clock;
use super::super::history::events::{AGENTS, DOCUMENT_TYPES, GROUPS};
use super::super::world::Item;

/// The filters that have to be read before they can be applied.
pub(super) struct Filters {
    from: Option<i64>,
    to: Option<i64>,
    /// The first and the last number.
    numbers: [Option<u64>; 2],
    /// The categories of the groups that were asked for.
    categories: Option<Vec<&'static str>>,
    /// How user agents begin.
    agents: Option<Vec<&'static str>>,
    /// How the IDs of documents begin.
    prefixes: Option<Vec<&'static str>>,
}

impl Filters {
    pub(super) fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let wrong = |name: &str, text: &str| {
            Refusal::BadRequest(format!("The value '{text}' is not valid for {name}."))
        };
        let moment = |name: &str| match call.query.text(name) {
            Some(text) => clock::parse(text).map(Some).ok_or_else(|| wrong(name, text)),
            None => Ok(None),
        };
        let number = |name: &str| match call.query.text(name) {
            Some(text) => text.parse().map(Some).map_err(|_| wrong(name, text)),
            None => Ok(None),
        };
        let asked = |name: &str, id: &str| {
            call.query.items(name).any(|wanted| wanted.eq_ignore_ascii_case(id))
        };
        let some = |name: &str, found: Vec<&'static str>| call.query.text(name).map(|_| found);
        let groups = GROUPS.iter().filter(|(id, ..)| asked("eventGroups", id));
        let categories = groups.flat_map(|(_, _, categories)| categories.iter().copied()).collect();
        let agents = AGENTS.iter().filter(|(id, ..)| asked("eventAgents", id));
        let types = DOCUMENT_TYPES.iter().filter(|(id, ..)| asked("documentTypes", id));
        Ok(Self {
            from: moment("from")?,
            to: moment("to")?,
            numbers: [number("fromAutoId")?, number("toAutoId")?],
            categories: some("eventGroups", categories),
            agents: some("eventAgents", agents.map(|(_, _, start)| *start).collect()),
            prefixes: some("documentTypes", types.map(|(_, _, prefix)| *prefix).collect()),
        })
    }

    pub(super) fn hold(&self, call: &Call<'_>, event: &Item) -> bool {
        let related = "RelatedDocumentIds";
        let names = |wanted: &str| event.texts(related).any(|id| id.eq_ignore_ascii_case(wanted));
        let category = event.text("Category");
        call.among_ids(event)
            && self.in_time(event)
            && call.query.items("regarding").all(names)
            && ["regardingAny", "projects", "environments", "tenants"]
                .into_iter()
                .all(|parameter| call.meets(parameter, event, related))
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

/// Whether an event is about a project group that was asked for, or about a project in it.
fn of_group(call: &Call<'_>, event: &Item) -> bool {
    if call.query.text("projectGroups").is_none() {
        return true;
    }
    event.texts("RelatedDocumentIds").any(|id| {
        let group = call.world.projects.find(id).map_or(id, |found| found.text("ProjectGroupId"));
        call.one_of("projectGroups", group)
    })
}

/// Whether an event is about a tenant with one of the tags that were asked for.
fn tagged(call: &Call<'_>, event: &Item) -> bool {
    if call.query.text("tags").is_none() {
        return true;
    }
    let tenants = event.texts("RelatedDocumentIds").filter_map(|id| call.world.tenants.find(id));
    tenants.into_iter().any(|tenant| call.meets("tags", tenant, "TenantTags"))
}
