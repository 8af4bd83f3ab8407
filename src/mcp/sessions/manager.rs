//! What rmcp's transport asks of sessions.

use std::{pin::Pin, sync::Arc, time::Instant};

use futures::{Stream, StreamExt};
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::session::{
        RestoreOutcome, ServerSseMessage, SessionId, SessionManager,
        local::{LocalSessionManager, LocalSessionManagerError as Error},
    },
};

use super::{SEALED_FOR, SERVED, Sessions, purpose};

/// Sessions, as rmcp's transport asks for them; or none, where the settings keep none.
#[derive(Debug, Clone)]
pub struct Manager(pub Option<Arc<Sessions>>);

type Messages = Pin<Box<dyn Stream<Item = ServerSseMessage> + Send + Sync>>;

impl Manager {
    fn sessions(&self) -> Result<&Arc<Sessions>, Error> {
        self.0.as_ref().ok_or_else(|| Error::SessionNotFound("none".into()))
    }

    fn local(&self) -> Result<&LocalSessionManager, Error> {
        self.sessions().map(|sessions| &sessions.local)
    }

    /// A stream of a session, which is in use while it is open.
    fn in_use(
        &self,
        id: &SessionId,
        stream: impl Stream<Item = ServerSseMessage> + Send + Sync + 'static,
    ) -> Messages {
        let open = self.0.as_ref().map(|sessions| Open::new(Arc::clone(sessions), id));
        Box::pin(stream.map(move |message| {
            let _open_until_dropped = &open;
            message
        }))
    }
}

impl SessionManager for Manager {
    type Error = Error;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Error> {
        let sessions = self.sessions()?;
        // Only a request that came through the listener's check begins a session.
        let served = SERVED.try_with(|served| *served);
        let value = uuid::Uuid::new_v4();
        let id = sessions.seal.seal(
            value.as_bytes(),
            &purpose(served.map(|served| (served.whose, served.narrowed)).unwrap_or_default()),
            SEALED_FOR,
        );
        let refused = || Error::SessionNotFound(id.clone().into());
        let served = served.map_err(|_| refused())?;
        let ends = sessions.take_place(&id, served.whose, served.place).map_err(|_| refused())?;
        if let Some(ends) = ends {
            let _ = self.local()?.close_session(&ends.into()).await;
        }
        // To restore a session is the one way to make one with an ID of our own.
        match self.local()?.restore_session(id.clone().into()).await {
            Ok(RestoreOutcome::Restored(transport)) => Ok((id.into(), transport)),
            other => {
                sessions.known().remove(&id);
                other.and(Err(refused()))
            }
        }
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Error> {
        self.local()?.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Error> {
        self.local()?.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Error> {
        self.sessions()?.known().remove(&**id);
        self.local()?.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Error> {
        Ok(self.in_use(id, self.local()?.create_stream(id, message).await?))
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Error> {
        if let Some(known) = self.sessions()?.known().get_mut(&**id) {
            known.last = Instant::now();
        }
        self.local()?.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Error> {
        Ok(self.in_use(id, self.local()?.create_standalone_stream(id).await?))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Error> {
        // The first event of every stream that clients listen on has this ID.
        if last_event_id == "0" {
            let stream = self.local()?.create_standalone_stream(id).await?;
            return Ok(self.in_use(id, stream));
        }
        let stream = self.local()?.resume(id, last_event_id).await?;
        Ok(self.in_use(id, stream))
    }
}

/// Marks a session as in use.
struct Open {
    sessions: Arc<Sessions>,
    id: String,
}

impl Open {
    fn new(sessions: Arc<Sessions>, id: &SessionId) -> Self {
        let open = Self { sessions, id: id.to_string() };
        open.count(|count| count.saturating_add(1));
        open
    }

    fn count(&self, change: impl FnOnce(usize) -> usize) {
        if let Some(known) = self.sessions.known().get_mut(&self.id) {
            known.open = change(known.open);
            known.last = Instant::now();
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count(|count| count.saturating_sub(1));
    }
}
