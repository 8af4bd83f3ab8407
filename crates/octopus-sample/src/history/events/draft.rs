//! One event before it has a number.

use serde_json::{Value, json};

use crate::clock::stamp;
use crate::dice::{Dice, token};
use crate::version::{Since, Version};
use crate::world::World;

/// What happened, to what, and by whom.
pub(super) struct Draft {
    pub(super) occurred: i64,
    pub(super) category: &'static str,
    /// The user; `None` for the server itself.
    pub(super) by: Option<String>,
    /// The space; empty for the server level.
    pub(super) space_id: String,
    /// The message in pieces, each with the ID of the document it names, if it names one.
    pub(super) message: Vec<(String, Option<String>)>,
    /// Documents that the event is about beside those the message names.
    pub(super) related: Vec<String>,
    /// What changed, as operations on the document.
    pub(super) differences: Option<Value>,
    pub(super) details: Option<String>,
    pub(super) is_internal: bool,
}

impl Draft {
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

    /// Words of the message.
    pub(super) fn says(mut self, text: &str) -> Self {
        self.message.push((text.to_owned(), None));
        self
    }

    /// Words of the message that name a document.
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

    /// The event as the API shows it.
    pub(super) fn body(&self, world: &World, version: &Version, id: &str) -> Value {
        let user = self.by.as_deref().and_then(|id| world.users.find(id));
        let username = user.map_or("system", |user| user.text("Username"));
        let is_service = user.is_some_and(|user| user.flag("IsService"));
        let with_key = is_service || self.by.is_some() && Dice::of(id).below(3) == 0;
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
        let has_keys = version.has(Since::ApiKeysOnEvents);
        let key = self.by.as_deref().filter(|_| with_key && has_keys);
        let address = self.by.as_deref().map(|user| {
            format!("10.20.{}.{}", Dice::of(user).below(200), Dice::of(user).below(97) + 20)
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
            "Occurred": stamp(self.occurred),
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
