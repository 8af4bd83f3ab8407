//! An event before it has an ID.

use serde_json::{Value, json};

use crate::clock::timestamp;
use crate::database::Database;
use crate::random::{Random, token};
use crate::version::{Feature, Version};

/// Category, documents and user of an event.
pub(super) struct EventDraft {
    pub(super) occurred: i64,
    pub(super) category: &'static str,
    /// User; `None` for the server itself.
    pub(super) by: Option<String>,
    /// Space ID; empty at the server level.
    pub(super) space_id: String,
    /// Parts of the message, each with the ID of the document that it mentions, if any.
    pub(super) message: Vec<(String, Option<String>)>,
    /// Related documents in addition to those in the message.
    pub(super) related: Vec<String>,
    /// Changes as JSON Patch operations.
    pub(super) differences: Option<Value>,
    pub(super) details: Option<String>,
    pub(super) is_internal: bool,
}

impl EventDraft {
    pub(super) fn new(occurred: i64, category: &'static str, space_id: &str) -> Self {
        Self {
            occurred,
            category,
            by: None,
            space_id: space_id.to_owned(),
            message: Vec::new(),
            related: Vec::new(),
            differences: None,
            details: None,
            is_internal: false,
        }
    }

    pub(super) fn by(mut self, user_id: &str) -> Self {
        self.by = Some(user_id.to_owned());
        self
    }

    /// Adds plain text to the message.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.message.push((text.to_owned(), None));
        self
    }

    /// Adds the name of a document to the message.
    pub(super) fn names(mut self, text: &str, id: &str) -> Self {
        self.message.push((text.to_owned(), Some(id.to_owned())));
        self
    }

    pub(super) fn about<'a>(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        self.related.extend(ids.into_iter().filter(|id| !id.is_empty()).map(str::to_owned));
        self
    }

    pub(super) fn changing(mut self, differences: Value) -> Self {
        self.differences = Some(differences);
        self
    }

    /// Returns the event in the form of the API.
    pub(super) fn body(&self, database: &Database, version: &Version, id: &str) -> Value {
        let user = self.by.as_deref().and_then(|id| database.users.find(id));
        let username = user.map_or("system", |user| user.text("Username"));
        let is_service = user.is_some_and(|user| user.flag("IsService"));
        let with_key = is_service || self.by.is_some() && Random::of(id).below(3) == 0;
        let (established, agent) = match (&self.by, with_key) {
            (None, _) => ("", "Server"),
            (Some(_), true) => ("API key", "OctopusClient-dotnet/14.3.1 (linux; x64)"),
            (Some(_), false) => ("Session cookie", "Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0"),
        };
        let mut related: Vec<&str> = Vec::new();
        let named = self.message.iter().filter_map(|(_, id)| id.as_deref());
        for id in named.chain(self.related.iter().map(String::as_str)) {
            if !related.contains(&id) {
                related.push(id);
            }
        }
        let mut message = String::new();
        let mut html = String::new();
        let mut references = Vec::new();
        for (text, id) in &self.message {
            if let Some(id) = id {
                references.push(json!({
                    "ReferencedDocumentId": id, "StartIndex": message.chars().count(),
                    "Length": text.chars().count(),
                }));
                let kind = id.split('-').next().unwrap_or_default().to_lowercase();
                html.extend(["<a href='#/", &kind, "/", id, "'>", text, "</a>"]);
            } else {
                html.push_str(text);
            }
            message.push_str(text);
        }
        let has_keys = version.has(Feature::ApiKeysOnEvents);
        let key = self.by.as_deref().filter(|_| with_key && has_keys);
        let address = self.by.as_deref().map(|user| {
            format!("10.20.{}.{}", Random::of(user).below(200), Random::of(user).below(97) + 20)
        });
        json!({
            "Id": id,
            "RelatedDocumentIds": related,
            "Category": self.category,
            "UserId": self.by.as_deref().unwrap_or("users-system"),
            "Username": username,
            "IsService": is_service,
            "IdentityEstablishedWith": established,
            "UserAgent": agent,
            "Occurred": timestamp(self.occurred),
            "Message": message,
            "MessageHtml": html,
            "MessageReferences": references,
            "Comments": null,
            "Details": self.details,
            "ChangeDetails": { "DocumentContext": null, "Differences": self.differences },
            "IpAddress": address,
            "ApiKeyId": key.map(|user| format!("APIKeys-{}", token(user, 24))),
            "ApiKeyHint": key.map(|user| format!("API-{}", token(user, 4).to_uppercase())),
            "SpaceId": Some(&self.space_id).filter(|space| !space.is_empty()),
            "Links": { "Self": format!("/api/events/{id}") },
        })
    }
}
