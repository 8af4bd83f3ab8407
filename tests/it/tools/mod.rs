//! Tests of each tool, by toolset, and of the properties that all answers share.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared test code fails by panicking"
)]

mod checked_server;

mod core;
mod response_size;

mod execute;

mod projects;

mod processes;

mod variables;

mod deployments;

mod latest_deployment;

mod releases;

mod runbooks;

mod tasks;

mod task_logs;

mod environments;

mod git_references;

mod reads_by_id;

mod grep;

mod tenants;

mod tenant_variables;

mod kubernetes;

mod deployment_targets;

mod certificates;

mod accounts;

mod interruptions;

mod feature_toggles;

mod context;
mod events;

mod portal_urls;

mod aliases;
mod not_found;

mod official_keys;

mod request_budgets;

mod octopus_versions;

mod unreadable_items;

mod any_arguments;

mod arguments;

pub use arguments::sample_calls;
pub use checked_server::{check_answer, size_limit};
