//! Whether a request can be served at all, whatever it asks for.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{StatusCode, header::WWW_AUTHENTICATE};

use super::{
    auth,
    envelope::Envelope,
    rate,
    refusal::{Refusal, code},
};
use crate::{
    callers::{Caller, Way},
    mcp::{NotServed, Offering, Protocol},
    octopus::NoCredential,
    tool::Narrowing,
};

/// Refuses what cannot be served, as far as that can be said without asking anybody.
pub(super) async fn admit<O: Offering>(
    State(protocol): State<Protocol<O>>,
    request: Request,
    next: Next,
) -> Response {
    let (caller, narrowing) = whose(&request);
    match protocol.offering().admits(&caller, &narrowing) {
        Ok(()) => next.run(request).await,
        Err(why) => refusal(&caller, &why).to(&Envelope::id_of(&request)),
    }
}

/// Refuses a question about places that are not there. It may ask Octopus, so it comes after what
/// limits callers, and only for requests that count there: greetings, pings, notifications and
/// streams need no place.
pub(super) async fn find<O: Offering>(
    State(protocol): State<Protocol<O>>,
    request: Request,
    next: Next,
) -> Response {
    if !rate::is_question(&request) {
        return next.run(request).await;
    }
    let (caller, narrowing) = whose(&request);
    match Box::pin(protocol.offering().finds(&caller, &narrowing)).await {
        Ok(()) => next.run(request).await,
        Err(why) => refusal(&caller, &why).to(&Envelope::id_of(&request)),
    }
}

fn whose(request: &Request) -> (Caller, Narrowing) {
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
    (caller, request.extensions().get::<Narrowing>().cloned().unwrap_or_default())
}

fn refusal(caller: &Caller, why: &NotServed) -> Refusal {
    match why {
        // Whoever proved who they are is let in: what lacks is a header, and no other proof.
        NotServed::Credential(NoCredential::Missing(_)) if caller.who.way == Way::Nobody => {
            Refusal::new(StatusCode::UNAUTHORIZED, why.to_string())
                .with_header(WWW_AUTHENTICATE, auth::challenge(None))
        }
        NotServed::Missing(_) => Refusal::new(StatusCode::NOT_FOUND, why.to_string()),
        NotServed::Credential(_) | NotServed::Wrong(_) => {
            Refusal::bad_request(code::INVALID_REQUEST, why.to_string())
        }
    }
}
