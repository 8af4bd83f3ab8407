//! Types of the arguments that several tools share, so that each has one description.
//!
//! The doc comment of a type becomes the description of every argument of that type. A doc comment
//! on the field overrides it. `{take}` and `{take_cap}` are placeholders for limits of the settings
//! ([`crate::tool::schema::fill_limits`]).
#![allow(clippy::doc_markdown, reason = "these doc comments are descriptions for models")]

use std::{fmt, ops::Deref};

use schemars::JsonSchema;
use serde::Deserialize;

/// Defines arguments that are texts. Each parses and dereferences as its text.
macro_rules! text_arguments {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        pub struct $name(String);

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(argument: $name) -> Self {
                argument.0
            }
        }
    )+};
}

text_arguments! {
    /// Space name, slug or ID, e.g. "Default".
    SpaceArg,
    /// Project name, slug or ID, e.g. "Projects-1".
    ProjectArg,
    /// Environment name, slug or ID, e.g. "Environments-1".
    EnvironmentArg,
    /// Tenant name, slug or ID, e.g. "Tenants-1".
    TenantArg,
    /// Task ID, e.g. "ServerTasks-123".
    TaskArg,
    /// Git branch, tag or commit (default: the default branch).
    GitRefArg,
    /// Text that the name contains.
    NamePart,
}

/// Items to skip (default 0).
// The schema has no `default`: a client that sends defaults would send `skip` with the ID of one
// item, which the `find_` tools reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Skip(pub u32);

/// Max items (default {take}, max {take_cap}).
// The schema has no `maximum`: a larger number is clamped, and a client that validates would reject
// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Take(#[schemars(range(min = 1))] pub u32);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tool::{Error, invocation::parse_arguments};

    #[derive(Debug, Deserialize)]
    struct Paged {
        space: Option<SpaceArg>,
        take: Option<Take>,
    }

    fn read(value: serde_json::Value) -> Result<Paged, Error> {
        let serde_json::Value::Object(arguments) = value else { panic!("not an object") };
        parse_arguments(arguments)
    }

    #[test]
    fn shared_arguments_parse_as_plain_values() {
        let paged = read(json!({ "space": "Default", "take": 5 })).unwrap();
        assert_eq!((paged.space.as_deref(), paged.take), (Some("Default"), Some(Take(5))));
        let error = read(json!({ "take": "5" })).unwrap_err();
        assert_eq!(error.to_string(), "take: expected a whole number from 0, not a text");
    }
}
