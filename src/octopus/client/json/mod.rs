//! JSON bodies: bounded parsing, output forms of documents, and sensitive values.

pub(in crate::octopus) mod bounded;
pub(in crate::octopus) mod forms;
pub(in crate::octopus) mod sensitive;
