//! New settings, and a new version, while callers call.

mod reload;
mod restart;
