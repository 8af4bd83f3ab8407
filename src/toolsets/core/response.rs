//! What Octopus answered to any request, as far as it can be read.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    octopus::{self, Answer, Bounded, Bounds, Path, Reply, ReplyBody, document},
    text::escape::escape_invisible,
    tool::{Context, Error, Proposal},
};

/// An answer, as much of it as can be shown.
#[derive(Debug)]
pub(super) struct Response {
    /// JSON without `Links`, or text.
    pub(super) value: Value,
    /// What is not kept, if anything is.
    pub(super) omitted: Option<Omitted>,
}

/// Counts of what a response had and the answer has not, before the answer is cut to its size.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Omitted {
    /// Size of the whole response of Octopus in bytes.
    response_bytes: usize,
    /// Items of lists.
    items: u64,
    /// Fields of objects.
    fields: u64,
    /// Texts of which only the beginning is kept.
    texts: u64,
}

impl Response {
    fn new(Bounded { value, omitted }: Bounded, response_bytes: usize) -> Self {
        let octopus::Omitted { items, fields, texts } = omitted;
        let counts = Omitted { response_bytes, items, fields, texts };
        // `Links` are gone by now; what else `raw` keeps out of answers is decided there.
        let value = document::raw(value);
        Self { value, omitted: (!omitted.is_nothing()).then_some(counts) }
    }

    /// Returns where a page that begins at `skip` begins and, if items of it are left out, where to
    /// go on. `None` if this is no page.
    pub(super) fn paging(&self, skip: u64) -> Option<(u64, Option<u64>)> {
        let items = self.value.get("Items")?.as_array()?;
        let is_cut = self.omitted.as_ref().is_some_and(|omitted| omitted.items > 0);
        Some((skip, is_cut.then(|| skip.saturating_add(items.len() as u64))))
    }

    /// Returns whether every document in the answer has all its fields. A list may be without its last
    /// items: several items are kept whole or left out, a single one may have a list cut.
    pub(super) fn has_all_fields(&self) -> bool {
        let items = self.value.as_array().or_else(|| self.value.get("Items")?.as_array());
        let is_list = items.is_some_and(|items| items.len() > 1);
        let is_whole = |omitted: &Omitted| omitted.fields == 0 && (omitted.items == 0 || is_list);
        self.omitted.as_ref().is_none_or(is_whole)
    }

    fn text(text: String) -> Self {
        Self { value: Value::String(text), omitted: None }
    }
}

/// Reads as much of an answer as this call can show. A large answer is parsed in the compute pool.
pub(super) async fn shown(answer: Answer, path: &Path, cx: &Context) -> Result<Response, Error> {
    let (path, limit) = (path.clone(), cx.limits.answer);
    cx.session.parse(answer, move |answer| read(answer, &path, limit)).await
}

/// Shows as much of the answer to a change as this call can. What cannot be shown is described: the
/// change has been made, and a failure would hide it.
pub(super) async fn replied(reply: Reply, cx: &Context) -> Result<Response, Error> {
    let Reply { content_type, size, body, .. } = reply;
    let unread = format!("[{size} bytes ({content_type}), which this server could not read now]");
    let body = match body {
        ReplyBody::Json(document) => return Ok(Response::new((*document).clone(), size)),
        ReplyBody::Unread(_) => return Ok(Response::text(unread)),
        ReplyBody::Raw(body) => body,
    };
    let limit = cx.limits.answer;
    let described = move |answer: &Answer| -> Result<Response, Error> {
        let text = text_of(answer, Bounds::for_answer(limit));
        Ok(text.unwrap_or_else(|what| Response::text(format!("[{what}]"))))
    };
    match cx.session.parse(Answer { content_type, body }, described).await {
        Err(Error::Octopus(octopus::Error::Compute(_))) => Ok(Response::text(unread)),
        shown => shown,
    }
}

fn read(answer: &Answer, path: &Path, limit: usize) -> Result<Response, Error> {
    let bounds = Bounds::for_answer(limit);
    let kind = answer.content_type.as_str();
    if answer.body.is_empty() {
        return Ok(Response::text(String::new()));
    }
    // A page of HTML is no answer of the API: a sign-in page, or a proxy's.
    if kind.ends_with("/json") || kind.ends_with("+json") || kind == "text/html" {
        let document = answer.document(&path.route(), bounds)?;
        return Ok(Response::new(document, answer.body.len()));
    }
    text_of(answer, bounds).map_err(|what| {
        Error::Invalid(format!("Octopus answers with {what}; download it in the portal"))
    })
}

/// Returns the beginning of an answer that is text, or what else it is.
fn text_of(answer: &Answer, bounds: Bounds) -> Result<Response, String> {
    let kind = answer.content_type.as_str();
    if answer.body.is_empty() {
        return Ok(Response::text(String::new()));
    }
    let is_text = kind.starts_with("text/")
        || ["xml", "yaml", "json"].iter().any(|ending| kind.ends_with(ending));
    match std::str::from_utf8(&answer.body) {
        Ok(text) if is_text => {
            let kept = octopus::beginning(text, bounds.text);
            let texts = u64::from(kept.len() < text.len());
            let omitted = octopus::Omitted { texts, ..octopus::Omitted::default() };
            Ok(Response::new(Bounded { value: kept.into(), omitted }, text.len()))
        }
        _ => {
            let kind = if kind.is_empty() { "of no type" } else { kind };
            Err(format!("{} bytes ({kind}), which are no text", answer.body.len()))
        }
    }
}

/// Whether it holds a word that stands for a secret which was taken out.
pub(super) fn holds_redacted(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("[redacted"),
        Value::Array(items) => items.iter().any(holds_redacted),
        Value::Object(object) => object.values().any(holds_redacted),
        _ => false,
    }
}

/// A body as a person can see it: invisible characters are written as escapes of JSON. A body that
/// is too large for a proposal, which then leaves it out, stays as it is.
pub(super) fn visible(body: &Value) -> String {
    let json = body.to_string();
    if json.len() > Proposal::MOST_TEXT {
        return json;
    }
    escape_invisible(&json).into_owned()
}
