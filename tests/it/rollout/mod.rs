//! Configuration reloads, and replacement of the server by a new version, under load.

pub mod reload;
mod restart;
