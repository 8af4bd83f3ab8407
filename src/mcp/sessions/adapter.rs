//! [`SessionManagerAdapter`]: rmcp's `SessionManager` on top of the [`SessionRegistry`].

use std::{pin::Pin, sync::Arc, time::Instant};

use futures::{Stream, StreamExt};
use rmcp::{
    model::{
        ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, JsonRpcRequest, ServerJsonRpcMessage,
    },
    transport::streamable_http_server::session::{
        RestoreOutcome, ServerSseMessage, SessionId, SessionManager,
        local::{LocalSessionManager, LocalSessionManagerError as Error, SessionError},
    },
};

use super::{CURRENT_REQUEST, ID_LIFETIME, SessionRegistry, id_context};

/// Implements rmcp's `SessionManager`. The value is `None` if `http.sessions` is `off`.
#[derive(Debug, Clone)]
pub struct SessionManagerAdapter(pub Option<Arc<SessionRegistry>>);

type MessageStream = Pin<Box<dyn Stream<Item = ServerSseMessage> + Send + Sync>>;

impl SessionManagerAdapter {
    fn sessions(&self) -> Result<&Arc<SessionRegistry>, Error> {
        self.0.as_ref().ok_or_else(|| Error::SessionNotFound("none".into()))
    }

    fn local(&self) -> Result<&LocalSessionManager, Error> {
        self.sessions().map(|sessions| &sessions.local)
    }

    /// Wraps a stream, so that its session is in use until the stream is dropped, and
    /// rewrites the IDs of its messages.
    fn track_stream(
        &self,
        id: &SessionId,
        stream: impl Stream<Item = ServerSseMessage> + Send + Sync + 'static,
    ) -> MessageStream {
        let open = self.0.as_ref().map(|sessions| StreamGuard::new(Arc::clone(sessions), id));
        Box::pin(stream.map(move |message| match &open {
            Some(open) => open.sessions.rewrite_outgoing(&open.id, message),
            None => message,
        }))
    }
}

impl SessionManager for SessionManagerAdapter {
    type Error = Error;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Error> {
        let sessions = self.sessions()?;
        // Without an authenticated request, the session would have no owner, so none is created.
        let current = CURRENT_REQUEST.try_with(|current| *current);
        let value = uuid::Uuid::new_v4();
        let id = sessions.seal.seal(
            value.as_bytes(),
            &id_context(
                current.map(|current| (current.owner, current.scope_digest)).unwrap_or_default(),
            ),
            ID_LIFETIME,
        );
        let not_created = || Error::SessionNotFound(id.clone().into());
        let current = current.map_err(|_| not_created())?;
        let owner = (current.owner, current.origin);
        let eviction = sessions.add_entry(&id, owner, 0).map_err(|_| not_created())?;
        sessions.evict(eviction).await;
        // Only `restore_session` creates a session with a given ID.
        match self.local()?.restore_session(id.clone().into()).await {
            Ok(RestoreOutcome::Restored(transport)) => Ok((id.into(), transport)),
            other => {
                sessions.entries().remove(&id);
                other.and(Err(not_created()))
            }
        }
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Error> {
        let initialize = match &message {
            JsonRpcMessage::Request(JsonRpcRequest {
                request: ClientRequest::InitializeRequest(initialize),
                ..
            }) => Some(initialize.params.clone()),
            _ => None,
        };
        let answer = self.local()?.initialize_session(id, message).await?;
        if let (JsonRpcMessage::Response(_), Some(initialize)) = (&answer, initialize) {
            self.sessions()?.publish(id, &initialize).await;
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Error> {
        let is_remote = CURRENT_REQUEST.try_with(|request| request.is_remote).unwrap_or_default();
        Ok(is_remote || self.local()?.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Error> {
        let sessions = self.sessions()?;
        if CURRENT_REQUEST.try_with(|_| ()).is_err() {
            // Outside a request, rmcp reports that the service of a session that started here
            // ended.
            sessions.close_if_current(id, 0).await;
            return Ok(());
        }
        sessions.remove_entry(id);
        sessions.close(id).await;
        Ok(())
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Error> {
        Ok(self.track_stream(id, self.local()?.create_stream(id, message).await?))
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Error> {
        let sessions = self.sessions()?;
        if let Some(entry) = sessions.entries().get_mut(&**id) {
            entry.last_used = Instant::now();
        }
        match sessions.route_incoming(id, message).await {
            Ok(Some(message)) => self.local()?.accept_message(id, message).await,
            Ok(None) => Ok(()),
            Err(()) => Err(SessionError::ChannelClosed(None).into()),
        }
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Error> {
        Ok(self.track_stream(id, self.local()?.create_standalone_stream(id).await?))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Error> {
        // "0" is the ID of the first event of every standalone stream.
        if last_event_id == "0" {
            let stream = self.local()?.create_standalone_stream(id).await?;
            return Ok(self.track_stream(id, stream));
        }
        let event = match &self.sessions()?.shared {
            None => Some(last_event_id.clone()),
            Some(shared) => shared.local_event_id(&last_event_id),
        };
        let stream = match event {
            Some(event) => self.local()?.resume(id, event).await?.left_stream(),
            // Only the replica that sent the events of a response stream can resume it.
            None if last_event_id.contains('/') => {
                return Err(SessionError::ChannelClosed(None).into());
            }
            None => self.local()?.create_standalone_stream(id).await?.right_stream(),
        };
        Ok(self.track_stream(id, stream))
    }
}

/// Counts an open stream of a session until it is dropped.
struct StreamGuard {
    sessions: Arc<SessionRegistry>,
    id: SessionId,
}

impl StreamGuard {
    fn new(sessions: Arc<SessionRegistry>, id: &SessionId) -> Self {
        let open = Self { sessions, id: Arc::clone(id) };
        open.update_count(|count| count.saturating_add(1));
        open
    }

    fn update_count(&self, change: impl FnOnce(usize) -> usize) {
        if let Some(entry) = self.sessions.entries().get_mut(&*self.id) {
            entry.open_streams = change(entry.open_streams);
            entry.last_used = Instant::now();
        }
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.update_count(|count| count.saturating_sub(1));
    }
}
