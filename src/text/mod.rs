//! Pure functions on text: truncation, similar names, log lines, JSON pointers, escaping, error
//! causes and step counting.

pub mod json_pointer;
pub mod log_line;
pub mod nearest;
mod printable;
mod root_cause;
pub(crate) mod step_counter;
pub mod truncate;

pub use printable::printable;
pub use root_cause::root_cause;
