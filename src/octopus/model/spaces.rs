//! Spaces: the top-level partitions of an instance.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::resource::{Id, Named, Resource};
use crate::octopus::client::{
    error::Error,
    page::{Page, PageRange},
    path::ApiPath,
    session::Session,
};

/// Fields of a space that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SpaceResource {
    pub id: Id<SpaceResource>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub description: String,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_default: bool,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub task_queue_stopped: bool,
}

impl Resource for SpaceResource {
    const NOUN: &'static str = "space";
    const ID_PREFIX: &'static str = "Spaces-";
    const COLLECTION: &'static str = "spaces";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for SpaceResource {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

/// Reads a page of the spaces that the caller can see.
pub async fn list(
    session: &Session,
    partial_name: Option<&str>,
    window: PageRange,
) -> Result<Page<SpaceResource>, Error> {
    let PageRange { skip, take } = window;
    session.page(&list_path(partial_name).query("skip", skip).query("take", take), window).await
}

/// Returns the path of the space list, filtered by a part of the name.
pub fn list_path(partial_name: Option<&str>) -> ApiPath {
    ApiPath::new([SpaceResource::COLLECTION]).query_opt("partialName", partial_name)
}
