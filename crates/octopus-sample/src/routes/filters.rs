//! Filters of lists by query parameters.

use super::super::call::{Call, contains};
use super::super::database::Item;

/// A query parameter that selects resources. Values are compared without regard to case.
#[derive(Clone, Copy)]
pub(super) enum Filter {
    /// `ids`: a comma-separated list of IDs.
    Ids,
    /// `name`: the exact name, and `partialName`: a part of the name.
    Name,
    /// A comma-separated list that contains the text of this field. An empty list matches
    /// everything.
    OneOf(&'static str, Field),
    /// A comma-separated list that shares a value with the list in this field.
    AnyOf(&'static str, &'static str),
    /// `true` or `false`, compared with the flag in this field.
    Flag(&'static str, &'static str),
    /// A part of the text in this field.
    Part(&'static str, &'static str),
    /// A condition that the other kinds cannot express.
    Matches(fn(&Call<'_>, &Item) -> bool),
}

/// The text that a filter compares.
#[derive(Clone, Copy)]
pub(super) enum Field {
    /// The text under this key of the resource.
    Key(&'static str),
    /// A text that is derived from the resource.
    Derived(fn(&Item) -> &str),
}

impl Filter {
    fn matches(self, call: &Call<'_>, item: &Item) -> bool {
        match self {
            Self::Ids => call.in_ids(item),
            Self::Name => call.matches_name(item),
            Self::OneOf(parameter, Field::Key(key)) => call.one_of(parameter, item.text(key)),
            Self::OneOf(parameter, Field::Derived(text)) => call.one_of(parameter, text(item)),
            Self::AnyOf(parameter, key) => call.any_of(parameter, item, key),
            Self::Flag(parameter, key) => call.flag_is(parameter, item, key),
            Self::Part(parameter, key) => {
                call.query.text(parameter).is_none_or(|part| contains(item.text(key), part))
            }
            Self::Matches(condition) => condition(call, item),
        }
    }
}

/// Returns whether a resource passes all filters.
pub(super) fn matches(filters: &[Filter], call: &Call<'_>, item: &Item) -> bool {
    filters.iter().all(|filter| filter.matches(call, item))
}
