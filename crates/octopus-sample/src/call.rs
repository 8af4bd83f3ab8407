//! One request, read: who asks, in which space, with which parameters.

use super::answer::Refusal;
use super::query::Query;
use super::users::User;
use super::version::{Since, Version};
use super::world::{Item, World};

/// What a route gets to see of a request.
pub(super) struct Call<'a> {
    pub(super) world: &'a World,
    pub(super) version: &'a Version,
    pub(super) user: &'a User,
    pub(super) query: Query,
    /// The space of the path; `None` for the server level.
    pub(super) space: Option<&'a Item>,
    /// The path as links show it: with the ID of the space, without a virtual directory.
    pub(super) path: String,
}

impl<'a> Call<'a> {
    /// The ID of the space of the path; empty at the server level.
    pub(super) fn space_id(&self) -> &'a str {
        self.space.map_or("", |space| space.id.as_str())
    }

    /// Refuses a user who lacks this permission in the space of the path.
    pub(super) fn need(&self, permission: &'static str) -> Result<(), Refusal> {
        if self.user.may(permission) { Ok(()) } else { Err(Refusal::Forbidden(permission)) }
    }

    /// Answers as an older server would: it does not know the path.
    pub(super) fn since(&self, feature: Since) -> Result<(), Refusal> {
        if self.version.has(feature) { Ok(()) } else { Err(Refusal::NoRoute) }
    }

    /// Whether an item has the name and the part of a name that were asked for, if any.
    pub(super) fn named(&self, item: &Item) -> bool {
        let is = |wanted: &str| wanted.eq_ignore_ascii_case(item.text("Name"));
        let has = |part: &str| contains(item.text("Name"), part);
        self.query.text("name").is_none_or(is) && self.query.text("partialName").is_none_or(has)
    }

    /// Whether an item is one of `ids`, if there are any.
    pub(super) fn among_ids(&self, item: &Item) -> bool {
        self.one_of("ids", &item.id)
    }

    /// Whether the text under a key of an item is one of a comma list, or there is no list.
    pub(super) fn has_one_of(&self, parameter: &str, item: &Item, key: &str) -> bool {
        !self.query.has(parameter) || self.one_of(parameter, item.text(key))
    }

    /// Whether one of the texts in a list of an item is one of a comma list, or there is no list.
    pub(super) fn meets(&self, parameter: &str, item: &Item, key: &str) -> bool {
        let mut is_free = true;
        for wanted in self.query.items(parameter) {
            if item.texts(key).any(|text| text.eq_ignore_ascii_case(wanted)) {
                return true;
            }
            is_free = false;
        }
        is_free
    }

    /// Whether a switch of an item stands as asked for, if it was.
    pub(super) fn switched(&self, parameter: &str, item: &Item, key: &str) -> bool {
        self.query.switch(parameter).is_none_or(|wanted| item.flag(key) == wanted)
    }

    /// Whether a value is one of a comma list, or there is no list.
    pub(super) fn one_of(&self, parameter: &str, value: &str) -> bool {
        let mut is_free = true;
        for wanted in self.query.items(parameter) {
            if wanted.eq_ignore_ascii_case(value) {
                return true;
            }
            is_free = false;
        }
        is_free
    }
}

/// Whether a text has another in it, without regard to case.
pub(super) fn contains(text: &str, part: &str) -> bool {
    part.is_empty() || text.to_lowercase().contains(&part.to_lowercase())
}
