//! REST client of Octopus Deploy, and the configured instances.
//!
//! A [`Client`] is one instance: its address, connections, limits and caches. A [`Session`] is a
//! client with the [`Credentials`] of one caller; all requests to Octopus go through it. A
//! [`Space`] is a session in one space; tools use it. Documents are [`Resource`]s that name only
//! the fields that the tools read, so a newer Octopus does not break them.
//!
//! The API is described at <https://octopus.com/docs/octopus-rest-api>.

// HTTP client
mod access_recorder;
mod access_resolution;
mod access_set;
mod breaker;
mod budget;
mod change_request;
mod change_response;
mod client;
mod coalescing;
mod configured_credential;
mod credential_expiry;
mod credential_provider;
mod credentials;
mod error;
mod error_message;
mod error_response;
mod headers;
mod http_client;
mod instances;
mod owner_keys;
mod path;
mod request_limiter;
mod route;
mod sensitive;
mod session;
mod task_initiator;
mod token_exchange;
mod token_response;
mod transport;

// Shared by all documents
mod bounded;
mod lookup;
mod name_collision;
mod page;
mod portal_links;
mod resource;
mod space;
mod version;

// Documents of the REST API
pub mod accounts;
pub mod certificates;
pub mod channels;
pub mod dashboard;
pub mod deployments;
pub mod document;
pub mod environments;
pub mod events;
pub mod feature_toggles;
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
pub mod previews;
pub mod processes;
pub mod project_groups;
pub mod projects;
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

pub use access_recorder::AccessRecorder;
pub use access_resolution::{resolve_names, resolve_owners};
pub use access_set::{AccessSet, AccessedResource, NameDetail, ResourceKind};
pub use bounded::{BoundedJson, JsonBounds, OmittedCounts, truncate_at_boundary};
pub use budget::{Exhausted, MemoryBudget, Reservation, ResponseMemory, UNRESERVED_BYTES};
pub use change_request::{ChangeRequest, RawResponse, WriteMethod, WritePermit};
pub use change_response::{ChangeResponse, ChangeResponseBody};
pub use client::Client;
pub use configured_credential::ConfiguredCredential;
pub use credential_expiry::CredentialExpiries;
pub use credential_provider::{CallerCredentials, CredentialError, CredentialProvider};
pub use credentials::{Credentials, Fingerprint, InvalidCredential};
pub use error::Error;
pub use instances::{Instance, Instances};
pub use page::{Page, PageRange};
pub use path::ApiPath;
pub use portal_links::PortalLinks;
pub use request_limiter::PARKED_PER_PERMIT;
pub use resource::{Id, Named, Resource};
pub use session::Session;
pub use space::Space;
pub use task_initiator::task_initiator;
pub use token_exchange::TokenExchange;
pub use version::OctopusVersion;
