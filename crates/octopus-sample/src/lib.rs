//! An Octopus Server in memory, for tests, benchmarks and `octopus-mcp --sample`.
//!
//! [`Sample::router`] serves the REST API of Octopus for an invented freight company with two
//! spaces, fifteen projects and ninety days of deployments. The crate does not depend on
//! `octopus-mcp`: the client there and the sample here are two independent descriptions of one API,
//! so that tests find errors in either.
//!
//! The data is deterministic: the current time is fixed at 2026-11-02T09:00:00Z, IDs are
//! predictable, and two new instances return the same bytes. Changes affect one instance only.
//!
//! # Example
//!
//! Serve a sample instance in a test, let its first response fail, and look at the requests:
//!
//! ```
//! use octopus_sample::{Fault, Sample, keys};
//! use tokio::net::TcpListener;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let sample = Sample::new();
//! sample.faults().add(Fault::on("/api/spaces").status(503).times(1));
//!
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let url = format!("http://{}", listener.local_addr()?);
//! tokio::spawn(axum::serve(listener, sample.router()).into_future());
//! // Call `url` with the header `X-Octopus-ApiKey: {keys::ADMIN}`.
//! # let _ = (url, keys::ADMIN);
//!
//! assert!(sample.journal().is_empty(), "nothing was requested yet");
//! # Ok(())
//! # }
//! ```
//!
//! # Structure
//!
//! | part | content |
//! | --- | --- |
//! | [`keys`] | API keys and access token |
//! | [`contract`] | operations and types of the API in two versions, and checks against them |
//! | `fixtures/` | hand-written data, one JSON file per collection |
//! | `database/` | collections, built from the fixtures |
//! | `history/` | generated releases, deployments, tasks and events of ninety days |
//! | `activity/` | activity tree and log of a task, generated on request |
//! | `serve.rs` | HTTP layer |
//! | `routes/` | routes; `collections.rs` is the table of the collections that follow one pattern |
//! | `fault.rs`, `fault_rules.rs` | faults on demand |
//! | `journal.rs` | journal of requests |
//! | `tokens.rs` | token exchange |
//!
//! A new collection needs a fixture, a field in `database/mod.rs` and a row in
//! `routes/collections.rs`. Write requests are in `routes/changes.rs`.

mod activity;
mod call;
mod clock;
pub mod contract;
#[cfg(test)]
mod contract_tests;
mod credential;
mod database;
mod fault;
mod fault_rules;
mod git_names;
mod history;
mod journal;
pub mod keys;
mod newer_fields;
mod page;
mod portal_edits;
mod precedence;
mod query;
mod random;
mod request_body;
mod response;
mod routes;
mod serve;
mod strictness;
#[cfg(test)]
mod test_client;
#[cfg(test)]
mod tests;
mod tokens;
mod users;
mod version;

use std::fmt;
use std::sync::{Arc, LazyLock};

use axum::Router;
use parking_lot::{Mutex, RwLock};

pub use fault::Fault;
pub use fault_rules::FaultRules;
pub use git_names::GitNames;
pub use journal::JournalEntry;
pub use precedence::Precedence;
pub use tokens::Tokens;

use database::Database;
use journal::Journal;
use response::ApiResult;
use strictness::Strictness;
use version::Version;

/// Version of Octopus Server that [`Sample::new`] reports.
pub const VERSION: &str = "2026.3.7314";

/// An Octopus Server in memory. Clones share one instance.
#[derive(Clone)]
pub struct Sample {
    instance: Arc<Instance>,
}

/// Shared state of a sample instance.
struct Instance {
    version: RwLock<Arc<Version>>,
    /// Present state. A change replaces it as a whole.
    database: RwLock<Arc<Database>>,
    /// Held during a change, so that none is lost.
    write_lock: Mutex<()>,
    journal: Journal,
    tokens: Tokens,
    faults: FaultRules,
    strictness: Strictness,
}

impl Sample {
    /// Creates a sample instance of the version [`VERSION`].
    #[must_use]
    pub fn new() -> Self {
        static CURRENT: LazyLock<Arc<Database>> =
            LazyLock::new(|| Arc::new(Database::build(&Version::parse(VERSION))));
        Self::with_database(Version::parse(VERSION), Arc::clone(&CURRENT))
    }

