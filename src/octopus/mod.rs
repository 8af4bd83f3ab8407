//! REST client of Octopus Deploy, and the configured instances.
//!
//! A [`Client`] is one instance: its address, connections, limits and caches. A [`Session`] is a
//! client with the [`Credentials`] of one caller; all requests to Octopus go through it. A
//! [`Space`] is a session in one space; tools use it. Documents are [`Resource`]s that name only
//! the fields that the tools read, so a newer Octopus version remains compatible.
//!
//! The API is described at <https://octopus.com/docs/octopus-rest-api>.
//!
//! # Example
//!
//! Finds a project by its name, and prints the URL of its page in the web portal:
//!
//! ```no_run
//! use octopus_mcp::{
//!     config::Config,
//!     octopus::{Credentials, Fingerprint, Instances, Session, projects::Project},
//!     telemetry::Metrics,
//! };
//!
//! # async fn example(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
//! let instances = Instances::from_config(config, &Metrics::default())?;
//! let instance = instances.default().ok_or("no default instance is configured")?;
//! let credentials = Credentials::api_key("API-XXXXXXXXXXXXXXXXXXXXXXXXXX")?;
//! let caller = Fingerprint::of([b"alice".as_slice()]);
//!
//! let session = Session::new(instance.client.clone(), credentials, caller, Some("my-assistant"));
//! let space = session.space("Default").await?;
//! let project: Project = space.find("Web shop").await?;
//! println!("{}: {}", project.name, space.portal().project(project.id.as_str()));
//! # Ok(())
//! # }
//! ```

mod access_resolution;
mod client;
mod credential_expiry;
mod model;
mod verification;

pub use access_resolution::{resolve_names, resolve_owners};
pub use client::access_set::access_recorder::AccessRecorder;
pub use client::access_set::{AccessSet, AccessedResource, NameDetail, ResourceKind};
pub use client::budget::{Exhausted, MemoryBudget, Reservation, ResponseMemory, UNRESERVED_BYTES};
pub use client::change_request::{ChangeRequest, WriteMethod, WritePermit};
pub use client::configured_credential::ConfiguredCredential;
pub use client::credential_error::CredentialError;
pub use client::credential_provider::{CallerCredentials, CredentialProvider};
pub use client::credentials::{Credentials, Fingerprint, InvalidCredential};
pub use client::error::Error;
pub use client::http_client::http_client_error;
pub use client::instance_client::Client;
pub use client::instance_clock::parse_time;
pub use client::instances::{Instance, Instances};
pub use client::json::bounded::{
    BoundedJson, JsonBounds, JsonPlace, OmittedCounts, truncate_at_boundary,
};
pub use client::page::{Page, PageRange, UnreadableItem};
pub use client::path::ApiPath;
pub use client::request_limiter::PARKED_PER_PERMIT;
pub use client::response::RawResponse;
pub use client::session::Session;
pub use client::token_exchange::TokenExchange;
pub use client::version::OctopusVersion;
pub use credential_expiry::CredentialExpiries;
pub use model::by_ids::ById;
pub use model::change_response::{ChangeResponse, ChangeResponseBody};
pub use model::portal_links::PortalLinks;
pub use model::resource::{Id, Named, Resource};
pub use model::space::Space;
pub use model::task_initiator::task_initiator;
pub use model::{
    accounts, api_keys, certificates, channels, dashboard, deployments, document, environments,
    events, feature_toggles, freezes, git, instance_info, interruptions, kubernetes,
    library_variable_sets, lifecycles, llms_txt, machines, operations, portal_url, preview_query,
    previews, processes, project_groups, project_variables, projects, promotions, releases,
    rollout_groups, runbook_runs, runbooks, scope, spaces, tasks, teams, tenants, users, variables,
};
pub use verification::{
    Cause, CredentialReport, InstanceReport, Problem, Rights, Severity, verify_instance,
};
