//! The embedded sample instance: an Octopus Server in memory.
//!
//! [`Sample::router`] answers as Octopus Server answers, for an invented freight company with two
//! spaces, fifteen projects and ninety days of deployments. `octopus-mcp --sample`, the tests and
//! the benches all speak to it. It knows nothing of the rest of this crate, on purpose: our REST
//! client and this module are two independent descriptions of one API, and each proves the other.
//!
//! The start is fixed: the clock stands at 2026-11-02T09:00:00Z, every ID is predictable, and two
//! sample instances give the same bytes. What a caller changes is changed in that one instance.
//!
//! | part | what it holds |
//! | --- | --- |
//! | [`keys`] | the API keys and the access token that open it |
//! | `fixtures/` | what was written by hand, one JSON file for each collection |
//! | `world/` | the collections, built from the fixtures once |
//! | `history/` | releases, deployments and tasks of ninety days, made by code |
//! | `activity/` | the activity tree and the log of a task, made when somebody asks |
//! | `routes/` | one file for each collection: which paths it answers and with what |
//! | `trouble.rs`, `fault.rs` | faults on demand |
//! | `order.rs` | what a request wants changed |
//! | `journal.rs` | what was asked |
//! | `tokens.rs` | the exchange of tokens for those of a service account |
//!
//! A new collection takes a fixture, a line in `world/mod.rs`, a file in `routes/` and a line in
//! `routes/mod.rs`. What may be changed stands in `routes/changes.rs`.

mod activity;
mod answer;
#[cfg(test)]
mod asking;
mod call;
mod clock;
mod credential;
mod dice;
mod edited;
mod fault;
mod history;
mod journal;
pub mod keys;
mod order;
mod page;
mod precedence;
mod query;
mod routes;
mod serve;
mod tokens;
mod trouble;
mod users;
mod version;
mod world;

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use axum::Router;

pub use fault::Fault;
pub use journal::Entry;
pub use precedence::Precedence;
pub use tokens::Tokens;
pub use trouble::Trouble;

use answer::Answered;
use journal::Journal;
use version::Version;
use world::World;

/// The version of Octopus Server that [`Sample::new`] reports.
pub const VERSION: &str = "2026.3.7314";

/// An Octopus Server in memory. A clone is the same instance.
#[derive(Clone)]
pub struct Sample {
    instance: Arc<Instance>,
}

/// What one sample instance consists of.
struct Instance {
    version: Version,
    /// The state as it is; a change puts another in its place.
    world: RwLock<Arc<World>>,
    /// Held while a change is made, so that none is lost.
    turn: Mutex<()>,
    journal: Journal,
    tokens: Tokens,
    trouble: Trouble,
}

impl Sample {
    /// A sample instance of the current version.
    #[must_use]
    pub fn new() -> Self {
        static CURRENT: LazyLock<Arc<World>> =
            LazyLock::new(|| Arc::new(World::build(&Version::parse(VERSION))));
        Self::with_world(Version::parse(VERSION), Arc::clone(&CURRENT))
    }

    /// A sample instance that reports this version, such as `2024.4.6962`, and answers 404 on
    /// every path that came later.
    #[must_use]
    pub fn with_version(version: &str) -> Self {
        let version = Version::parse(version);
        let world = Arc::new(World::build(&version));
        Self::with_world(version, world)
    }

    /// The same sample instance, whose executions API looks at this first.
    #[must_use]
    pub fn preferring(self, precedence: Precedence) -> Self {
        let mut world = World::clone(&self.instance.world());
        world.precedence = precedence;
        *self.instance.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(world);
        self
    }

    /// The HTTP side. The caller may nest it below a virtual directory; links then start with it.
    pub fn router(&self) -> Router {
        serve::router(self.clone())
    }

    /// Every request since the start or since [`Sample::clear_journal`], oldest first. Only the
    /// newest ten thousand are kept.
    #[must_use]
    pub fn journal(&self) -> Vec<Entry> {
        self.instance.journal.entries()
    }

    /// The requests of the journal that are neither `GET` nor `HEAD`, whatever became of them. The
    /// exchange of a token changes nothing, and is not among them.
    #[must_use]
    pub fn changes(&self) -> Vec<Entry> {
        self.instance.journal.changes()
    }

    /// Forgets the requests so far.
    pub fn clear_journal(&self) {
        self.instance.journal.clear();
    }

    /// The access tokens that were given for others.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.instance.tokens
    }

    /// The faults on demand.
    #[must_use]
    pub fn trouble(&self) -> &Trouble {
        &self.instance.trouble
    }

    fn with_world(version: Version, world: Arc<World>) -> Self {
        let instance = Instance {
            version,
            world: RwLock::new(world),
            turn: Mutex::default(),
            journal: Journal::default(),
            tokens: Tokens::default(),
            trouble: Trouble::default(),
        };
        Self { instance: Arc::new(instance) }
    }
}

