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
    time::Duration,
};

use http::request::Parts;
use rmcp::{
    model::{
        ClientJsonRpcMessage, ClientNotification, ClientRequest, InitializeRequest,
        InitializeRequestParams, InitializedNotification, JsonRpcMessage, NumberOrString,
    },
    serve_server,
    transport::{
        TransportAdapterIdentity,
        streamable_http_server::session::{RestoreOutcome, SessionId, SessionManager},
    },
};
use tokio::sync::oneshot;

use super::{Manager, NoRoom, Place, Sessions, purpose};
use crate::{
    callers::Caller,
    mcp::{Offering, Protocol},
    octopus::Fingerprint,
    store::{Kept, Key, Store, Written},
    tool::Narrowing,
};

/// What sessions are called in the store.
const KIND: &str = "session";
/// How long going on with a session may take.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// One session after the other is taken up.
    taking: tokio::sync::Mutex<()>,
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

/// Why a session is not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no room for it.
    NoRoom(NoRoom),
    /// The greeting that the store has led to nothing, or not in time.
    Failed,
}

impl Shared {
    pub(super) fn new(store: Arc<Store>) -> Self {
        let us = uuid::Uuid::new_v4().simple().to_string();
        let (waiting, taking) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { store, us, waiting, asked: AtomicU64::new(0), taking }
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
        let known = self.known().get(id).map(|known| (known.whose == whose, known.shared));
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

    /// Goes on with a session that began at another replica with this greeting, for the request
    /// that has these parts.
    pub async fn take_up<O: Offering>(
        self: &Arc<Self>,
        protocol: &Protocol<O>,
        id: &str,
        greeting: InitializeRequestParams,
        (caller, place, parts): (&Caller, Place, Parts),
    ) -> Result<(), NotTaken> {
        let Some(shared) = &self.shared else { return Err(NotTaken::Failed) };
        let alone = tokio::time::timeout(PATIENCE, shared.taking.lock()).await;
        let alone = alone.map_err(|_| NotTaken::Failed)?;
        if self.known().contains_key(id) {
            return Ok(());
        }
        let whose = Some(caller.fingerprint());
        self.room_in(&self.known(), whose, &place).map_err(NotTaken::NoRoom)?;
        let greeted = self.greet(protocol, id, greeting, parts);
        let is_ready = tokio::time::timeout(PATIENCE, greeted).await.is_ok_and(|ready| ready);
        let taken = if is_ready {
            self.take_place(id, whose, place).map_err(NotTaken::NoRoom)
        } else {
            Err(NotTaken::Failed)
        };
        let ends = match taken {
            Ok(ends) => ends,
            Err(why) => {
                self.close(&id.into()).await;
                return Err(why);
            }
        };
        if let Some(known) = self.known().get_mut(id) {
            known.shared = true;
        }
        // Others need not wait for what gives way.
        drop(alone);
        if let Some(ends) = ends {
            self.end(&ends).await;
        }
        tracing::debug!("goes on with a session of another replica");
        Ok(())
    }

    /// Makes a session anew, as its client made it. Whether there is one now.
    async fn greet<O: Offering>(
        self: &Arc<Self>,
        protocol: &Protocol<O>,
        id: &str,
        greeting: InitializeRequestParams,
        parts: Parts,
    ) -> bool {
        let id = SessionId::from(id);
        let Ok(RestoreOutcome::Restored(transport)) = self.local.restore_session(id.clone()).await
        else {
            return false;
        };
        let (manager, service, ended) =
            (Manager(Some(Arc::clone(self))), protocol.clone(), id.clone());
        let (ready, is_ready) = oneshot::channel();
        tokio::spawn(async move {
            let serving = serve_server::<_, _, _, TransportAdapterIdentity>(service, transport);
            if let Ok(served) = serving.await {
                let _ = ready.send(());
                let _ = served.waiting().await;
            }
            let _ = manager.close_session(&ended).await;
        });
        let request = InitializeRequest::new(greeting);
        let mut hello = ClientJsonRpcMessage::request(
            ClientRequest::InitializeRequest(request),
            NumberOrString::Number(0),
        );
        hello.insert_extension(parts.clone());
        let mut done = ClientJsonRpcMessage::notification(
            ClientNotification::InitializedNotification(InitializedNotification::default()),
        );
        done.insert_extension(parts);
        matches!(self.local.initialize_session(&id, hello).await, Ok(JsonRpcMessage::Response(_)))
            && self.local.accept_message(&id, done).await.is_ok()
            && is_ready.await.is_ok()
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
        self.forget(id);
        self.close(&id.into()).await;
        if let Some(shared) = &self.shared {
            // What does not read as a greeting is over. It is written when a store that is away is
            // back.
            shared.store.put(KIND, &key(id), b"over", self.idle).await;
        }
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
        for id in in_use {
            match shared.store.renew(KIND, &key(&id), self.idle).await {
                Kept::Good(greeting) if greeting != b"over" => {}
                Kept::Unknown => return,
                Kept::Good(_) | Kept::Gone => {
                    self.is_over(&id).await;
                }
            }
        }
    }
}
