//! Sessions of clients of the revisions that have them: whose they are, and whether there is room
//! for another.

use std::sync::Arc;

use axum::{
    body::HttpBody,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header::RETRY_AFTER};
use tracing::Instrument;

use super::{Gate, envelope::Envelope, rate, refusal::Refusal};
use crate::{
    callers::Caller,
    mcp::{Found, LARGEST_ANSWER, NoRoom, NotTaken, Offering, Protocol, Sessions},
    tool::Narrowing,
};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const VERSION: &str = "mcp-protocol-version";

/// Lets a request into the session that it names, if that is its caller's. Where no sessions are
/// kept, and in the revision that has none, headers about them mean nothing and go no further.
pub(super) async fn check<O: Offering>(
    State((gate, protocol)): State<(Arc<Gate>, Protocol<O>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let version = request.headers().get(VERSION);
    let stateless = version.is_some_and(|version| version.as_bytes() >= b"2026-07-28".as_slice());
    // Whatever the header says, a greeting begins a session: the revision without sessions has none.
    let begins = greets(&request);
    let Some(sessions) = gate.sessions.as_ref().filter(|_| begins || !stateless) else {
        request.headers_mut().remove(SESSION);
        request.headers_mut().remove(LAST_EVENT);
        return next.run(request).await;
    };
    // The same at every replica, whether it has to leave the answer for another or not.
    if answers(&request) && request.body().size_hint().lower() > LARGEST_ANSWER as u64 {
        let message = format!(
            "an answer to a question may have {LARGEST_ANSWER} bytes at most; \
             send only what was asked for"
        );
        return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message).to(&Envelope::id_of(&request));
    }
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
    let place = rate::address(&request);
    let narrowing = request.extensions().get::<Narrowing>().cloned().unwrap_or_default();
    let named = request.headers().get(SESSION).cloned();
    let named = named.as_ref().map(HeaderValue::to_str);
    let found = match &named {
        Some(Ok(id)) => sessions.find(id, &caller, &narrowing).await,
        _ => Found::Nowhere,
    };
    let ends = request.method() == Method::DELETE;
    let mut is_elsewhere = false;
    let refusal = match (&named, found) {
        (None, _) if begins => sessions.room(&caller, &place).err().map(full),
        (None, _) | (Some(Ok(_)), Found::Here) => None,
        // Neither needs it here.
        (Some(Ok(_)), Found::Elsewhere(_)) if ends || answers(&request) => {
            is_elsewhere = true;
            None
        }
        (Some(Ok(id)), Found::Elsewhere(greeting)) => {
            let (parts, body) = request.into_parts();
            let for_request = (&caller, place, parts.clone());
            request = Request::from_parts(parts, body);
            let taken = sessions.take_up(&protocol, id, *greeting, for_request).await;
            taken.err().map(not_taken)
        }
        (Some(Ok(_)), Found::Unknown) => Some(away()),
        // The same words whether it never was, is over, is another caller's, or began on another
        // path or with other headers.
        (Some(_), _) => Some(Refusal::new(
            StatusCode::NOT_FOUND,
            "there is no such session; send `initialize` without Mcp-Session-Id for a new one",
        )),
    };
    let id = Envelope::id_of(&request);
    if let Some(refusal) = refusal {
        return refusal.to(&id);
    }
    let served = next.run(request);
    if ends {
        let sessions = Arc::clone(sessions);
        let named = named.and_then(Result::ok).map(str::to_owned);
        let ending = async move {
            let of = (place, is_elsewhere);
            let mut response = Sessions::serving(&caller, &narrowing, of, served).await;
            if let (StatusCode::ACCEPTED, Some(id)) = (response.status(), named) {
                sessions.end(&id).await;
                // It is done, where rmcp says that it will be; some clients take that for a failure.
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            response
        };
        // It ends to the end, whether its client waits for that or not.
        let ended = tokio::spawn(ending.in_current_span()).await;
        return ended.unwrap_or_else(|_| {
            in_a_moment("the session could not be ended; try again in a moment").to(&id)
        });
    }
    let of = (place, is_elsewhere);
    let response = Sessions::serving(&caller, &narrowing, of, served).await;
    // Others came at the same moment and took the last places.
    if begins
        && response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && let Err(why) = sessions.room(&caller, &place)
    {
        return full(why).to(&id);
    }
    response
}

/// Whether it is an answer to a question of the server.
fn answers(request: &Request) -> bool {
    let envelope = request.extensions().get::<Envelope>();
    envelope.is_some_and(|envelope| envelope.method.is_none() && !envelope.id.is_null())
}

fn greets(request: &Request) -> bool {
    let envelope = request.extensions().get::<Envelope>();
    envelope.is_some_and(|envelope| envelope.method.as_deref() == Some("initialize"))
}

fn not_taken(why: NotTaken) -> Refusal {
    match why {
        NotTaken::NoRoom(why) => full(why),
        NotTaken::Failed => {
            in_a_moment("this session could not be gone on with; try again in a moment")
        }
    }
}

fn away() -> Refusal {
    in_a_moment("the store in which sessions are kept is away; try again in a moment")
}

fn in_a_moment(message: &'static str) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message)
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

fn full(why: NoRoom) -> Refusal {
    let (status, message) = match why {
        NoRoom::ForCaller => (
            StatusCode::TOO_MANY_REQUESTS,
            "this caller has as many sessions as one may have; end one with DELETE, or wait until \
             one has been idle for long enough",
        ),
        NoRoom::AtAll => (
            StatusCode::SERVICE_UNAVAILABLE,
            "this server keeps as many sessions as it may; try again in a minute",
        ),
    };
    Refusal::new(status, message).with_header(RETRY_AFTER, HeaderValue::from_static("60"))
}
