//! Places where an answer was cut.

use crate::{text::json_pointer::push_token, tool::answer::part::Place};

/// The path of a value, linked to the paths of the values that contain it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Key(above, _) | Self::Index(above, _) => above.depth() + 1,
        }
    }

    fn write(&self, pointer: &mut String) {
        match self {
            Self::Root => {}
            Self::Key(above, key) => {
                above.write(pointer);
                push_token(pointer, key);
            }
            Self::Index(above, index) => {
                above.write(pointer);
                push_token(pointer, &index.to_string());
            }
        }
    }
}

/// Maximum number of places that are kept. The deepest are dropped first.
const MAX_PLACES: usize = 16;

/// The places with the smallest depth, each with its depth.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(usize, Place)>);

impl Places {
    pub(super) fn add(&mut self, path: &Path<'_>, kept: usize) {
        let depth = path.depth();
        let place = || {
            let mut pointer = String::new();
            path.write(&mut pointer);
            (depth, Place { pointer, kept })
        };
        if self.0.len() < MAX_PLACES {
            self.0.push(place());
        } else if let Some(deepest) = self.0.iter_mut().max_by_key(|(depth, _)| *depth)
            && deepest.0 > depth
        {
            *deepest = place();
        }
    }

    /// Returns the places, the least deep first.
    pub(super) fn into_sorted(mut self) -> Vec<Place> {
        self.0.sort_by_key(|(depth, _)| *depth);
        self.0.into_iter().map(|(_, place)| place).collect()
    }
}
