//! Labels with a bounded number of values, so that clients cannot create arbitrary series.

use parking_lot::Mutex;
use std::collections::HashSet;

/// Label value for values beyond the bound and for unknown method names. The OpenTelemetry
/// semantic conventions define it for unknown HTTP methods.
pub const OTHER: &str = "_OTHER";

/// HTTP methods (RFC 9110, section 9; RFC 5789).
const HTTP_METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/// Set of the label values seen so far, with a maximum size.
#[derive(Debug)]
pub(super) struct BoundedLabels {
    max_values: usize,
    known: Mutex<HashSet<String>>,
}

impl BoundedLabels {
    pub(super) fn new(max_values: usize) -> Self {
        Self { max_values, known: Mutex::default() }
    }

    /// Returns the name, or `_OTHER` if the maximum number of values is reached or the name is too
    /// long.
    pub(super) fn label<'a>(&self, name: &'a str) -> &'a str {
        let mut known = self.known.lock();
        if known.contains(name) {
            return name;
        }
        if known.len() >= self.max_values || name.len() > MAX_LABEL_LEN {
            return OTHER;
        }
        known.insert(name.to_owned());
        name
    }
}

/// Maximum length of a label value in bytes.
const MAX_LABEL_LEN: usize = 120;

/// Returns the HTTP method, or `_OTHER` for unknown ones.
pub fn http_method_label(method: &str) -> &'static str {
    HTTP_METHODS.iter().find(|verb| **verb == method).unwrap_or(&OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_maximum_become_other() {
        let labels = BoundedLabels::new(2);
        assert_eq!(
            ["a", "b", "c", "a", "d"].map(|name| labels.label(name)),
            ["a", "b", OTHER, "a", OTHER]
        );
        assert_eq!(BoundedLabels::new(2).label(&"x".repeat(MAX_LABEL_LEN + 1)), OTHER);
    }
}
