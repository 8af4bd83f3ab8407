//! How many requests are under way, and what happens to one more.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde_json::Value;

use super::{Gate, envelope, rate, refusal::Refusal, request_memory::Reading};
use crate::{config, telemetry::Limit};

/// Places beside the limit that are kept for greetings. A client whose greeting is refused takes
/// the server for broken, or speaks an older revision from then on.
const FOR_GREETINGS: usize = 32;

/// How much of a refused request is read to find its ID, and for how long.
const READ_LIMIT: usize = 64 * 1024;
const READ_TIME: Duration = Duration::from_secs(1);

pub(super) fn places(limits: &config::Limits) -> usize {
    limits.concurrent_requests as usize + FOR_GREETINGS
}

/// Lets a request in while there is a place. It keeps the place until its answer has been sent.
/// Nobody knows whose it is before its body has come, so of one address only so many wait for
/// that: they cannot take the places of all others.
pub(super) async fn admit(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    let unread = match gate.rates.unread(rate::address(&request)) {
        Ok(unread) => unread,
        Err(refusal) => return refusal.into_response(),
    };
    request.extensions_mut().insert(unread);
    let full = gate.requests.available_permits() <= FOR_GREETINGS;
    let Ok(place) = Arc::clone(&gate.requests).try_acquire_owned() else {
        let (_unread, body) = request.into_parts();
        return refuse(body).await;
    };
    let request = if full {
        let (parts, body) = request.into_parts();
        match greeting(body).await {
            Ok(bytes) => Request::from_parts(parts, Body::from(bytes)),
            Err(id) => return full_house().to(&id),
        }
    } else {
        request
    };
    let response = next.run(request).await;
    held(response, place)
}

/// Keeps a place until the answer has been sent.
pub(super) fn held(response: Response, place: impl Send + 'static) -> Response {
    if response.body().size_hint().exact().is_some() {
        // It is whole already, and only on its way.
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held_until_sent = &place;
            frame
        }))
    })
}

/// The body, if it is a greeting; else the ID to refuse.
async fn greeting(body: Body) -> Result<bytes::Bytes, Value> {
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(default)]
        id: Value,
        #[serde(default)]
        method: Value,
    }
    let mut memory = Reading::uncounted();
    let read = envelope::read(body, None, READ_LIMIT, READ_TIME, &mut memory).await;
    let read = read.map_err(|_| Value::Null)?;
    let head: Head = serde_json::from_slice(&read).map_err(|_| Value::Null)?;
    match head.method.as_str() {
        Some("initialize" | "server/discover") => Ok(read),
        // The answer to a question of ours: a call that holds a place waits for it.
        None if head.method.is_null() && !head.id.is_null() => Ok(read),
        _ if head.id.is_string() || head.id.is_i64() => Err(head.id),
        _ => Err(Value::Null),
    }
}

async fn refuse(body: Body) -> Response {
    match greeting(body).await {
        Ok(_) => full_house().to(&Value::Null),
        Err(id) => full_house().to(&id),
    }
}

fn full_house() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "this server has all requests under way that it takes on; try again in a second",
    )
    .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    .limited(Limit::Full)
}
