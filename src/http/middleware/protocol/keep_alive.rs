//! Keep-alive comments for long calls.
//!
//! rmcp sends no byte before its first message. Clients and proxies close an idle connection
//! after a minute or less.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, BodyDataStream},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture, stream};
use http::{HeaderValue, header};
use http_body_util::BodyExt;

/// Interval between comments on an idle stream.
pub(in crate::http) const INTERVAL: Duration = Duration::from_secs(10);

/// A comment of an event stream, which clients ignore.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// Returns the response if it is ready within `quiet_limit`. Otherwise returns an event stream with
/// comments until the response is ready. The call is cancelled when the client closes the stream.
pub(super) async fn keep_alive(
    mut response: BoxFuture<'static, Response>,
    quiet_limit: Duration,
) -> Response {
    match tokio::time::timeout(quiet_limit, &mut response).await {
        Ok(response) if is_events(&response) => unbuffered(response),
        Ok(response) => response,
        Err(_) => {
            let events = stream::unfold(Stage::Waiting(response), step);
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
        Stage::Waiting(mut response) => match tokio::time::timeout(INTERVAL, &mut response).await {
            Err(_) => Some((COMMENT, Stage::Waiting(response))),
            Ok(response) if is_events(&response) => {
                Some((COMMENT, Stage::Streaming(response.into_body().into_data_stream())))
            }
            Ok(response) => {
                // The body is a JSON-RPC result or error.
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

/// Adds headers that disable buffering in proxies.
fn unbuffered(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
