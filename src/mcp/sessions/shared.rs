//! Sessions that replicas share: what the store knows of each, and how a replica goes on with one
//! that began at another.
//!
//! The store has the greeting with which a session began, for as long as the session may be idle;
//! every request on it gives it that time again. A replica that does not know a session greets
//! itself with that, and serves it from then on. What runs stays where it runs: calls, and the
//! streams of their answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Instant,
};

use rmcp::{model::InitializeRequestParams, transport::streamable_http_server::session::SessionId};

use super::{Sessions, purpose};
use crate::{
    callers::Caller,
    octopus::Fingerprint,
    store::{Kept, Key, Store, Written},
    tool::Narrowing,
};

/// What sessions are called in the store.
const KIND: &str = "session";

/// What replicas share of sessions.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    /// What tells this replica from the others.
    pub(super) us: String,
    /// The questions that were asked here and wait for an answer, and the ID of each.
    pub(super) waiting: Mutex<HashMap<(SessionId, i64), Arc<str>>>,
    /// How many questions were asked here.
    pub(super) asked: AtomicU64,
    /// How many sessions were taken up here. One after the other is.
    pub(super) taken: tokio::sync::Mutex<u64>,
}

/// Where a session is.
#[derive(Debug)]
pub enum Found {
    /// This replica serves it.
    Here,
    /// Another replica does, and it began with this greeting.
    Elsewhere(Box<InitializeRequestParams>),
    /// Nowhere: it is over, another caller's, or never was.
    Nowhere,
    /// Nobody knows: the store is away.
    Unknown,
}

impl Shared {
    pub(super) fn new(store: Arc<Store>) -> Self {
        let us = uuid::Uuid::new_v4().simple().to_string();
        let (waiting, taken) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { store, us, waiting, asked: AtomicU64::new(0), taken }
    }
}

fn key(id: &str) -> Key {
    *Fingerprint::of([id.as_bytes()]).as_bytes()
}

impl Sessions {
    /// Where the session of a caller is that has this ID, and began with what this request is
    /// narrowed to.
    pub async fn find(&self, id: &str, caller: &Caller, narrowing: &Narrowing) -> Found {
        let whose = Some(caller.fingerprint());
        if self.seal.open(id, &purpose((whose, narrowing.digest()))).is_err() {
            return Found::Nowhere;
        }
        let known = self.known().get_mut(id).map(|known| {
            let is_theirs = known.whose == whose;
            if is_theirs {
                known.last = Instant::now();
            }
            (is_theirs, known.shared)
        });
        let is_here = match known {
            Some((false, _)) => return Found::Nowhere,
            Some((true, _)) => true,
            None => false,
        };
        let Some(shared) = &self.shared else {
            return if is_here { Found::Here } else { Found::Nowhere };
        };
        if known == Some((true, false)) {
            return Found::Here;
        }
        match shared.store.renew(KIND, &key(id), self.idle).await {
            Kept::Good(greeting) => match serde_json::from_slice(&greeting) {
                Ok(_) if is_here => Found::Here,
                Ok(greeting) => Found::Elsewhere(Box::new(greeting)),
                Err(_) => self.is_over(id).await,
            },
            Kept::Gone => self.is_over(id).await,
            Kept::Unknown if is_here => Found::Here,
            Kept::Unknown => Found::Unknown,
        }
    }

    /// Knows a session no more, nor what was asked on it.
    pub(super) fn forget(&self, id: &str) {
        self.known().remove(id);
        if let Some(shared) = &self.shared {
            shared.waiting().retain(|(session, _), _| &**session != id);
        }
    }

    /// Ends here what has ended at another replica.
    async fn is_over(&self, id: &str) -> Found {
        self.forget(id);
        self.close(&id.into()).await;
        Found::Nowhere
    }

    /// Tells other replicas of a session that began here.
    pub(super) async fn share(&self, id: &str, greeting: &InitializeRequestParams) {
        let Some(shared) = &self.shared else { return };
        let greeting = serde_json::to_vec(greeting).unwrap_or_default();
        let written = shared.store.put(KIND, &key(id), &greeting, self.idle).await;
        let is_shared = matches!(written, Written::Shared | Written::Soon);
        if !is_shared {
            tracing::warn!("other replicas do not learn of a session, which stays at this one");
        }
        if let Some(known) = self.known().get_mut(id) {
            known.shared = is_shared;
        }
    }

    /// Ends a session, at every replica.
    pub async fn end(&self, id: &str) {
        if let Some(shared) = &self.shared {
            shared.store.remove(KIND, &key(id), self.idle).await;
        }
        self.forget(id);
        self.close(&id.into()).await;
    }

    /// Keeps the sessions with open streams from ending at the other replicas, and ends those that
    /// ended there.
    pub(super) async fn keep_in_use(&self) {
        let Some(shared) = &self.shared else { return };
        let in_use: Vec<String> = {
            let known = self.known();
            let in_use = known.iter().filter(|(_, known)| known.shared && known.open > 0);
            in_use.map(|(id, _)| id.clone()).collect()
        };
        let mut over = Vec::new();
        for id in in_use {
            match shared.store.renew(KIND, &key(&id), self.idle).await {
                Kept::Good(greeting) if is_greeting(&greeting) => {}
                Kept::Unknown => break,
                Kept::Good(_) | Kept::Gone => over.push(id),
            }
        }
        self.close_all(over).await;
    }
}

fn is_greeting(value: &[u8]) -> bool {
    serde_json::from_slice::<InitializeRequestParams>(value).is_ok()
}
