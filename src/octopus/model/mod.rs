//! Typed documents of the REST API, one file for each kind of resource.
//!
//! A document names only the fields that the tools read. Some versions of Octopus send `null` where
//! others omit the field; both give the default of an optional field.

pub(super) mod by_ids;
pub(super) mod change_response;
pub(super) mod lookup;
pub(super) mod name_collision;
pub(super) mod portal_links;
pub(super) mod resource;
pub(super) mod space;
pub(super) mod task_initiator;

#[cfg(test)]
mod contract_tests;

pub mod accounts;
pub mod api_keys;
pub mod certificates;
pub mod channels;
pub mod dashboard;
pub mod deployments;
pub mod document;
pub mod environments;
pub mod events;
pub mod feature_toggles;
pub mod freezes;
pub mod git;
pub mod instance_info;
pub mod interruptions;
pub mod kubernetes;
pub mod library_variable_sets;
pub mod lifecycles;
pub mod llms_txt;
pub mod machines;
pub mod operations;
pub mod portal_url;
pub mod preview_query;
pub mod previews;
pub mod processes;
pub mod project_groups;
pub mod project_variables;
pub mod projects;
pub mod promotions;
pub mod releases;
pub mod rollout_groups;
pub mod runbook_runs;
pub mod runbooks;
pub mod scope;
pub mod spaces;
pub mod tasks;
pub mod teams;
pub mod tenants;
pub mod users;
pub mod variables;
