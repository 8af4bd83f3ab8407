//! Labels with a bound: whatever callers send, there are only so many series.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// What stands for everything beyond the bound.
pub(super) const OTHER: &str = "other";

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

    /// The name, or `other` where there are too many.
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

/// The name, where it is one of these.
pub(super) fn one_of<'a>(name: &'a str, names: &[&str]) -> &'a str {
    if names.contains(&name) { name } else { OTHER }
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
