//! A sign of life for calls that take long. rmcp sends no byte before its first message, and
//! clients and proxies give up on a silent connection after a minute or less.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, BodyDataStream},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture, stream};
use http::{HeaderValue, header};
use http_body_util::BodyExt;

use super::{Gate, media::TakesEvents};

/// How often a comment is sent while nothing else is.
pub(super) const BEAT: Duration = Duration::from_secs(10);

/// A comment of an event stream: clients pass over it.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// Answers a call that stays silent with an event stream, which holds comments until the answer
/// comes. Whoever closes the stream ends the call.
pub(super) async fn keep_alive(
    State(gate): State<Arc<Gate>>,
    request: Request,
    next: Next,
) -> Response {
    let takes_events = request.extensions().get::<TakesEvents>().is_some_and(|takes| takes.0);
    let mut answer: BoxFuture<'static, Response> = Box::pin(next.run(request));
    if !takes_events {
        return answer.await;
    }
    match tokio::time::timeout(gate.http.quiet_limit.0, &mut answer).await {
        Ok(response) if is_events(&response) => unbuffered(response),
        Ok(response) => response,
        Err(_) => {
            let events = stream::unfold(Stage::Waiting(answer), step);
            let body = Body::from_stream(
                stream::once(async { COMMENT }).chain(events).map(Ok::<_, Infallible>),
            );
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
            unbuffered((kind, body).into_response())
        }
    }
}

enum Stage {
    Waiting(BoxFuture<'static, Response>),
    Streaming(BodyDataStream),
    Done,
}

async fn step(state: Stage) -> Option<(Bytes, Stage)> {
    match state {
        Stage::Waiting(mut answer) => match tokio::time::timeout(BEAT, &mut answer).await {
            Err(_) => Some((COMMENT, Stage::Waiting(answer))),
            Ok(response) if is_events(&response) => {
                Some((COMMENT, Stage::Streaming(response.into_body().into_data_stream())))
            }
            Ok(response) => {
                // The body is the answer or a JSON-RPC error with the request's ID.
                let body = response.into_body().collect().await.ok()?.to_bytes();
                let event = [b"data: ".as_slice(), &body, b"\n\n"].concat();
                Some((event.into(), Stage::Done))
            }
        },
        Stage::Streaming(mut events) => {
            let piece = events.next().await?.ok()?;
            Some((piece, Stage::Streaming(events)))
        }
        Stage::Done => None,
    }
}

fn is_events(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Proxies are asked not to hold a stream back.
fn unbuffered(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
