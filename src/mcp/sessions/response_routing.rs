//! Routes client responses on shared sessions to the replica that sent the request.
//!
//! - Each replica numbers its requests (elicitations) independently. On the wire, a request ID and
//!   an event ID therefore contain the ID of the replica.
//! - A request ID is used once and is sealed for its session. A response can only match the request
//!   that it answers.
//! - A replica that receives a response for another replica writes it to the store, sealed. The
//!   requesting replica polls the store until the response arrives or the request is abandoned.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use parking_lot::MutexGuard;
use rmcp::{
    model::{ClientJsonRpcMessage, JsonRpcMessage, NumberOrString, ServerNotification},
    transport::streamable_http_server::session::{ServerSseMessage, SessionId, SessionManager},
};

use super::{SessionRegistry, shared::SharedSessions};
use crate::{
    octopus::Fingerprint,
    store::{StoreKey, WriteOutcome},
};

/// Kind of responses in the store.
const KIND: &str = "answer";
/// Retention of a response in the store: the lifetime of an approval request (5 minutes).
const RESPONSE_TTL: Duration = Duration::from_mins(5);
/// Interval at which the requesting replica polls the store.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Maximum size of a routed response, in bytes. A response contains an approval and optionally a
/// typed word.
pub const MAX_RESPONSE_BYTES: usize = 8 * 1024;

/// The recipient of a response.
enum Recipient {
    /// This replica; the pending request has this number.
    ThisReplica(i64),
    /// Another replica.
    OtherReplica,
    /// No replica: the request is unknown or no longer pending.
    Unknown,
}

impl SharedSessions {
    pub(super) fn pending(&self) -> MutexGuard<'_, HashMap<(SessionId, i64), Arc<str>>> {
        self.pending.lock()
    }

    /// Removes a pending request if it has this ID, and returns whether it did.
    fn remove_pending(&self, request: &(SessionId, i64), id: &str) -> bool {
        let mut pending = self.pending();
        let is_pending = pending.get(request).is_some_and(|pending_id| **pending_id == *id);
        if is_pending {
            pending.remove(request);
        }
        is_pending
    }

    /// Returns the local ID of an event, or `None` if another replica sent it.
    pub(super) fn local_event_id(&self, id: &str) -> Option<String> {
        match id.split_once('.') {
            None => Some(id.to_owned()),
            Some((replica, id)) => (replica == self.replica_id).then(|| id.to_owned()),
        }
    }
}

fn response_key(session: &SessionId, request_id: &str) -> StoreKey {
    *Fingerprint::of([session, request_id].map(str::as_bytes)).as_bytes()
}

fn response_context(key: &StoreKey) -> Vec<u8> {
    [b"answer".as_slice(), key].concat()
}

fn request_id_context(session: &SessionId) -> Vec<u8> {
    [b"question".as_slice(), session.as_bytes()].concat()
}

impl SessionRegistry {
    /// Returns the wire ID of the request with this local number, and whether it was just created.
    fn wire_id(
        &self,
        shared: &SharedSessions,
        session: &SessionId,
        number: i64,
    ) -> (Arc<str>, bool) {
        let mut is_new = false;
        let mut pending = shared.pending();
        let id = pending.entry((Arc::clone(session), number)).or_insert_with(|| {
            is_new = true;
            let count = shared.request_count.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{count}-{number}", shared.replica_id);
            self.seal.seal(name.as_bytes(), &request_id_context(session), RESPONSE_TTL).into()
        });
        (Arc::clone(id), is_new)
    }

    /// Returns the recipient of the response with this wire ID. A request of this replica is no
    /// longer pending afterwards.
    fn recipient(&self, shared: &SharedSessions, session: &SessionId, id: &str) -> Recipient {
        let Ok(name) = self.seal.open(id, &request_id_context(session)) else {
            return Recipient::Unknown;
        };
        let name = String::from_utf8_lossy(&name);
        let mut parts = name.splitn(3, '-');
        let (replica, _, number) = (parts.next(), parts.next(), parts.next());
        if replica != Some(shared.replica_id.as_str()) {
            return Recipient::OtherReplica;
        }
        match number.and_then(|number| number.parse().ok()) {
            Some(number) if shared.remove_pending(&(Arc::clone(session), number), id) => {
                Recipient::ThisReplica(number)
            }
            _ => Recipient::Unknown,
        }
    }

    /// Replaces local request and event IDs in a message to the client by wire IDs.
    pub(super) fn rewrite_outgoing(
        self: &Arc<Self>,
        session: &SessionId,
        mut message: ServerSseMessage,
    ) -> ServerSseMessage {
        let Some(shared) = &self.shared else { return message };
        message.event_id = message.event_id.map(|id| format!("{}.{id}", shared.replica_id));
        let Some(inner) = message.message.as_mut() else { return message };
        match &**inner {
            JsonRpcMessage::Request(_) => {}
            JsonRpcMessage::Notification(notification)
                if matches!(
                    notification.notification,
                    ServerNotification::CancelledNotification(_)
                ) => {}
            _ => return message,
        }
        match Arc::make_mut(inner) {
            JsonRpcMessage::Request(request) => {
                if let NumberOrString::Number(number) = request.id {
                    let (id, is_new) = self.wire_id(shared, session, number);
                    if is_new {
                        let (session, id) = (Arc::clone(session), Arc::clone(&id));
                        tokio::spawn(Arc::clone(self).poll_response(session, number, id));
                    }
                    request.id = NumberOrString::String(id);
                }
            }
            JsonRpcMessage::Notification(notification) => {
                if let ServerNotification::CancelledNotification(cancelled) =
                    &mut notification.notification
                    && let Some(NumberOrString::Number(number)) = cancelled.params.request_id
                {
                    let (id, _) = self.wire_id(shared, session, number);
                    cancelled.params.request_id = Some(NumberOrString::String(id));
                    shared.pending().remove(&(Arc::clone(session), number));
                }
            }
            _ => {}
        }
        message
    }

