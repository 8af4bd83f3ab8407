//! Interruptions: where a task waits for a person.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use futures::future::try_join_all;
use serde::Deserialize;

use super::{
    Error, Id, Page, Resource, Space, Window, resource::null_as_default, tasks::Task, teams::Team,
    users::User,
};

/// The fields of an interruption that the tools read. What was answered is not among them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Interruption {
    pub id: Id<Interruption>,
    pub title: Option<String>,
    /// Words that this client does not know are passed on.
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub created: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_pending: bool,
    pub task_id: Option<Id<Task>>,
    pub correlation_id: Option<String>,
    pub is_linked_to_other_interruption: Option<bool>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub related_document_ids: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub responsible_team_ids: Vec<Id<Team>>,
    pub responsible_user_id: Option<Id<User>>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub can_take_responsibility: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    pub has_responsibility: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    pub form: Form,
}

/// What a person is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Form {
    #[serde(default, deserialize_with = "null_as_default")]
    pub elements: Vec<Element>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Element {
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
}

impl Interruption {
    /// The IDs of one kind among the documents that it is about.
    pub fn about<R: Resource>(&self) -> Option<Id<R>> {
        self.related_document_ids.iter().find_map(|id| Id::parse(id).ok())
    }

    /// Whether this user has taken it, or it is free and the reader can take it.
    pub fn is_for(&self, user: &Id<User>) -> bool {
        match &self.responsible_user_id {
            Some(responsible) => responsible == user,
            None => self.can_take_responsibility,
        }
    }
}

impl Resource for Interruption {
    const NOUN: &'static str = "interruption";
    const ID_PREFIX: &'static str = "Interruptions-";
    const COLLECTION: &'static str = "interruptions";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Which interruptions to list.
#[derive(Debug, Clone)]
pub struct Filter {
    pub pending_only: bool,
    /// About this document, by its ID.
    pub regarding: Option<String>,
}

/// Reads a page of the interruptions of a space, newest first.
pub async fn list(
    space: &Space,
    filter: &Filter,
    window: Window,
) -> Result<Page<Interruption>, Error> {
    let path = space
        .path([Interruption::COLLECTION])
        .with("pendingOnly", filter.pending_only)
        .with_some("regarding", filter.regarding.as_deref());
    space.list(path, window).await
}

/// How many interruptions one request of a scan asks for.
const PAGE: u32 = 100;
/// How many interruptions a scan reads at most.
pub const SCAN: u32 = 500;

/// Reads the newest interruptions, up to a bound, and how many there are in all. Octopus cannot
/// be asked whose they are.
pub async fn scan(space: &Space, filter: &Filter) -> Result<(Vec<Interruption>, u32), Error> {
    let first = list(space, filter, Window { skip: 0, take: PAGE }).await?;
    let total = first.total_results;
    let rest = (PAGE..total.min(SCAN)).step_by(PAGE as usize);
    let rest = rest.map(|skip| list(space, filter, Window { skip, take: PAGE }));
    let mut all = first.items;
    for page in try_join_all(rest).await? {
        all.extend(page.items);
    }
    Ok((all, total))
}
