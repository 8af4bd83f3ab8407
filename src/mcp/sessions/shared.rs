//! Sessions shared between replicas through the store.
//!
//! The store keeps the `initialize` parameters of each session under a digest of its ID. Their
//! lifetime is `http.session_idle`, and every request on the session renews it. A replica that does
//! not have the session replays these parameters and serves the session from then on. Running calls
//! and their response streams stay at their replica.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use parking_lot::Mutex;
use rmcp::{model::InitializeRequestParams, transport::streamable_http_server::session::SessionId};

use super::{SessionRegistry, id_context};
use crate::{
    access::RequestScope,
    auth::Caller,
    octopus::Fingerprint,
    store::{RenewOutcome, Store, StoreKey, WriteOutcome},
};

/// Kind of sessions in the store.
const KIND: &str = "session";

/// The shared session state of this replica.
#[derive(Debug)]
pub(super) struct SharedSessions {
    pub(super) store: Arc<Store>,
    /// Random ID of this replica.
    pub(super) replica_id: String,
    /// Pending requests to clients, by session and local number, with their wire IDs.
    pub(super) pending: Mutex<HashMap<(SessionId, i64), Arc<str>>>,
    /// Number of requests that this replica has sent, which makes wire IDs unique.
    pub(super) request_count: AtomicU64,
    /// Number of takeovers at this replica. The lock serializes them.
    pub(super) takeovers: tokio::sync::Mutex<u64>,
}

/// The location of a session.
#[derive(Debug)]
pub enum SessionLocation {
    /// This replica serves it.
    Local,
    /// Another replica serves it; it started with these `initialize` parameters.
    Remote(Box<InitializeRequestParams>),
    /// The session has ended, has another owner or never existed.
    NotFound,
    /// The location is unknown, because the store is not available.
    Unknown,
}

impl SharedSessions {
    pub(super) fn new(store: Arc<Store>) -> Self {
        let replica_id = uuid::Uuid::new_v4().simple().to_string();
        let (pending, takeovers) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { store, replica_id, pending, request_count: AtomicU64::new(0), takeovers }
    }
}

fn session_key(id: &str) -> StoreKey {
    *Fingerprint::of([id.as_bytes()]).as_bytes()
}

impl SessionRegistry {
    /// Finds the session with this ID, owner and request scope, and renews its lifetime in the
    /// store.
    pub async fn locate(&self, id: &str, caller: &Caller, scope: &RequestScope) -> SessionLocation {
        let owner = Some(caller.fingerprint());
        if self.seal.open(id, &id_context((owner, scope.digest()))).is_err() {
            return SessionLocation::NotFound;
        }
        let local = self.entries().get_mut(id).map(|entry| {
            let is_owner = entry.owner == owner;
            if is_owner {
                entry.last_used = Instant::now();
            }
            (is_owner, entry.is_shared)
        });
        let is_here = match local {
            Some((false, _)) => return SessionLocation::NotFound,
            Some((true, _)) => true,
            None => false,
        };
        let Some(shared) = &self.shared else {
            return if is_here { SessionLocation::Local } else { SessionLocation::NotFound };
        };
        if local == Some((true, false)) {
            return SessionLocation::Local;
        }
        match shared.store.renew(KIND, &session_key(id), self.idle).await {
            RenewOutcome::Renewed(initialize) => match serde_json::from_slice(&initialize) {
                Ok(_) if is_here => SessionLocation::Local,
                Ok(initialize) => SessionLocation::Remote(Box::new(initialize)),
                Err(_) => self.close_ended(id).await,
            },
            RenewOutcome::Missing => self.close_ended(id).await,
            RenewOutcome::Unknown if is_here => SessionLocation::Local,
            RenewOutcome::Unknown => SessionLocation::Unknown,
        }
    }

    /// Removes the entry of a session and its pending requests.
    pub(super) fn remove_entry(&self, id: &str) {
        self.entries().remove(id);
        if let Some(shared) = &self.shared {
            shared.pending().retain(|(session, _), _| &**session != id);
        }
    }

    /// Ends a session here that ended at another replica.
    async fn close_ended(&self, id: &str) -> SessionLocation {
        self.remove_entry(id);
        self.close(&id.into()).await;
        SessionLocation::NotFound
    }

    /// Writes a session that started here to the store. On failure, only this replica can serve it.
    pub(super) async fn publish(&self, id: &str, initialize: &InitializeRequestParams) {
        let Some(shared) = &self.shared else { return };
        let initialize = serde_json::to_vec(initialize).unwrap_or_default();
        let written = shared.store.put(KIND, &session_key(id), &initialize, self.idle).await;
        let is_shared = matches!(written, WriteOutcome::Shared | WriteOutcome::Queued);
        if !is_shared {
            tracing::warn!("session not written to the store; only this replica can serve it");
        }
        if let Some(entry) = self.entries().get_mut(id) {
            entry.is_shared = is_shared;
        }
    }

    /// Ends a session here and removes it from the store, so that other replicas end it too.
    pub async fn end(&self, id: &str) {
        if let Some(shared) = &self.shared {
            shared.store.remove(KIND, &session_key(id), self.idle).await;
        }
        self.remove_entry(id);
        self.close(&id.into()).await;
    }

    /// Renews sessions with open streams in the store, and ends those that the store no longer has.
    pub(super) async fn renew_in_use(&self) {
        let Some(shared) = &self.shared else { return };
        let in_use: Vec<String> = {
            let entries = self.entries();
            let in_use =
                entries.iter().filter(|(_, entry)| entry.is_shared && entry.open_streams > 0);
            in_use.map(|(id, _)| id.clone()).collect()
        };
        let mut ended = Vec::new();
        for id in in_use {
            match shared.store.renew(KIND, &session_key(&id), self.idle).await {
                RenewOutcome::Renewed(initialize) if is_initialize_params(&initialize) => {}
                RenewOutcome::Unknown => break,
                RenewOutcome::Renewed(_) | RenewOutcome::Missing => ended.push(id),
            }
        }
        self.close_all(ended).await;
    }
}

fn is_initialize_params(value: &[u8]) -> bool {
    serde_json::from_slice::<InitializeRequestParams>(value).is_ok()
}
