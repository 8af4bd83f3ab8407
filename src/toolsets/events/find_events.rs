//! `find_events`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    filters,
    summary::{EventSummary, Line, Word},
};
use crate::{
    octopus::{
        Id, Resource, Window,
        events::{Event, Vocabulary},
    },
    tool::{Context, Error, Found, List, Skip, SpaceArg, Tags, Take, Tool, Words, alone, given},
};

/// Search the audit log, newest first: who did what, when. Of several values of one filter any
/// fits. The list modes give the words that filters take. excludeDifference=false shows what
/// changed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindEvents {
    pub(super) space: Option<SpaceArg>,
    /// What to give; by default search.
    mode: Option<Mode>,
    /// One event, with what changed; without filters.
    pub(super) event_id: Option<String>,
    /// IDs it is all about.
    pub(super) regarding: Option<Words>,
    /// IDs it is about any of.
    pub(super) regarding_any: Option<Words>,
    /// Names or IDs.
    pub(super) users: Option<Words>,
    /// Names or IDs.
    pub(super) projects: Option<Words>,
    /// Names or IDs.
    pub(super) project_groups: Option<Words>,
    /// Names or IDs.
    pub(super) environments: Option<Words>,
    /// Names or IDs.
    pub(super) tenants: Option<Words>,
    /// As Set/Tag.
    pub(super) tags: Option<Tags>,
    /// Like DeploymentFailed.
    pub(super) event_categories: Option<Words>,
    /// Of categories.
    pub(super) event_groups: Option<Words>,
    /// Clients.
    pub(super) event_agents: Option<Words>,
    /// Like Projects.
    pub(super) document_types: Option<Words>,
    /// ISO 8601 with zone.
    pub(super) from: Option<String>,
    /// Until then.
    pub(super) to: Option<String>,
    /// Octopus's own too.
    pub(super) include_internal_events: Option<bool>,
    /// Without what changed.
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
    /// The words that it lists.
    fn vocabulary(self) -> Option<Vocabulary> {
        Some(match self {
            Self::Search => return None,
            Self::ListCategories => Vocabulary::Categories,
            Self::ListGroups => Vocabulary::Groups,
            Self::ListAgents => Vocabulary::Agents,
            Self::ListDocumentTypes => Vocabulary::DocumentTypes,
        })
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Events {
    /// What is listed, where it is no events.
    mode: Option<Mode>,
    #[serde(flatten)]
    found: Found<EventSummary, Line>,
}

impl Tool for FindEvents {
    const NAME: &'static str = "find_events";
    const TITLE: &'static str = "Find events";
    const TAKES_MAX_BYTES: bool = true;

    type Output = Events;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let beside = filters::given_in(&self);
        let mode = self.mode.unwrap_or(Mode::Search);
        if let Some(vocabulary) = mode.vocabulary() {
            let one = self.event_id.is_some().then_some("eventId");
            let shape = self.exclude_difference.is_some().then_some("excludeDifference");
            let beside: Vec<_> = beside.into_iter().chain(one).chain(shape).collect();
            if !beside.is_empty() {
                let beside = beside.join(", ");
                return Err(Error::Invalid(format!(
                    "this mode lists words and searches nothing: leave out {beside}, or the mode"
                )));
            }
            // The words are those of the instance; a space would change nothing.
            let words = vocabulary.words(&cx.session).await?;
            let total = u32::try_from(words.len()).unwrap_or(u32::MAX);
            // All of them, unless the call asks for a part.
            let window = match self.take {
                Some(_) => cx.window(self.skip, self.take)?,
                None => Window { skip: self.skip.map_or(0, |Skip(skip)| skip), take: total.max(1) },
            };
            let part = words.into_iter().skip(window.skip as usize).take(window.take as usize);
            let items = part.map(|word| Line::Word(Word::from(word))).collect();
            let list = List::new(window, total, items);
            return Ok(Events { mode: Some(mode), found: Found::Many(list) });
        }
        if let Some(wanted) = &self.event_id {
            let page = given(&[("skip", self.skip.is_some()), ("take", self.take.is_some())]);
            alone("eventId", &[beside, page].concat())?;
            let id = Id::<Event>::parse(wanted)?;
            let space = cx.space(self.space.as_deref()).await?;
            let event: Event = space.get(&id).await?;
            space.session().touched().note(|noted| {
                event.related_document_ids.iter().for_each(|id| noted.add_id(id));
            });
            let with_difference = self.exclude_difference != Some(true);
            let found = Found::one(EventSummary::of(&space, event, with_difference));
            return Ok(Events { mode: None, found });
        }
        let window = cx.window(self.skip, self.take)?;
        let with_difference = self.exclude_difference == Some(false);
        let period = filters::period(self.from.as_deref(), self.to.as_deref())?;
        let space = cx.space(self.space.as_deref()).await?;
        let path = space.path([Event::COLLECTION]);
        let path = if with_difference { path } else { path.with("excludeDifference", true) };
        let path = filters::apply(self, &space, path, period).await?;
        let page = space.list::<Event>(path, window).await?;
        let line = |event| Line::Event(Box::new(EventSummary::of(&space, event, with_difference)));
        let items = page.items.into_iter().map(line).collect();
        let list = List::new(window, page.total_results, items).or_hint(|| {
            if beside.is_empty() {
                format!("space '{}' has no event that this key sees", space.name())
            } else {
                format!("no event fits {}; leave one out", beside.join(" and "))
            }
        });
        Ok(Events { mode: None, found: Found::Many(list) })
    }
}
