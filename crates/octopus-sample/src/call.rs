//! Request context: user, space and parameters.

use super::database::{Database, Item};
use super::query::Query;
use super::response::ApiError;
use super::users::User;
use super::version::{Feature, Version};

/// Request context of the routes.
pub(super) struct Call<'a> {
    pub(super) database: &'a Database,
    pub(super) version: &'a Version,
    pub(super) user: &'a User,
    pub(super) query: Query,
    /// Space of the path; `None` at the server level.
    pub(super) space: Option<&'a Item>,
    /// The path as it appears in links: with the ID of the space, without a virtual directory.
    pub(super) path: String,
}

impl<'a> Call<'a> {
    /// Returns the ID of the space of the path; empty at the server level.
    pub(super) fn space_id(&self) -> &'a str {
        self.space.map_or("", |space| space.id.as_str())
    }

    /// Returns an error if the user lacks a permission in the space of the path.
    pub(super) fn require(&self, permission: &'static str) -> Result<(), ApiError> {
        if self.user.has_permission(permission) {
            Ok(())
        } else {
            Err(ApiError::Forbidden(permission))
        }
    }

    /// Returns the error for an unknown path if this version of the server lacks a feature.
    pub(super) fn require_feature(&self, feature: Feature) -> Result<(), ApiError> {
        if self.version.has(feature) { Ok(()) } else { Err(ApiError::NoRoute) }
    }

    /// Matches the parameters `name` and `partialName`.
    pub(super) fn matches_name(&self, item: &Item) -> bool {
        let is = |wanted: &str| wanted.eq_ignore_ascii_case(item.text("Name"));
        let has = |part: &str| contains(item.text("Name"), part);
        self.query.text("name").is_none_or(is) && self.query.text("partialName").is_none_or(has)
    }

    /// Matches the parameter `ids`.
    pub(super) fn in_ids(&self, item: &Item) -> bool {
        self.one_of("ids", &item.id)
    }

    /// Returns whether a comma-separated parameter shares a value with a list of an item. An empty
    /// parameter matches everything.
    pub(super) fn any_of(&self, parameter: &str, item: &Item, key: &str) -> bool {
        let mut is_free = true;
        for wanted in self.query.items(parameter) {
            if item.texts(key).any(|text| text.eq_ignore_ascii_case(wanted)) {
                return true;
            }
            is_free = false;
        }
        is_free
    }

    /// Returns whether a flag of an item equals a boolean parameter. An absent parameter matches
    /// everything.
    pub(super) fn flag_is(&self, parameter: &str, item: &Item, key: &str) -> bool {
        self.query.switch(parameter).is_none_or(|wanted| item.flag(key) == wanted)
    }

    /// Returns whether a comma-separated parameter contains a value. An empty parameter matches
    /// everything.
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

/// Returns whether a text contains another, ignoring case.
pub(super) fn contains(text: &str, part: &str) -> bool {
    part.is_empty() || text.to_lowercase().contains(&part.to_lowercase())
}
