//! Each tool, by toolset, and what all their answers keep.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what tests share may fail as tests do"
)]

mod held;

mod core;
mod cost;

mod execute;

mod projects;

mod processes;

mod variables;

mod deployments;

mod latest_deployment;

mod releases;

mod runbooks;

mod tasks;

mod logs;

mod grep;

mod tenants;

mod tenant_variables;

mod kubernetes;

mod machines;

mod certificates;

mod accounts;

mod interruptions;

mod feature_toggles;

mod context;
mod events;

// Addresses of the web portal.
mod portal_urls;

// The names that earlier clients call.
mod not_found;
mod old_names;

// The keys that clients of the official server read.
mod keys;

// How many requests each tool may send.
mod requests;

// Bodies of older and newer versions of Octopus.
mod versions;

// What every tool refuses in the same way.
mod any_arguments;

mod arguments;

pub use arguments::calls;
