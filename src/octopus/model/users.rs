//! Users: people and service accounts.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    by_ids::{self, ById},
    resource::{Id, Resource},
};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
    path::{ApiPath, IDS_PER_REQUEST},
    session::Session,
    version::OctopusVersion,
};

/// Fields of a user that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    pub id: Id<User>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub username: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub display_name: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_active: bool,
    /// Whether it is a service account.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_service: bool,
    /// `Standard` or `Agent`. Since Octopus 2026, for service accounts.
    pub service_account_type: Option<String>,
    pub email_address: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub can_password_be_edited: bool,
    /// Whether it is the user of the request's credential.
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_requestor: bool,
}

impl Resource for User {
    const NOUN: &'static str = "user";
    const ID_PREFIX: &'static str = "Users-";
    const COLLECTION: &'static str = "users";
    /// The root document of 2023.1 lists the filter; the API reference of 2023.4 does not.
    const IDS_REMOVED_IN: Option<OctopusVersion> = Some(OctopusVersion(2023, 4, 0));

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Reads the user of the session's credential.
pub async fn me(session: &Session) -> Result<User, Error> {
    session.get(&ApiPath::new([User::COLLECTION, "me"])).await
}

/// Reads users by ID. Users that the caller cannot see are omitted; few callers can see others.
pub async fn by_ids<'a>(
    session: &Session,
    ids: impl IntoIterator<Item = &'a Id<User>>,
) -> Result<ById<User>, Error> {
    let path = ApiPath::new([User::COLLECTION]);
    // Boxed because the future is large, and each caller would embed it.
    Box::pin(by_ids::read(session, &path, &path, ids)).await
}

impl User {
    /// Returns the display name, or the user name if it is empty.
    pub fn display_label(&self) -> &str {
        if self.display_name.is_empty() { &self.username } else { &self.display_name }
    }
}

/// ID of the Octopus server itself in events.
const SYSTEM_USER_ID: &str = "users-system";

/// Finds the ID of a user by ID, user name, display name or e-mail address. An ID is returned
/// without a request, because few callers may read other users.
pub async fn find_id(session: &Session, query: &str) -> Result<String, Error> {
    let query = query.trim();
    if query.eq_ignore_ascii_case(SYSTEM_USER_ID) {
        return Ok(SYSTEM_USER_ID.to_owned());
    }
    if let Ok(id) = Id::<User>::parse(query) {
        return Ok(id.into_string());
    }
    let path =
        ApiPath::new([User::COLLECTION]).query("filter", query).query("take", IDS_PER_REQUEST);
    let page: Page<User> = session.page(&path, PageRange::first(IDS_PER_REQUEST)).await?;
    // An unreadable user may be the requested one.
    let page = page.complete(User::NOUN)?;
    let is = |text: &str| text.to_lowercase() == query.to_lowercase();
    let is_match = |user: &&User| {
        is(&user.username)
            || is(&user.display_name)
            || user.email_address.as_deref().is_some_and(is)
    };
    let found: Vec<&User> = page.items.iter().filter(is_match).collect();
    match found.as_slice() {
        [user] => Ok(user.id.to_string()),
        [] => Err(Error::NotFound {
            noun: User::NOUN,
            query: query.chars().take(200).collect(),
            location: None,
            suggestions: page
                .items
                .iter()
                .take(5)
                .map(|user| user.display_label().to_owned())
                .collect(),
        }),
        several => Err(Error::Ambiguous {
            noun: User::NOUN,
            query: query.to_owned(),
            candidates: several.iter().map(|u| format!("{} ({})", u.username, u.id)).collect(),
        }),
    }
}
