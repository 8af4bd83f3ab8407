//! Takeover: continues a session that another replica started.
//!
//! The replica creates a local session with the same ID and replays the client's `initialize`.

use std::{sync::Arc, time::Duration};

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
use tokio_util::sync::CancellationToken;

use super::{ClientOrigin, SessionLimit, SessionOwner, SessionRegistry};
use crate::{
    auth::Caller,
    mcp::{McpProvider, Protocol},
};

/// Time limit of each step of a takeover.
const TAKEOVER_TIMEOUT: Duration = Duration::from_secs(10);

/// The reason why a session was not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeoverError {
    /// A session limit is reached.
    LimitReached(SessionLimit),
    /// Replaying the stored `initialize` failed or timed out, or sessions are not shared.
    Failed,
}

impl SessionRegistry {
    /// Takes over a session of another replica, which started with these `initialize` parameters.
    ///
    /// `parts` are those of the current HTTP request. The takeover runs in its own task, so it also
    /// completes if the client disconnects.
    ///
    /// # Errors
    ///
    /// [`TakeoverError`] if a session limit is reached or the takeover fails.
    pub async fn take_over<O: McpProvider>(
        self: &Arc<Self>,
        protocol: &Protocol<O>,
        id: &str,
        initialize: InitializeRequestParams,
        (caller, origin, parts): (&Caller, ClientOrigin, Parts),
    ) -> Result<(), TakeoverError> {
        let (sessions, protocol, id) = (Arc::clone(self), protocol.clone(), SessionId::from(id));
        let owner = (Some(caller.fingerprint()), origin);
        let takeover =
            async move { sessions.run_takeover(&protocol, &id, (initialize, parts), owner).await };
        tokio::spawn(takeover).await.unwrap_or(Err(TakeoverError::Failed))
    }

    async fn run_takeover<O: McpProvider>(
        self: &Arc<Self>,
        protocol: &Protocol<O>,
        id: &SessionId,
        initialize: (InitializeRequestParams, Parts),
        (owner, origin): (SessionOwner, ClientOrigin),
    ) -> Result<(), TakeoverError> {
        let Some(shared) = &self.shared else { return Err(TakeoverError::Failed) };
        let takeovers = tokio::time::timeout(TAKEOVER_TIMEOUT, shared.takeovers.lock()).await;
        let mut takeovers = takeovers.map_err(|_| TakeoverError::Failed)?;
        if self.entries().contains_key(&**id) {
            return Ok(());
        }
        self.plan_eviction(&self.entries(), owner, &origin).map_err(TakeoverError::LimitReached)?;
        *takeovers += 1;
        let number = *takeovers;
        let ended = CancellationToken::new();
        let replayed = self.replay_initialize(protocol, id, initialize, (number, ended.clone()));
        let is_ready =
            tokio::time::timeout(TAKEOVER_TIMEOUT, replayed).await.is_ok_and(|ready| ready);
        let eviction = if is_ready {
            self.add_entry(id, (owner, origin), number).map_err(TakeoverError::LimitReached)
        } else {
            Err(TakeoverError::Failed)
        };
        let eviction = match eviction {
            Ok(eviction) => eviction,
            Err(error) => {
                self.close(id).await;
                return Err(error);
            }
        };
        // Releases the lock first, so that other takeovers do not wait for the evicted session.
        drop(takeovers);
        self.evict(eviction).await;
        // The new session can have ended before its entry existed.
        if ended.is_cancelled() {
            self.close_if_current(id, number).await;
            return Err(TakeoverError::Failed);
        }
        tracing::debug!("session taken over from another replica");
        Ok(())
    }

    /// Creates the local session and replays the client's handshake. Returns whether it succeeded.
    async fn replay_initialize<O: McpProvider>(
        self: &Arc<Self>,
        protocol: &Protocol<O>,
        id: &SessionId,
        (initialize, parts): (InitializeRequestParams, Parts),
        (number, ended): (u64, CancellationToken),
    ) -> bool {
        let Ok(RestoreOutcome::Restored(transport)) = self.local.restore_session(id.clone()).await
        else {
            return false;
        };
        let (sessions, service, session_id) = (Arc::clone(self), protocol.clone(), id.clone());
        let (ready, is_ready) = oneshot::channel();
        tokio::spawn(async move {
            let serving = serve_server::<_, _, _, TransportAdapterIdentity>(service, transport);
            if let Ok(service) = serving.await {
                let _ = ready.send(());
                let _ = service.waiting().await;
            }
            ended.cancel();
            sessions.close_if_current(&session_id, number).await;
        });
        let request = InitializeRequest::new(initialize);
        let mut initialize_request = ClientJsonRpcMessage::request(
            ClientRequest::InitializeRequest(request),
            NumberOrString::Number(0),
        );
        initialize_request.insert_extension(parts.clone());
        let mut initialized_notification = ClientJsonRpcMessage::notification(
            ClientNotification::InitializedNotification(InitializedNotification::default()),
        );
        initialized_notification.insert_extension(parts);
        matches!(
            self.local.initialize_session(id, initialize_request).await,
            Ok(JsonRpcMessage::Response(_))
        ) && self.local.accept_message(id, initialized_notification).await.is_ok()
            && is_ready.await.is_ok()
    }

    /// Closes the session if its entry still has this takeover number (0: it started here).
    ///
    /// Otherwise the session was taken over again since, and the new entry stays.
    pub(super) async fn close_if_current(&self, id: &SessionId, number: u64) {
        let is_current =
            self.entries().get(&**id).is_some_and(|entry| entry.takeover_number == number);
        if is_current {
            self.close_all(vec![id.to_string()]).await;
        }
    }
}
