//! Users: people and service accounts.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::resource::{Id, Resource};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
    path::{ApiPath, IDS_PER_REQUEST, id_batches},
    session::Session,
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

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Reads the user of the session's credential.
pub async fn me(session: &Session) -> Result<User, Error> {
    session.get(&ApiPath::new([User::COLLECTION, "me"])).await
}

/// Reads the names of users by ID. Users that the caller cannot see are omitted; few callers can
/// see others.
pub async fn names<'a>(
    session: &Session,
    ids: impl IntoIterator<Item = &'a Id<User>>,
) -> Result<HashMap<String, String>, Error> {
    let ids: Vec<&str> =
        ids.into_iter().map(Id::as_str).collect::<BTreeSet<_>>().into_iter().collect();
    let mut names = HashMap::new();
    for batch in id_batches(&ids) {
        let path = ApiPath::new([User::COLLECTION])
            .query_list("ids", batch)
            .query("take", IDS_PER_REQUEST);
        match session.page::<User>(&path, PageRange::first(IDS_PER_REQUEST)).await {
            Ok(page) => names.extend(
                page.items.into_iter().map(|user| (user.id.to_string(), user.display_label())),
            ),
            Err(Error::Forbidden { .. } | Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

impl User {
    /// Returns the display name, or the user name if it is empty.
    fn display_label(self) -> String {
        if self.display_name.is_empty() { self.username } else { self.display_name }
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
            suggestions: page.items.into_iter().take(5).map(User::display_label).collect(),
        }),
        several => Err(Error::Ambiguous {
            noun: User::NOUN,
            query: query.to_owned(),
            candidates: several.iter().map(|u| format!("{} ({})", u.username, u.id)).collect(),
        }),
    }
}
