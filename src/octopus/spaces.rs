//! Spaces: the top-level partitions of an instance.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;

use super::{Error, Id, Named, Page, Path, Resource, Session, Window, resource::null_as_default};

/// Fields of a space that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Space {
    pub id: Id<Space>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_default: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    pub task_queue_stopped: bool,
}

impl Resource for Space {
    const NOUN: &'static str = "space";
    const ID_PREFIX: &'static str = "Spaces-";
    const COLLECTION: &'static str = "spaces";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Space {
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
    window: Window,
) -> Result<Page<Space>, Error> {
    let Window { skip, take } = window;
    session.page(&searched(partial_name).with("skip", skip).with("take", take), window).await
}

/// Returns the path of the space list, filtered by a part of the name.
pub fn searched(partial_name: Option<&str>) -> Path {
    Path::new([Space::COLLECTION]).with_some("partialName", partial_name)
}
