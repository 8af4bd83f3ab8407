//! Activity tree and raw log of a task.

use std::convert::Infallible;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::stream;

use super::super::activity;
use super::super::call::Call;
use super::super::database::{Item, TaskFacts};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::missing;

/// Logs up to this size in bytes are sent with a `Content-Length`.
const WHOLE: usize = 512 * 1024;

/// Answers `/tasks/{id}/details`.
pub(super) fn details(call: &Call<'_>, task: &Item) -> ApiResult {
    call.require("TaskViewLog")?;
    let verbose = call.query.switch("verbose") == Some(true);
    let tail = call.query.number("tail");
    Ok(ApiResponse::json(activity::details(
        call.database,
        facts(call, task)?,
        &task.json,
        verbose,
        tail,
    )))
}

/// Answers `/tasks/{id}/raw`.
pub(super) fn raw(call: &Call<'_>, task: &Item) -> ApiResult {
    call.require("TaskViewLog")?;
    let facts = facts(call, task)?;
    let parts = activity::raw(call.database, facts);
    if activity::log_size(call.database, facts) > WHOLE {
        return Ok(ApiResponse::text_stream(Body::from_stream(stream::iter(
            parts.map(Ok::<_, Infallible>),
        ))));
    }
    let whole = parts.fold(BytesMut::new(), |mut whole, part| {
        whole.extend_from_slice(&part);
        whole
    });
    Ok(ApiResponse::text(Bytes::from(whole)))
}

fn facts<'a>(call: &Call<'a>, task: &Item) -> Result<&'a TaskFacts, ApiError> {
    call.database.task_facts.get(&task.id).ok_or_else(|| missing(&task.id))
}
