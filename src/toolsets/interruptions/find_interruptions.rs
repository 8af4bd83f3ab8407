//! `find_interruptions`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::{InterruptionSummary, summaries};
use crate::{
    octopus::{
        Id, Page, PageRange, Space, UnreadableItem,
        interruptions::{self, Filter, Interruption, MAX_SCANNED},
        users,
    },
    tool::{
        Context, Error, List, OneOrList, Skip, SpaceArg, Take, Tool, parse_document_id,
        present_arguments, reject_list_filters,
    },
};

/// Find interruptions: tasks that wait for a person, a pull request or a Kubernetes resource.
/// resourceUri has the text and the answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindInterruptions {
    space: Option<SpaceArg>,
    /// ID of one interruption, e.g. "Interruptions-123"; not combined with filters.
    interruption_id: Option<String>,
    /// Return only pending interruptions (default true).
    pending_only: Option<bool>,
    /// Return only interruptions that the caller has taken or can take.
    assigned_to_me: Option<bool>,
    /// ID of a related document, e.g. "ServerTasks-123".
    regarding: Option<String>,
    skip: Option<Skip>,
    take: Option<Take>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interruptions {
    #[serde(flatten)]
    found: OneOrList<InterruptionSummary>,
    /// Result of the assignedToMe filter, which this server applies.
    filtered_as: Option<FilteredAs>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FilteredAs {
    user_id: String,
    /// Number of interruptions that were read and filtered; the newest are read first.
    server_total_scanned: usize,
    server_total_available: u32,
    /// Whether all interruptions were filtered. Otherwise totalResults is incomplete.
    scan_complete: bool,
    scan_incomplete_hint: Option<String>,
}

impl Tool for FindInterruptions {
    const NAME: &'static str = "find_interruptions";
    const TITLE: &'static str = "Find interruptions";

    type Output = Interruptions;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        if let Some(name_or_id) = &self.interruption_id {
            reject_list_filters(
                "interruptionId",
                &present_arguments(&[
                    ("pendingOnly", self.pending_only.is_some()),
                    ("assignedToMe", self.assigned_to_me.is_some()),
                    ("regarding", self.regarding.is_some()),
                    ("skip", self.skip.is_some()),
                    ("take", self.take.is_some()),
                ]),
            )?;
            let id = Id::<Interruption>::parse(name_or_id)?;
            let space = cx.resolve_space(self.space.as_deref()).await?;
            let interruption = space.get(&id).await?;
            let one = summaries(&space, vec![interruption], cx).await?.0.pop();
            let found = OneOrList::one(one.ok_or_else(|| space.id_not_found(&id))?);
            return Ok(Interruptions { found, filtered_as: None });
        }
        let window = cx.window(self.skip, self.take)?;
        let regarding = self.regarding.as_deref().map(|id| parse_document_id("regarding", id));
        let filter = Filter {
            pending_only: self.pending_only.unwrap_or(true),
            regarding: regarding.transpose()?,
        };
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let is_assigned = self.assigned_to_me == Some(true);
        let (page, incomplete, filtered_as) = if is_assigned {
            assigned_to_caller(&space, &filter, window).await?
        } else {
            (interruptions::list(&space, &filter, window).await?, None, None)
        };
        let (items, unread) = summaries(&space, page.items, cx).await?;
        let list = List::new(window, page.total_results, items)
            .with_unreadable(&page.unreadable)
            .with_incomplete(unread)
            .with_incomplete(incomplete)
            .with_hint_if_empty(|| empty_hint(&space, &filter, is_assigned));
        Ok(Interruptions { found: OneOrList::List(list), filtered_as })
    }
}

/// Returns a page of the caller's interruptions among those that were read, and the reason why some
/// of them could not be read.
async fn assigned_to_caller(
    space: &Space,
    filter: &Filter,
    window: PageRange,
) -> Result<(Page<Interruption>, Option<String>, Option<FilteredAs>), Error> {
    let (me, scanned) =
        futures::try_join!(users::me(space.session()), interruptions::scan(space, filter))?;
    let available = scanned.total_results;
    let complete = available <= MAX_SCANNED;
    let hint = || format!("only the newest {MAX_SCANNED} were filtered; add `regarding`");
    let filtered_as = FilteredAs {
        user_id: me.id.to_string(),
        server_total_scanned: scanned.items.len(),
        server_total_available: available,
        scan_complete: complete,
        scan_incomplete_hint: (!complete).then(hint),
    };
    let assigned: Vec<_> =
        scanned.items.into_iter().filter(|found| found.can_be_handled_by(&me.id)).collect();
    let total_results = u32::try_from(assigned.len()).unwrap_or(u32::MAX);
    let items = assigned.into_iter().skip(window.skip as usize).take(window.take as usize);
    let page = Page { items: items.collect(), total_results, unreadable: Vec::new() };
    Ok((page, UnreadableItem::describe(&scanned.unreadable), Some(filtered_as)))
}

fn empty_hint(space: &Space, filter: &Filter, is_assigned: bool) -> String {
    let about = filter.regarding.as_ref().map_or_else(String::new, |id| format!(" for {id}"));
    let assignment = if is_assigned { " that you have taken or can take" } else { "" };
    let (pending, more) = if filter.pending_only {
        ("pending ", "; pendingOnly=false includes completed interruptions")
    } else {
        ("", "")
    };
    format!("space '{}' has no {pending}interruption{about}{assignment}{more}", space.name())
}