impl Instance {
    /// The state as it is now.
    fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a change: `act` sees the state and changes a draft of the next one, which counts
    /// where there is an answer and is forgotten where there is a refusal.
    fn change(&self, act: impl FnOnce(&World, &mut World) -> Answered) -> Answered {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.world();
        let mut draft = World::clone(&before);
        let answer = act(&before, &mut draft)?;
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(draft);
        Ok(answer)
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.instance.version.text();
        formatter.debug_struct("Sample").field("version", &version).finish_non_exhaustive()
    }
}

impl Default for Sample {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::asking::{ask, ask_with, get, reason};
    use super::*;

    #[tokio::test]
    async fn a_change_is_seen_in_its_own_instance_only() {
        let (one, other) = (Sample::new(), Sample::new());
        let body = json!({ "Name": "Sandbox", "Description": "Play here" });
        let (status, made) = ask(&one, "POST", "Spaces-1/environments", body.clone()).await;
        assert_eq!((status, made["Id"].as_str()), (201, Some("Environments-23")));
        let path = "Spaces-1/environments/Environments-23";
        assert_eq!(get(&one, path).await["Slug"], "sandbox");
        assert_eq!(ask(&other, "GET", path, json!(null)).await.0, 404);
        let (status, refused) = ask(&one, "POST", "Spaces-1/environments", body).await;
        assert_eq!(status, 400);
        assert!(reason(&refused).contains("already in use"), "{refused}");

        let mut changed = get(&one, path).await;
        changed["Name"] = json!("Playground");
        assert_eq!(ask(&one, "PUT", path, changed).await.0, 200);
        assert_eq!(get(&one, path).await["Name"], "Playground");
        assert_eq!(ask(&one, "DELETE", path, json!(null)).await.0, 200);
        assert_eq!(ask(&one, "GET", path, json!(null)).await.0, 404);
        assert_eq!(ask(&one, "DELETE", path, json!(null)).await.0, 404);

        let asked = one.changes();
        let told: Vec<_> =
            asked.iter().map(|entry| (entry.method.as_str(), entry.status)).collect();
        let expected = [
            ("POST", Some(201)),
            ("POST", Some(400)),
            ("PUT", Some(200)),
            ("DELETE", Some(200)),
            ("DELETE", Some(404)),
        ];
        assert_eq!(told, expected);
        assert_eq!(asked[0].body.as_ref().map(|body| &body["Name"]), Some(&json!("Sandbox")));
        assert_eq!(asked[3].body, None);
        assert!(other.changes().is_empty());
    }

    #[tokio::test]
    async fn who_may_only_look_changes_nothing() {
        let sample = Sample::new();
        let deploy = json!({
            "ProjectName": "Label Printing Service", "ReleaseVersion": "1.4.0",
            "EnvironmentNames": ["Staging"],
        });
        let rows = [
            ("POST", "deployments/create/untenanted/v1", deploy, "DeploymentCreate"),
            ("POST", "releases/create/v1", json!({}), "ReleaseCreate"),
            ("POST", "runbook-runs/create/v1", json!({}), "RunbookRunCreate"),
            ("POST", "tasks/ServerTasks-90008/cancel", json!(null), "TaskCancel"),
            (
                "PUT",
                "projects/Projects-1/featuretoggles/eta-window",
                json!({}),
                "FeatureToggleEdit",
            ),
            ("DELETE", "tenants/Tenants-1", json!(null), "TenantDelete"),
        ];
        for (method, path, body, permission) in rows {
            let path = format!("Spaces-1/{path}");
            let (status, body) = ask_with(&sample, keys::VIEW_ONLY, method, &path, body).await;
            assert_eq!(status, 403, "{path} {body}");
            let message = body["ErrorMessage"].as_str().unwrap_or_default();
            assert!(message.ends_with(&format!("Missing permission: {permission}")), "{message}");
        }
        let path = "Spaces-1/projects/Projects-1/featuretoggles";
        assert_eq!(ask_with(&sample, keys::VIEW_ONLY, "GET", path, json!(null)).await.0, 200);
    }

    #[tokio::test]
    async fn a_deleted_project_takes_with_it_what_it_had() {
        let sample = Sample::new();
        assert_eq!(
            ask(&sample, "DELETE", "Spaces-1/projects/Projects-6", json!(null)).await.0,
            200
        );
        for path in
            ["projects/label-printing-service", "releases/Releases-9008", "channels/Channels-6"]
        {
            assert_eq!(ask(&sample, "GET", &format!("Spaces-1/{path}"), json!(null)).await.0, 404);
        }
        let path = "Spaces-1/projectgroups/ProjectGroups-2";
        assert_eq!(ask(&sample, "DELETE", path, json!(null)).await.0, 400);
        let body = json!({
            "Name": "Fleet Health", "ProjectGroupId": "ProjectGroups-2", "LifecycleId": "Lifecycles-9",
        });
        let (status, refused) = ask(&sample, "POST", "Spaces-1/projects", body).await;
        assert_eq!((status, reason(&refused)), (400, "The resource 'Lifecycles-9' was not found."));
        assert_eq!(ask(&sample, "PATCH", "Spaces-1/projects", json!({})).await.0, 405);
    }
}
