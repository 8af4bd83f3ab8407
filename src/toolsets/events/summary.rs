//! Events and vocabulary entries in the form of the answer.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::{
    octopus::{Space, document::to_answer_form, events},
    tool::merged_schema,
};

/// An event in an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventSummary {
    space_id: String,
    id: String,
    occurred: Option<String>,
    category: Option<String>,
    message: Option<String>,
    user_id: Option<String>,
    username: Option<String>,
    is_service: Option<bool>,
    /// How the user signed in.
    identity_established_with: Option<String>,
    user_agent: Option<String>,
    ip_address: Option<String>,
    api_key_id: Option<String>,
    /// First characters of the API key.
    api_key_hint: Option<String>,
    /// Kind of the actor, e.g. User or AiAgent, if Octopus reports it.
    actor_type: Option<String>,
    related_document_ids: Vec<String>,
    comments: Option<String>,
    details: Option<String>,
    /// Changes of the document.
    change_details: Option<Value>,
}

impl EventSummary {
    /// Creates the answer form of an event, with or without its changes.
    pub(super) fn of(space: &Space, event: events::Event, with_difference: bool) -> Self {
        let changes = event.change_details.filter(|_| with_difference).map(to_answer_form);
        let is_something = |value: &Value| value.as_object().is_some_and(|o| !o.is_empty());
        Self {
            space_id: space.id().to_string(),
            id: event.id.into_string(),
            occurred: event.occurred,
            category: event.category,
            message: event.message,
            user_id: event.user_id,
            username: event.username,
            is_service: event.is_service,
            identity_established_with: event.identity_established_with,
            user_agent: event.user_agent,
            ip_address: event.ip_address,
            api_key_id: event.api_key_id,
            api_key_hint: event.api_key_hint,
            actor_type: event.actor_type,
            related_document_ids: event.related_document_ids,
            comments: event.comments,
            details: event.details,
            change_details: changes.filter(is_something),
        }
    }
}

/// A value that a filter accepts.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VocabularyEntry {
    id: String,
    name: Option<String>,
    /// Categories of a group.
    event_categories: Option<Vec<String>>,
}

impl From<events::EventTerm> for VocabularyEntry {
    fn from(word: events::EventTerm) -> Self {
        Self { id: word.id, name: word.name, event_categories: word.event_categories }
    }
}

/// An item of a list: an event or a vocabulary entry.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum EventOrEntry {
    Event(Box<EventSummary>),
    Entry(VocabularyEntry),
}

impl JsonSchema for EventOrEntry {
    fn schema_name() -> Cow<'static, str> {
        "Line".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        merged_schema([
            generator.subschema_for::<EventSummary>(),
            generator.subschema_for::<VocabularyEntry>(),
        ])
    }
}
