//! Root cause of an error.

use std::error::Error;

/// Returns the message of the innermost source of `error`. The outer errors of libraries only name
/// their layer; the innermost error contains the cause.
pub fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
