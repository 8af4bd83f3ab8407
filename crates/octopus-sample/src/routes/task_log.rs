//! What a task did: its activity tree and its raw log.

use std::convert::Infallible;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::stream;

use super::super::activity;
use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::history::TaskFacts;
use super::super::world::Item;
use super::missing;

/// Logs up to this many bytes are sent with a length.
const WHOLE: usize = 512 * 1024;

/// `/tasks/{id}/details`.
pub(super) fn details(call: &Call<'_>, task: &Item) -> Answered {
    call.need("TaskViewLog")?;
    let verbose = call.query.switch("verbose") == Some(true);
    let tail = call.query.number("tail");
    Ok(Answer::json(activity::details(call.world, facts(call, task)?, &task.json, verbose, tail)))
}

/// `/tasks/{id}/raw`.
pub(super) fn raw(call: &Call<'_>, task: &Item) -> Answered {
    call.need("TaskViewLog")?;
    let facts = facts(call, task)?;
    let parts = activity::raw(call.world, facts);
    if activity::log_size(call.world, facts) > WHOLE {
        return Ok(Answer::text_stream(Body::from_stream(stream::iter(
            parts.map(Ok::<_, Infallible>),
        ))));
    }
    let whole = parts.fold(BytesMut::new(), |mut whole, part| {
        whole.extend_from_slice(&part);
        whole
    });
    Ok(Answer::text(Bytes::from(whole)))
}

fn facts<'a>(call: &Call<'a>, task: &Item) -> Result<&'a TaskFacts, Refusal> {
    call.world.task_facts.get(&task.id).ok_or_else(|| missing(&task.id))
}
