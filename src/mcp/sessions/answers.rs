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
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use rmcp::{
    model::{ClientJsonRpcMessage, JsonRpcMessage, NumberOrString, ServerNotification},
    transport::streamable_http_server::session::{ServerSseMessage, SessionId, SessionManager},
};

use super::{Sessions, shared::Shared};
use crate::{
    octopus::Fingerprint,
    store::{Key, Written},
};

/// Kind of responses in the store.
const KIND: &str = "answer";
/// Time limit for a response: the lifetime of an approval request.
const GOOD_FOR: Duration = Duration::from_mins(5);
/// Interval at which the requesting replica polls the store.
const LOOK: Duration = Duration::from_millis(250);
/// Maximum size of a routed response, in bytes. It holds an approval and optionally a typed word.
pub const LARGEST_ANSWER: usize = 8 * 1024;

/// The recipient of a response.
enum To {
    /// This replica; the pending request has this number.
    Us(i64),
    /// Another replica.
    Another,
    /// No replica: the request is unknown or no longer pending.
    Nobody,
}

impl Shared {
    pub(super) fn waiting(&self) -> MutexGuard<'_, HashMap<(SessionId, i64), Arc<str>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a pending request if it has this ID, and returns whether it did.
    fn answered(&self, this: &(SessionId, i64), id: &str) -> bool {
        let mut waiting = self.waiting();
        let waited = waiting.get(this).is_some_and(|known| **known == *id);
        if waited {
            waiting.remove(this);
        }
        waited
    }

    /// Returns the local ID of an event, or `None` if another replica sent it.
    pub(super) fn event(&self, id: &str) -> Option<String> {
        match id.split_once('.') {
            None => Some(id.to_owned()),
            Some((replica, id)) => (replica == self.us).then(|| id.to_owned()),
        }
    }
}

fn key(session: &SessionId, question: &str) -> Key {
    *Fingerprint::of([session, question].map(str::as_bytes)).as_bytes()
}

fn purpose(key: &Key) -> Vec<u8> {
    [b"answer".as_slice(), key].concat()
}

fn of_question(session: &SessionId) -> Vec<u8> {
    [b"question".as_slice(), session.as_bytes()].concat()
}

impl Sessions {
    /// Returns the wire ID of the request with this local number, and whether it was just created.
    fn named(&self, shared: &Shared, session: &SessionId, number: i64) -> (Arc<str>, bool) {
        let mut is_new = false;
        let mut waiting = shared.waiting();
        let id = waiting.entry((Arc::clone(session), number)).or_insert_with(|| {
            is_new = true;
            let count = shared.asked.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{count}-{number}", shared.us);
            self.seal.seal(name.as_bytes(), &of_question(session), GOOD_FOR).into()
        });
        (Arc::clone(id), is_new)
    }

    /// Returns the recipient of the response with this wire ID. A request of this replica is no
    /// longer pending afterwards.
    fn to(&self, shared: &Shared, session: &SessionId, id: &str) -> To {
        let Ok(name) = self.seal.open(id, &of_question(session)) else { return To::Nobody };
        let name = String::from_utf8_lossy(&name);
        let mut parts = name.splitn(3, '-');
        let (replica, _, number) = (parts.next(), parts.next(), parts.next());
        if replica != Some(shared.us.as_str()) {
            return To::Another;
        }
        match number.and_then(|number| number.parse().ok()) {
            Some(number) if shared.answered(&(Arc::clone(session), number), id) => To::Us(number),
            _ => To::Nobody,
        }
    }