    /// Creates a sample instance of a version such as `2024.4.6962`. Paths of newer features return
    /// 404.
    #[must_use]
    pub fn with_version(version: &str) -> Self {
        let version = Version::parse(version);
        let database = Arc::new(Database::build(&version));
        Self::with_database(version, database)
    }

    /// Sets the lookup order of the executions API.
    #[must_use]
    pub fn with_precedence(self, precedence: Precedence) -> Self {
        let mut database = Database::clone(&self.instance.database());
        database.precedence = precedence;
        *self.instance.database.write() = Arc::new(database);
        self
    }

    /// Sets the forms of names that the look-ups of Git references accept.
    #[must_use]
    pub fn with_git_names(self, names: GitNames) -> Self {
        let mut database = Database::clone(&self.instance.database());
        database.git_names = names;
        *self.instance.database.write() = Arc::new(database);
        self
    }

    /// Replaces the server by a server of another version with the original data, as an upgrade or
    /// a restored backup does. Changes are lost.
    pub fn change_version(&self, version: &str) {
        let version = Version::parse(version);
        let _guard = self.instance.write_lock.lock();
        *self.instance.database.write() = Arc::new(Database::build(&version));
        *self.instance.version.write() = Arc::new(version);
    }

    /// Returns the HTTP service. It can be nested below a virtual directory; links then contain it.
    pub fn router(&self) -> Router {
        serve::router(self.clone())
    }

    /// Returns the requests since the start or the last [`Sample::clear_journal`], oldest first.
    /// The newest 10,000 are kept.
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.instance.journal.entries()
    }

    /// Returns the requests of the journal other than `GET` and `HEAD`, with any outcome. Token
    /// exchanges are omitted, because they change nothing.
    #[must_use]
    pub fn changes(&self) -> Vec<JournalEntry> {
        self.instance.journal.changes()
    }

    /// Clears the journal.
    pub fn clear_journal(&self) {
        self.instance.journal.clear();
    }

    /// Returns the tokens that were issued in token exchanges.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.instance.tokens
    }

    /// Returns the fault rules. Tests add a [`Fault`] to them.
    #[must_use]
    pub fn faults(&self) -> &FaultRules {
        &self.instance.faults
    }

    /// Sets whether requests are refused with 400 that have parameters or body fields which the
    /// [contract] does not list for their operation, or values of a wrong type. Real servers ignore
    /// them; default: off.
    pub fn refuse_unknown(&self, refuse: bool) {
        self.instance.strictness.set_refuses_unknown(refuse);
    }

    /// Sets whether successful responses are compared with the [contract]; default: off. The
    /// comparison parses each response again.
    pub fn check_responses(&self, check: bool) {
        self.instance.strictness.set_checks_responses(check);
    }

    /// Returns the differences between responses and the [contract], at most 1,000.
    #[must_use]
    pub fn contract_problems(&self) -> Vec<String> {
        self.instance.strictness.problems()
    }

    fn with_database(version: Version, database: Arc<Database>) -> Self {
        let instance = Instance {
            version: RwLock::new(Arc::new(version)),
            database: RwLock::new(database),
            write_lock: Mutex::default(),
            journal: Journal::default(),
            tokens: Tokens::default(),
            faults: FaultRules::default(),
            strictness: Strictness::default(),
        };
        Self { instance: Arc::new(instance) }
    }
}

impl Instance {
    /// Returns the version of the server.
    fn version(&self) -> Arc<Version> {
        Arc::clone(&self.version.read())
    }

    /// Returns the present state.
    fn database(&self) -> Arc<Database> {
        Arc::clone(&self.database.read())
    }

    /// Makes a change. `act` reads the present state and changes a draft, which replaces the state
    /// if `act` succeeds.
    fn change(&self, act: impl FnOnce(&Database, &mut Database) -> ApiResult) -> ApiResult {
        let _guard = self.write_lock.lock();
        let before = self.database();
        let mut draft = Database::clone(&before);
        let answer = act(&before, &mut draft)?;
        *self.database.write() = Arc::new(draft);
        Ok(answer)
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.instance.version();
        formatter.debug_struct("Sample").field("version", &version.text()).finish_non_exhaustive()
    }
}

impl Default for Sample {
    fn default() -> Self {
        Self::new()
    }
}
