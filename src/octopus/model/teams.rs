//! Teams: groups of users with permissions and responsibilities.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::{
    resource::{Id, Resource},
    space::Space,
};
use crate::octopus::client::{
    error::Error,
    page::PageRange,
    path::{ApiPath, IDS_PER_REQUEST, id_batches},
};

/// Fields of a team that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Team {
    pub id: Id<Team>,
    pub name: String,
}

impl Resource for Team {
    const NOUN: &'static str = "team";
    const ID_PREFIX: &'static str = "Teams-";
    const COLLECTION: &'static str = "teams";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Reads the names of teams by ID: teams of the space, and system teams, which are in no path of a
/// space. Teams that the caller cannot see are omitted.
pub async fn names<'a>(
    space: &Space,
    ids: impl IntoIterator<Item = &'a Id<Team>>,
) -> Result<HashMap<String, String>, Error> {
    let ids: Vec<&str> =
        ids.into_iter().map(Id::as_str).collect::<BTreeSet<_>>().into_iter().collect();
    let mut names = HashMap::new();
    for batch in id_batches(&ids) {
        let path = ApiPath::new([Team::COLLECTION])
            .query("spaces", space.id())
            .query("includeSystem", true)
            .query_list("ids", batch)
            .query("take", IDS_PER_REQUEST);
        match space.session().page::<Team>(&path, PageRange::first(IDS_PER_REQUEST)).await {
            Ok(page) => {
                names.extend(page.items.into_iter().map(|team| (team.id.to_string(), team.name)));
            }
            Err(Error::Forbidden { .. } | Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}