    /// Replaces the wire ID of a client's response by the local number.
    ///
    /// Returns `None` if the response was written to the store for another replica, or if no
    /// request is pending.
    ///
    /// # Errors
    ///
    /// Returns `()` if the response is for another replica and is too large or cannot be stored.
    pub(super) async fn route_incoming(
        &self,
        session: &SessionId,
        mut message: ClientJsonRpcMessage,
    ) -> Result<Option<ClientJsonRpcMessage>, ()> {
        let Some(shared) = &self.shared else { return Ok(Some(message)) };
        let id = match &mut message {
            JsonRpcMessage::Response(answer) => &mut answer.id,
            JsonRpcMessage::Error(answer) => match &mut answer.id {
                Some(id) => id,
                None => return Ok(Some(message)),
            },
            _ => return Ok(Some(message)),
        };
        let NumberOrString::String(name) = &*id else { return Ok(None) };
        match self.recipient(shared, session, name) {
            Recipient::ThisReplica(number) => {
                *id = NumberOrString::Number(number);
                Ok(Some(message))
            }
            Recipient::Unknown => Ok(None),
            Recipient::OtherReplica => {
                let key = response_key(session, name);
                let answer = serde_json::to_vec(&message).map_err(|_| ())?;
                if answer.len() > MAX_RESPONSE_BYTES {
                    return Err(());
                }
                let sealed = self.seal.seal(&answer, &response_context(&key), RESPONSE_TTL);
                let written = shared.store.put(KIND, &key, sealed.as_bytes(), RESPONSE_TTL).await;
                match written {
                    WriteOutcome::Shared | WriteOutcome::Queued => Ok(None),
                    WriteOutcome::LocalOnly | WriteOutcome::Rejected => Err(()),
                }
            }
        }
    }

    /// Polls the store for the response to a request, until it arrives, the request is no longer
    /// pending, the session ends or 5 minutes have passed.
    async fn poll_response(self: Arc<Self>, session: SessionId, number: i64, id: Arc<str>) {
        let Some(shared) = &self.shared else { return };
        let key = response_key(&session, &id);
        let request = (session, number);
        let polling = async {
            loop {
                let waits = shared.pending().contains_key(&request);
                if !waits || !self.entries().contains_key(&*request.0) {
                    return None;
                }
                tokio::time::sleep(POLL_INTERVAL).await;
                // Ignore a value that cannot be unsealed; a valid response can replace it.
                let sealed = shared.store.get(KIND, &key).await;
                if let Some(answer) = sealed.and_then(|sealed| self.unseal_response(&sealed, &key))
                {
                    return Some(answer);
                }
            }
        };
        let answer = tokio::time::timeout(RESPONSE_TTL, polling).await.ok().flatten();
        // The request is removed also when the session ended here without a response.
        if !shared.remove_pending(&request, &id) {
            return;
        }
        if let Some(mut answer) = answer {
            let number = request.1;
            match &mut answer {
                JsonRpcMessage::Response(answer) => answer.id = NumberOrString::Number(number),
                JsonRpcMessage::Error(error) => error.id = Some(NumberOrString::Number(number)),
                _ => return,
            }
            let _ = self.local.accept_message(&request.0, answer).await;
        }
    }

    fn unseal_response(&self, sealed: &[u8], key: &StoreKey) -> Option<ClientJsonRpcMessage> {
        let sealed = std::str::from_utf8(sealed).ok()?;
        serde_json::from_slice(&self.seal.open(sealed, &response_context(key)).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests, *};

    /// A session that this replica released and took over again restarts its request numbers.
    #[tokio::test]
    async fn response_matches_only_the_request_it_answers() {
        let (sessions, session) = (tests::sessions(10), SessionId::from("one"));
        let shared = sessions.shared.as_ref().unwrap();
        let (first, _) = sessions.wire_id(shared, &session, 0);
        sessions.remove_entry(&session);
        let (second, is_new) = sessions.wire_id(shared, &session, 0);
        assert!(is_new && first != second);
        assert!(matches!(sessions.recipient(shared, &session, &first), Recipient::Unknown));
        assert!(matches!(sessions.recipient(shared, &"two".into(), &second), Recipient::Unknown));
        assert!(matches!(sessions.recipient(shared, &session, &second), Recipient::ThisReplica(0)));
        assert!(
            matches!(sessions.recipient(shared, &session, &second), Recipient::Unknown),
            "a response matches once"
        );
    }
}
