//! Channels: they select the lifecycle and the rules for releases of a project.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    projects::Project,
    resource::{Id, Named, Resource},
};

/// Fields of a channel that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Channel {
    pub id: Id<Channel>,
    pub name: String,
    pub slug: Option<String>,
    pub project_id: Id<Project>,
    pub lifecycle_id: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub is_default: bool,
}

impl Resource for Channel {
    const NOUN: &'static str = "channel";
    const ID_PREFIX: &'static str = "Channels-";
    const COLLECTION: &'static str = "channels";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Channel {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}
