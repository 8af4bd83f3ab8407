//! Questions on sessions that replicas share, and how an answer finds whoever asked.
//!
//! Each replica numbers its questions by itself, so the ID of one names the replica, and so do those
//! of events; and it is given out once, so that no answer is ever to another question. The ID is
//! sealed for its session, so that there is an answer to nothing but what was asked. One that comes
//! to another replica is left in the store, sealed; whoever asked looks there until it comes, or
//! nobody waits for it any more.

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

/// What answers are called in the store.
const KIND: &str = "answer";
/// How long a question may wait for its answer: as long as it is good for.
const GOOD_FOR: Duration = Duration::from_mins(5);
/// How often whoever asked looks for an answer.
const LOOK: Duration = Duration::from_millis(250);
/// How many bytes an answer may have: a yes, and a word that was typed.
pub const LARGEST_ANSWER: usize = 8 * 1024;

/// Whose question an answer is to.
enum To {
    /// One of this replica, which waits for it and has this number.
    Us(i64),
    /// One of another replica.
    Another,
    /// None that there is.
    Nobody,
}

impl Shared {
    pub(super) fn waiting(&self) -> MutexGuard<'_, HashMap<(SessionId, i64), Arc<str>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a question wait no more, and says whether the one with this ID did.
    fn answered(&self, this: &(SessionId, i64), id: &str) -> bool {
        let mut waiting = self.waiting();
        let waited = waiting.get(this).is_some_and(|known| **known == *id);
        if waited {
            waiting.remove(this);
        }
        waited
    }

    /// The ID of an event as this replica knows it; `None` where it is another's.
    pub(super) fn event(&self, id: &str) -> Option<String> {
        match id.split_once('.') {
            None => Some(id.to_owned()),
            Some((who, id)) => (who == self.us).then(|| id.to_owned()),
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
    /// The ID of the question of a session that has this number here; and whether it is new.
    fn named(&self, shared: &Shared, session: &SessionId, number: i64) -> (Arc<str>, bool) {
        let mut is_new = false;
        let mut waiting = shared.waiting();
        let id = waiting.entry((Arc::clone(session), number)).or_insert_with(|| {
            is_new = true;
            let asked = shared.asked.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{asked}-{number}", shared.us);
            self.seal.seal(name.as_bytes(), &of_question(session), GOOD_FOR).into()
        });
        (Arc::clone(id), is_new)
    }

    /// Whose question has this ID. That of one of this replica waits no more.
    fn to(&self, shared: &Shared, session: &SessionId, id: &str) -> To {
        let Ok(name) = self.seal.open(id, &of_question(session)) else { return To::Nobody };
        let name = String::from_utf8_lossy(&name);
        let mut parts = name.splitn(3, '-');
        let (who, _, number) = (parts.next(), parts.next(), parts.next());
        if who != Some(shared.us.as_str()) {
            return To::Another;
        }
        match number.and_then(|number| number.parse().ok()) {
            Some(number) if shared.answered(&(Arc::clone(session), number), id) => To::Us(number),
            _ => To::Nobody,
        }
    }

    /// A message as it goes out to the client of a session.
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
            JsonRpcMessage::Notification(told)
                if matches!(told.notification, ServerNotification::CancelledNotification(_)) => {}
            _ => return message,
        }
        match Arc::make_mut(inner) {
            JsonRpcMessage::Request(asked) => {
                if let NumberOrString::Number(number) = asked.id {
                    let (id, is_new) = self.named(shared, session, number);
                    if is_new {
                        let (session, id) = (Arc::clone(session), Arc::clone(&id));
                        tokio::spawn(Arc::clone(self).await_answer(session, number, id));
                    }
                    asked.id = NumberOrString::String(id);
                }
            }
            JsonRpcMessage::Notification(told) => {
                if let ServerNotification::CancelledNotification(cancelled) = &mut told.notification
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

    /// A message of the client of a session, as this replica knows its question; `None` where it
    /// was left for another replica, or answers nothing that was asked.
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

    /// Looks for the answer to a question until it comes, here or at another replica, or nobody
    /// waits for it any more.
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
                // What does not open is no answer, and one may come in its place.
                let sealed = shared.store.get(KIND, &key).await;
                if let Some(answer) = sealed.and_then(|sealed| self.opened(&sealed, &key)) {
                    return Some(answer);
                }
            }
        };
        let answer = tokio::time::timeout(GOOD_FOR, look).await.ok().flatten();
        // What is left waiting when the session ends here is taken out as well.
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

    /// A session that left this replica and is taken up again numbers its questions from the start.
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
        assert!(matches!(sessions.to(shared, &session, &second), To::Nobody), "it is once");
    }
}