    /// Replaces local request and event IDs in a message to the client by wire IDs.
    pub(super) fn outward(
        self: &Arc<Self>,
        session: &SessionId,
        mut message: ServerSseMessage,
    ) -> ServerSseMessage {
        let Some(shared) = &self.shared else { return message };
        message.event_id = message.event_id.map(|id| format!("{}.{id}", shared.us));
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
                    let (id, is_new) = self.named(shared, session, number);
                    if is_new {
                        let (session, id) = (Arc::clone(session), Arc::clone(&id));
                        tokio::spawn(Arc::clone(self).await_answer(session, number, id));
                    }
                    request.id = NumberOrString::String(id);
                }
            }
            JsonRpcMessage::Notification(notification) => {
                if let ServerNotification::CancelledNotification(cancelled) =
                    &mut notification.notification
                    && let Some(NumberOrString::Number(number)) = cancelled.params.request_id
                {
                    let (id, _) = self.named(shared, session, number);
                    cancelled.params.request_id = Some(NumberOrString::String(id));
                    shared.waiting().remove(&(Arc::clone(session), number));
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
    /// `()` if the response is for another replica and is too large or cannot be stored.
    pub(super) async fn inward(
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
        match self.to(shared, session, name) {
            To::Us(number) => {
                *id = NumberOrString::Number(number);
                Ok(Some(message))
            }
            To::Nobody => Ok(None),
            To::Another => {
                let key = key(session, name);
                let answer = serde_json::to_vec(&message).map_err(|_| ())?;
                if answer.len() > LARGEST_ANSWER {
                    return Err(());
                }
                let sealed = self.seal.seal(&answer, &purpose(&key), GOOD_FOR);
                let written = shared.store.put(KIND, &key, sealed.as_bytes(), GOOD_FOR).await;
                match written {
                    Written::Shared | Written::Soon => Ok(None),
                    Written::Here | Written::Nowhere => Err(()),
                }
            }
        }
    }

    /// Polls the store for the response to a request, until it arrives, the request is no longer
    /// pending, the session ends or 5 minutes have passed.
    async fn await_answer(self: Arc<Self>, session: SessionId, number: i64, id: Arc<str>) {
        let Some(shared) = &self.shared else { return };
        let key = key(&session, &id);
        let this = (session, number);
        let look = async {
            loop {
                let waits = shared.waiting().contains_key(&this);
                if !waits || !self.known().contains_key(&*this.0) {
                    return None;
                }
                tokio::time::sleep(LOOK).await;
                // Ignore a value that cannot be unsealed; a valid response can replace it.
                let sealed = shared.store.get(KIND, &key).await;
                if let Some(answer) = sealed.and_then(|sealed| self.opened(&sealed, &key)) {
                    return Some(answer);
                }
            }
        };
        let answer = tokio::time::timeout(GOOD_FOR, look).await.ok().flatten();
        // The request is removed also when the session ended here without a response.
        if !shared.answered(&this, &id) {
            return;
        }
        if let Some(mut answer) = answer {
            let number = this.1;
            match &mut answer {
                JsonRpcMessage::Response(answer) => answer.id = NumberOrString::Number(number),
                JsonRpcMessage::Error(error) => error.id = Some(NumberOrString::Number(number)),
                _ => return,
            }
            let _ = self.local.accept_message(&this.0, answer).await;
        }
    }

    fn opened(&self, sealed: &[u8], key: &Key) -> Option<ClientJsonRpcMessage> {
        let sealed = std::str::from_utf8(sealed).ok()?;
        serde_json::from_slice(&self.seal.open(sealed, &purpose(key)).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests, *};

    /// A session that this replica released and took over again restarts its request numbers.
    #[tokio::test]
    async fn an_answer_is_to_what_was_asked_and_not_to_what_has_its_number_now() {
        let (sessions, session) = (tests::sessions(10), SessionId::from("one"));
        let shared = sessions.shared.as_ref().unwrap();
        let (first, _) = sessions.named(shared, &session, 0);
        sessions.forget(&session);
        let (second, is_new) = sessions.named(shared, &session, 0);
        assert!(is_new && first != second);
        assert!(matches!(sessions.to(shared, &session, &first), To::Nobody));
        assert!(matches!(sessions.to(shared, &"two".into(), &second), To::Nobody));
        assert!(matches!(sessions.to(shared, &session, &second), To::Us(0)));
        assert!(
            matches!(sessions.to(shared, &session, &second), To::Nobody),
            "a response matches once"
        );
    }
}
