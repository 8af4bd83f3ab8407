//! Events: the entries of Octopus's audit log.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::resource::{Id, Resource};
use crate::octopus::client::{
    error::Error, page::Page, path::ApiPath, session::Session, version::OctopusVersion,
};

/// Fields of an event that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    pub id: Id<Event>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub related_document_ids: Vec<String>,
    pub category: Option<String>,
    pub user_id: Option<String>,
    pub username: Option<String>,
    pub is_service: Option<bool>,
    pub identity_established_with: Option<String>,
    pub user_agent: Option<String>,
    pub occurred: Option<String>,
    pub message: Option<String>,
    pub comments: Option<String>,
    pub details: Option<String>,
    pub change_details: Option<Value>,
    pub ip_address: Option<String>,
    /// API key of the user, if one was used. Since Octopus 2025.4.
    pub api_key_id: Option<String>,
    /// First characters of the API key. Since Octopus 2025.4.
    pub api_key_hint: Option<String>,
    /// Kind of the actor, if this version reports it on events.
    #[serde(alias = "DeployedByActorType")]
    pub actor_type: Option<String>,
}

impl Resource for Event {
    const NOUN: &'static str = "event";
    const ID_PREFIX: &'static str = "Events-";
    const COLLECTION: &'static str = "events";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

/// Returns the names of the query parameter that includes internal events, in an instance of this
/// version. The root document of 2023.1 calls it `internal` and the API reference of 2023.4
/// `includeInternalEvents`. No source names the version of the change, so versions between them,
/// and unknown versions, get both.
pub fn internal_events_parameters(version: Option<OctopusVersion>) -> &'static [&'static str] {
    const FORMER: &str = "internal";
    const PRESENT: &str = "includeInternalEvents";
    match version {
        Some(version) if version < OctopusVersion(2023, 2, 0) => &[FORMER],
        Some(version) if version >= OctopusVersion(2023, 4, 0) => &[PRESENT],
        _ => &[PRESENT, FORMER],
    }
}

/// A term that classifies events: a category, a group, an agent or a document type.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventTerm {
    pub id: String,
    pub name: Option<String>,
    /// Categories in a group.
    pub event_categories: Option<Vec<String>>,
}

/// The lists of terms that classify events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTermKind {
    Categories,
    Groups,
    Agents,
    DocumentTypes,
}

impl EventTermKind {
    /// Reads the terms that this instance supports.
    pub async fn list(self, session: &Session) -> Result<Page<EventTerm>, Error> {
        let last = match self {
            Self::Categories => "categories",
            Self::Groups => "groups",
            Self::Agents => "agents",
            Self::DocumentTypes => "documenttypes",
        };
        session.array(&ApiPath::new([Event::COLLECTION, last])).await
    }
}
