//! `find_events`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    filters,
    summary::{EventOrEntry, EventSummary, VocabularyEntry},
};
use crate::{
    octopus::{
        Id, PageRange, Resource, UnreadableItem,
        events::{Event, EventTermKind},
    },
    tool::{
        Context, Error, List, OneOrList, Skip, SpaceArg, StringList, Tags, Take, Tool,
        present_arguments, reject_list_filters,
    },
};

/// Search the audit log of Octopus, newest first: who did what and when. Several values of one
/// filter are alternatives. The list modes return the values that filters accept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindEvents {
    pub(super) space: Option<SpaceArg>,
    /// Result: events, or the values that a filter accepts.
    #[schemars(extend("default" = "search"))]
    mode: Option<Mode>,
    /// ID of one event, e.g. "Events-1"; not combined with filters.
    pub(super) event_id: Option<String>,
    /// Return events related to all of these document IDs, e.g. "Projects-1".
    pub(super) regarding: Option<StringList>,
    /// Return events related to any of these document IDs.
    pub(super) regarding_any: Option<StringList>,
    /// User names or IDs.
    pub(super) users: Option<StringList>,
    /// Project names, slugs or IDs.
    pub(super) projects: Option<StringList>,
    /// Project group names or IDs.
    pub(super) project_groups: Option<StringList>,
    /// Environment names, slugs or IDs.
    pub(super) environments: Option<StringList>,
    /// Tenant names, slugs or IDs.
    pub(super) tenants: Option<StringList>,
    /// Tenant tags, e.g. "Region/EMEA".
    pub(super) tags: Option<Tags>,
    /// Event categories, e.g. "DeploymentFailed".
    pub(super) event_categories: Option<StringList>,
    /// Event category groups, as returned by mode listGroups.
    pub(super) event_groups: Option<StringList>,
    /// Event agents (clients of Octopus).
    pub(super) event_agents: Option<StringList>,
    /// Document types, e.g. "Projects".
    pub(super) document_types: Option<StringList>,
    /// Earliest time with zone, e.g. "2026-08-04T09:00:00Z".
    pub(super) from: Option<String>,
    /// Latest time with zone, in the same format.
    pub(super) to: Option<String>,
    /// Include internal events of Octopus.
    pub(super) include_internal_events: Option<bool>,
    /// Omit the change details (default true; false with eventId).
    pub(super) exclude_difference: Option<bool>,
    pub(super) skip: Option<Skip>,
    pub(super) take: Option<Take>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Mode {
    Search,
    ListCategories,
    ListGroups,
    ListAgents,
    ListDocumentTypes,
}

impl Mode {
    /// Returns the vocabulary that the mode lists, or `None` for a search.
    fn vocabulary(self) -> Option<EventTermKind> {
        Some(match self {
            Self::Search => return None,
            Self::ListCategories => EventTermKind::Categories,
            Self::ListGroups => EventTermKind::Groups,
            Self::ListAgents => EventTermKind::Agents,
            Self::ListDocumentTypes => EventTermKind::DocumentTypes,
        })
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Events {
    /// The list mode; absent for events.
    mode: Option<Mode>,
    #[serde(flatten)]
    found: OneOrList<EventSummary, EventOrEntry>,
}

impl Tool for FindEvents {
    const NAME: &'static str = "find_events";
    const TITLE: &'static str = "Find events";
    const TAKES_MAX_BYTES: bool = true;

    type Output = Events;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let beside = filters::given_filters(&self);
        let mode = self.mode.unwrap_or(Mode::Search);
        if let Some(vocabulary) = mode.vocabulary() {
            let one = self.event_id.is_some().then_some("eventId");
            let shape = self.exclude_difference.is_some().then_some("excludeDifference");
            let beside: Vec<_> = beside.into_iter().chain(one).chain(shape).collect();
            if !beside.is_empty() {
                let beside = beside.join(", ");
                return Err(Error::Invalid(format!(
                    "a list mode takes no filters; leave out {beside}, or `mode`"
                )));
            }
            // The vocabulary belongs to the instance, so the space is not used.
            let terms = vocabulary.list(&cx.session).await?;
            let total = u32::try_from(terms.items.len()).unwrap_or(u32::MAX);
            // Lists all entries by default.
            let window = match self.take {
                Some(_) => cx.window(self.skip, self.take)?,
                None => {
                    PageRange { skip: self.skip.map_or(0, |Skip(skip)| skip), take: total.max(1) }
                }
            };
            let incomplete = UnreadableItem::describe(&terms.unreadable);
            let part =
                terms.items.into_iter().skip(window.skip as usize).take(window.take as usize);
            let items = part.map(|word| EventOrEntry::Entry(VocabularyEntry::from(word))).collect();
            let list = List::new(window, total, items).with_incomplete(incomplete);
            return Ok(Events { mode: Some(mode), found: OneOrList::List(list) });
        }
        if let Some(name_or_id) = &self.event_id {
            let page =
                present_arguments(&[("skip", self.skip.is_some()), ("take", self.take.is_some())]);
            reject_list_filters("eventId", &[beside, page].concat())?;
            let id = Id::<Event>::parse(name_or_id)?;
            let space = cx.resolve_space(self.space.as_deref()).await?;
            let event: Event = space.get(&id).await?;
            space.session().access_recorder().record(|noted| {
                event.related_document_ids.iter().for_each(|id| noted.add_id(id));
            });
            let with_difference = self.exclude_difference != Some(true);
            let found = OneOrList::one(EventSummary::of(&space, event, with_difference));
            return Ok(Events { mode: None, found });
        }
        let window = cx.window(self.skip, self.take)?;
        let with_difference = self.exclude_difference == Some(false);
        let period = filters::parse_time_range(self.from.as_deref(), self.to.as_deref())?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let path = space.path([Event::COLLECTION]);
        let path = if with_difference { path } else { path.query("excludeDifference", true) };
        let path = Box::pin(filters::apply(self, &space, path, period)).await?;
        let page = space.list::<Event>(path, window).await?;
        let line =
            |event| EventOrEntry::Event(Box::new(EventSummary::of(&space, event, with_difference)));
        let items = page.items.into_iter().map(line).collect();
        let list = List::new(window, page.total_results, items)
            .with_unreadable(&page.unreadable)
            .with_hint_if_empty(|| {
                if beside.is_empty() {
                    format!("space '{}' has no event that this user can see", space.name())
                } else {
                    format!("no event matches {}; leave one out", beside.join(" and "))
                }
            });
        Ok(Events { mode: None, found: OneOrList::List(list) })
    }
}
