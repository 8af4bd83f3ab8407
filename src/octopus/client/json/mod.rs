//! JSON bodies: bounded parsing, the forms in which documents are passed on, and sensitive values.

pub(in crate::octopus) mod bounded;
pub(in crate::octopus) mod forms;
pub(in crate::octopus) mod sensitive;
