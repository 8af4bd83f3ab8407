//! JSON bodies: bounded parsing and fields that must not be shown.

pub(in crate::octopus) mod bounded;
pub(in crate::octopus) mod sensitive;
