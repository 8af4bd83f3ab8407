//! Sessions shared between replicas through the store.
//!
//! The store keeps the `initialize` parameters of each session under a digest of its ID. Their
//! lifetime is `http.session_idle`, and every request on the session renews it. A replica that does
//! not have the session replays these parameters and serves the session from then on. Running calls
//! and their response streams stay at their replica.

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

/// Kind of sessions in the store.
const KIND: &str = "session";

/// The shared session state of this replica.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    /// Random ID of this replica.
    pub(super) us: String,
    /// Pending requests to clients, by session and local number, with their wire IDs.
    pub(super) waiting: Mutex<HashMap<(SessionId, i64), Arc<str>>>,
    /// Number of requests that this replica has sent, which makes wire IDs unique.
    pub(super) asked: AtomicU64,
    /// Number of takeovers at this replica. The lock serializes them.
    pub(super) taken: tokio::sync::Mutex<u64>,
}

/// The location of a session.
#[derive(Debug)]
pub enum Found {
    /// This replica serves it.
    Here,
    /// Another replica serves it; it started with these `initialize` parameters.
    Elsewhere(Box<InitializeRequestParams>),
    /// The session has ended, has another owner or never existed.
    Nowhere,
    /// Not known, because the store is not available.
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
    /// Finds the session with this ID, owner and request scope, and renews its lifetime in the
    /// store.
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

    /// Removes the entry of a session and its pending requests.
    pub(super) fn forget(&self, id: &str) {
        self.known().remove(id);
        if let Some(shared) = &self.shared {
            shared.waiting().retain(|(session, _), _| &**session != id);
        }
    }

    /// Ends a session here that ended at another replica.
    async fn is_over(&self, id: &str) -> Found {
        self.forget(id);
        self.close(&id.into()).await;
        Found::Nowhere
    }

    /// Writes a session that started here to the store. On failure, only this replica can serve it.
    pub(super) async fn share(&self, id: &str, greeting: &InitializeRequestParams) {
        let Some(shared) = &self.shared else { return };
        let greeting = serde_json::to_vec(greeting).unwrap_or_default();
        let written = shared.store.put(KIND, &key(id), &greeting, self.idle).await;
        let is_shared = matches!(written, Written::Shared | Written::Soon);
        if !is_shared {
            tracing::warn!("session not written to the store; only this replica can serve it");
        }
        if let Some(known) = self.known().get_mut(id) {
            known.shared = is_shared;
        }
    }

    /// Ends a session here and removes it from the store, so that other replicas end it too.
    pub async fn end(&self, id: &str) {
        if let Some(shared) = &self.shared {
            shared.store.remove(KIND, &key(id), self.idle).await;
        }
        self.forget(id);
        self.close(&id.into()).await;
    }

    /// Renews sessions with open streams in the store, and ends those that the store no longer has.
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
