//! New settings, and a new version, while callers call.

pub mod reload;
mod restart;
