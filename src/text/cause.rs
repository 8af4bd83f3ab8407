//! What an error comes from.

use std::error::Error;

/// What an error comes from in the end, in its own words. Libraries name their layers; the innermost
/// says what happened.
pub fn cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
