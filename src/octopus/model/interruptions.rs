//! Interruptions: requests of a task for input of a person.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use futures::future::try_join_all;
use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    resource::{Id, Resource},
    space::Space,
    tasks::Task,
    teams::Team,
    users::User,
};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
};

/// Fields of an interruption that the tools read. The given answer is not read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Interruption {
    pub id: Id<Interruption>,
    pub title: Option<String>,
    /// `ManualIntervention`, `GuidedFailure`, `PullRequestCompletion`, `ArgoCDApplicationSync` or
    /// `KubernetesResourceVerification`. Unknown types are returned unchanged.
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub created: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_pending: bool,
    pub task_id: Option<Id<Task>>,
    pub correlation_id: Option<String>,
    pub is_linked_to_other_interruption: Option<bool>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub related_document_ids: Vec<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub responsible_team_ids: Vec<Id<Team>>,
    pub responsible_user_id: Option<Id<User>>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub can_take_responsibility: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub has_responsibility: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub form: Form,
    /// Pull requests of the type `PullRequestCompletion`. Since Octopus 2026.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub pull_requests: Vec<PullRequest>,
}

/// A pull request that a task waits for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PullRequest {
    pub number: Option<u64>,
    pub title: Option<String>,
    /// `Unknown`, `Open`, `Merged`, `Closed` or `UnknownGitVendor`.
    pub status: Option<String>,
    pub url: Option<String>,
}

/// Form for a person to complete.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Form {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub elements: Vec<Element>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Element {
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub name: String,
}

impl Interruption {
    /// Returns the first related document of type `R`.
    pub fn related<R: Resource>(&self) -> Option<Id<R>> {
        self.related_document_ids.iter().find_map(|id| Id::parse(id).ok())
    }

    /// Returns whether this user is responsible, or no user is and the credential's user can take
    /// responsibility.
    pub fn can_be_handled_by(&self, user: &Id<User>) -> bool {
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

/// Filter for interruptions.
#[derive(Debug, Clone)]
pub struct Filter {
    pub pending_only: bool,
    /// ID of a related document.
    pub regarding: Option<String>,
}

/// Reads a page of the interruptions of a space, newest first.
pub async fn list(
    space: &Space,
    filter: &Filter,
    window: PageRange,
) -> Result<Page<Interruption>, Error> {
    let path = space
        .path([Interruption::COLLECTION])
        .query("pendingOnly", filter.pending_only)
        .query_opt("regarding", filter.regarding.as_deref());
    space.list(path, window).await
}

/// Number of interruptions per request of a scan.
const SCAN_PAGE_SIZE: u32 = 100;
/// Maximum number of interruptions that a scan reads.
pub const MAX_SCANNED: u32 = 500;

/// Reads the newest interruptions, up to `MAX_SCANNED`, as one page with the total number. Octopus
/// has no filter by responsible user.
pub async fn scan(space: &Space, filter: &Filter) -> Result<Page<Interruption>, Error> {
    let mut all = list(space, filter, PageRange { skip: 0, take: SCAN_PAGE_SIZE }).await?;
    let rest =
        (SCAN_PAGE_SIZE..all.total_results.min(MAX_SCANNED)).step_by(SCAN_PAGE_SIZE as usize);
    let rest = rest.map(|skip| list(space, filter, PageRange { skip, take: SCAN_PAGE_SIZE }));
    for page in try_join_all(rest).await? {
        all.items.extend(page.items);
        all.unreadable.extend(page.unreadable);
    }
    Ok(all)
}
