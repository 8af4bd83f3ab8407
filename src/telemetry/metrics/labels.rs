//! Labels with a bound: whatever callers send, there are only so many series.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// What stands for everything beyond the bound, and for every name that is none of the protocol's
/// (OpenTelemetry, semantic conventions: its word for methods that are not known).
pub const OTHER: &str = "_OTHER";

/// Methods of HTTP (RFC 9110, section 9; RFC 5789).
const VERBS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/// Names that came up so far, and no more than so many.
#[derive(Debug)]
pub(super) struct Bounded {
    most: usize,
    known: Mutex<HashSet<String>>,
}

impl Bounded {
    pub(super) fn new(most: usize) -> Self {
        Self { most, known: Mutex::default() }
    }

    /// The name, or `_OTHER` where there are too many.
    pub(super) fn label<'a>(&self, name: &'a str) -> &'a str {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(name) {
            return name;
        }
        if known.len() >= self.most || name.len() > LONGEST {
            return OTHER;
        }
        known.insert(name.to_owned());
        name
    }
}

/// How long a label can be.
const LONGEST: usize = 120;

/// The method of a request, where it is one of HTTP, or `_OTHER`.
pub fn verb(method: &str) -> &'static str {
    VERBS.iter().find(|verb| **verb == method).unwrap_or(&OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bound_everything_is_other() {
        let labels = Bounded::new(2);
        assert_eq!(
            ["a", "b", "c", "a", "d"].map(|name| labels.label(name)),
            ["a", "b", OTHER, "a", OTHER]
        );
        assert_eq!(Bounded::new(2).label(&"x".repeat(LONGEST + 1)), OTHER);
    }
}
