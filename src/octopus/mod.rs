//! REST client of Octopus Deploy, and the configured instances.
//!
//! A [`Client`] is one instance: its address, connections, limits and caches. A [`Session`] is a
//! client with the [`Credentials`] of one caller; all requests to Octopus go through it. A
//! [`Space`] is a session in one space; tools use it. Documents are [`Resource`]s that name only
//! the fields that the tools read, so a newer Octopus does not break them.
//!
//! The API is described at <https://octopus.com/docs/octopus-rest-api>.

// HTTP client
mod belongs;
mod breaker;
mod budget;
mod client;
mod configured;
mod connections;
mod credentials;
mod error;
mod exchange;
mod expiry;
mod failure;
mod headers;
mod instances;
mod issued;
mod order;
mod path;
mod places;
mod reads;
mod reply;
mod route;
mod sensitive;
mod session;
mod source;
mod started;
mod touched;
mod touches;
mod transport;
mod whereabouts;
mod words;

// Shared by all documents
mod bounded;
mod find;
mod page;
mod portal;
mod resource;
mod rival;
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
pub mod server;
pub mod spaces;
pub mod tasks;
pub mod teams;
pub mod tenants;
pub mod users;
pub mod variables;

pub use bounded::{BoundedJson, JsonBounds, OmittedCounts, truncate_at_boundary};
pub use budget::{Exhausted, MemoryBudget, Reservation, ResponseMemory, UNRESERVED_BYTES};
pub use client::Client;
pub use configured::ConfiguredCredential;
pub use credentials::{Credentials, Fingerprint, InvalidCredential};
pub use error::Error;
pub use exchange::TokenExchange;
pub use expiry::CredentialExpiries;
pub use instances::{Instance, Instances};
pub use order::{ChangeRequest, RawResponse, WriteMethod, WritePermit};
pub use page::{Page, PageRange};
pub use path::ApiPath;
pub use places::PARKED_PER_PERMIT;
pub use portal::PortalLinks;
pub use reply::{ChangeResponse, ChangeResponseBody};
pub use resource::{Id, Named, Resource};
pub use session::Session;
pub use source::{CallerCredentials, CredentialError, CredentialProvider};
pub use space::Space;
pub use started::task_initiator;
pub use touched::AccessRecorder;
pub use touches::{AccessSet, AccessedResource, NameDetail, ResourceKind};
pub use version::OctopusVersion;
pub use whereabouts::{resolve_names, resolve_owners};
