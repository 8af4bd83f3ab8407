//! Who started what, so that nobody answers the interruption of what they started themselves.
//!
//! It is remembered here. What is not, because the process is another one since, or the answer to
//! the order never came, Octopus is asked: it knows which of its users started a task. Whom that
//! user stood for it does not know, so the user alone is enough to refuse.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use serde_json::Value;

use super::{Context, Error, paths};
use crate::{
    callers::Way,
    octopus::{self, Fingerprint, Id, Method, Order, Reply, tasks::Task, users},
    store::{Key, Store, Written},
};

/// How long it is remembered who started a task. Interruptions wait for people.
const KEPT: Duration = Duration::from_hours(14 * 24);
/// What this is called in the store.
const KIND: &str = "starter";
/// How long it is believed which user of Octopus a credential stands for.
const USER_KEPT: Duration = Duration::from_mins(10);
/// How many credentials' users are remembered.
const USERS: u64 = 10_000;
/// What there is to do for whoever is refused.
const INSTEAD: &str = "Somebody else must answer its interruption, with a key of their own, or in \
                       the Octopus portal; whoever runs this server can let it remember who \
                       started what with `limits.store`";

/// Who started which task, at which instance. Replicas that share a store know of one another.
#[derive(Debug)]
pub struct Starters {
    store: Arc<Store>,
    users: Cache<Fingerprint, String>,
}

impl Starters {
    /// Remembers in this store.
    pub fn new(store: Arc<Store>) -> Self {
        let users = Cache::builder().max_capacity(USERS).time_to_live(USER_KEPT).build();
        Self { store, users }
    }

    /// Remembers that a task was started by whoever has one of these fingerprints.
    async fn remember(&self, instance: &str, task: &str, person: &[Fingerprint]) {
        let person: Vec<u8> = person.iter().flat_map(Fingerprint::as_bytes).copied().collect();
        let written = self.store.put(KIND, &key(instance, task), &person, KEPT).await;
        if matches!(written, Written::Here | Written::Nowhere) {
            tracing::warn!(task, instance, "other replicas do not learn who started this");
        }
    }

    /// The fingerprints of whoever started a task, where that is known.
    async fn of(&self, instance: &str, task: &str) -> Vec<u8> {
        self.store.get(KIND, &key(instance, task)).await.unwrap_or_default()
    }
}

fn key(instance: &str, task: &str) -> Key {
    *Fingerprint::of([instance, &task.to_lowercase()].map(str::as_bytes)).as_bytes()
}

impl Context {
    /// Remembers that the caller started what an order started.
    pub(super) async fn started(&self, order: &Order, reply: &Reply) {
        if !self.rules.four_eyes() || order.method != Method::Post {
            return;
        }
        let tasks = tasks_of(order, reply);
        if tasks.is_empty() {
            return;
        }
        // What cannot be asked of Octopus now, it is asked when it is needed.
        let Ok(person) = self.person().await else { return };
        for task in tasks {
            // Whoever is told of it later did not start it.
            let task = task.as_str();
            if !self.starters.of(&self.instance.name, task).await.is_empty() {
                continue;
            }
            self.starters.remember(&self.instance.name, task, &person).await;
        }
    }

    /// Refuses an answer to the interruption of a task that the same caller started.
    pub(super) async fn four_eyes(&self, order: &Order) -> Result<(), Error> {
        if !self.rules.four_eyes() {
            return Ok(());
        }
        let Some(interruption) = paths::interruption(&order.path) else { return Ok(()) };
        let document = self.session.object(&interruption).await?;
        let task = document.get("TaskId").and_then(Value::as_str);
        let Some(task) = task.and_then(|task| Id::<Task>::parse(task).ok()) else {
            return Err(denied(format!(
                "Octopus does not say which task is interrupted, so it may be one that you \
                 started. {INSTEAD}"
            )));
        };
        let starters = self.starters.of(&self.instance.name, task.as_str()).await;
        if starters.is_empty() {
            return self.four_eyes_of_octopus(&task).await;
        }
        let person = self.person().await?;
        let started = |one: &Fingerprint| starters.chunks_exact(32).any(|s| s == one.as_bytes());
        if person.iter().any(started) {
            return Err(denied(format!(
                "you started {task} through this server, so somebody else must answer its \
                 interruption"
            )));
        }
        Ok(())
    }

    /// Refuses the same where it is not remembered who started the task, and Octopus says that it
    /// was the user who acts for the caller, or says nothing.
    async fn four_eyes_of_octopus(&self, task: &Id<Task>) -> Result<(), Error> {
        let Some(starter) = octopus::started_by(&self.session, task).await? else {
            return Err(denied(format!(
                "it cannot be known who started {task}: this server does not remember it, and \
                 Octopus does not say it, so it may have been you. {INSTEAD}"
            )));
        };
        if starter.trim().eq_ignore_ascii_case(&self.user().await?) {
            return Err(denied(format!(
                "{task} was started by the Octopus user that acts for you, and this server does \
                 not remember for whom, so it may have been you. {INSTEAD}"
            )));
        }
        Ok(())
    }

    /// Who the caller is, whatever key they use: where they are known by their credential alone,
    /// or not at all, the user of Octopus that it stands for.
    async fn person(&self) -> Result<Vec<Fingerprint>, octopus::Error> {
        let own = self.caller.fingerprint();
        if !matches!(self.caller.way, Way::Octopus | Way::Nobody) {
            return Ok(vec![own]);
        }
        let user = self.user().await?;
        let user = Fingerprint::of([b"user".as_slice(), user.as_bytes()]);
        // Nobody in particular is everybody: the user alone tells them apart.
        Ok(if self.caller.way == Way::Octopus { vec![own, user] } else { vec![user] })
    }

    /// The ID of the user of Octopus that acts for the caller at this instance.
    async fn user(&self) -> Result<String, octopus::Error> {
        let instance = self.session.client().url().as_str().as_bytes();
        let whose = self.session.whose().and(instance);
        if let Some(user) = self.starters.users.get(&whose) {
            return Ok(user);
        }
        let user = users::me(&self.session.unrecorded()).await?.id.into_string();
        self.starters.users.insert(whose, user.clone());
        Ok(user)
    }
}

fn denied(message: String) -> Error {
    Error::Denied { rule: Some("four eyes".to_owned()), message: Some(message), unknown: None }
}

/// The tasks that an order started. An order about a task or an interruption answers with one that
/// was there before.
fn tasks_of<'a>(order: &Order, reply: &'a Reply) -> Vec<&'a Id<Task>> {
    let segments = order.path.segments();
    let holds = |text: &str| segments.iter().any(|segment| segment.eq_ignore_ascii_case(text));
    if holds("interruptions") {
        return Vec::new();
    }
    reply.tasks.iter().filter(|task| !holds(task.as_str())).collect()
}
