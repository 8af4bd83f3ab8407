//! Spaces: the top level of an instance.
#![expect(missing_docs, reason = "the fields are Octopus's own")]

use serde::Deserialize;

use super::{Error, Id, Named, Page, Path, Resource, Session, Window, resource::null_as_default};

/// The fields of a space that the tools read.
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

/// Reads a page of the spaces that the caller sees.
pub async fn list(
    session: &Session,
    partial_name: Option<&str>,
    window: Window,
) -> Result<Page<Space>, Error> {
    let Window { skip, take } = window;
    session.page(&searched(partial_name).with("skip", skip).with("take", take), window).await
}

/// The list of the spaces with this in their name.
pub fn searched(partial_name: Option<&str>) -> Path {
    Path::new([Space::COLLECTION]).with_some("partialName", partial_name)
}
