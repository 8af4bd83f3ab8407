//! Reads the response of Octopus to an `execute` request, bounded by the answer size.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    approval::ChangePreview,
    octopus::{
        self, ApiPath, BoundedJson, ChangeResponse, ChangeResponseBody, JsonBounds, JsonPlace,
        RawResponse, document,
    },
    sanitize::escape::escape_invisible_json,
    text::json_pointer::{parent, rest_below},
    tool::{Context, Continuation, Error},
};

/// JSON pointer to the items of a page.
const PAGE_ITEMS: &str = "/Items";
/// Maximum size of a pointer that an answer names, in bytes.
const MAX_POINTER_BYTES: usize = 200;

/// The part of a response that fits into the answer.
#[derive(Debug)]
pub(super) struct Response {
    /// JSON without `Links`, or text.
    pub(super) value: Value,
    /// Counts of the omitted parts, if any.
    pub(super) omitted: Option<Omitted>,
    /// Places where parts were omitted.
    places: Vec<JsonPlace>,
}

/// Counts of the parts of a response that were omitted before the answer is truncated.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Omitted {
    /// Size of the whole response in bytes.
    response_bytes: usize,
    /// Number of list items.
    items: u64,
    /// Number of object fields.
    fields: u64,
    /// Number of texts that were shortened.
    texts: u64,
}

impl Response {
    fn new(BoundedJson { value, omitted, places }: BoundedJson, response_bytes: usize) -> Self {
        let octopus::OmittedCounts { items, fields, texts } = omitted;
        let counts = Omitted { response_bytes, items, fields, texts };
        // `Links` were removed while parsing; `raw` removes the other fields that answers never
        // show.
        let value = document::without_sensitive(value);
        Self { value, omitted: (!omitted.is_empty()).then_some(counts), places }
    }

    /// Returns `skip` and, if items of the page were omitted, the `skip` of the first one.
    /// Returns `None` if the response is not a page of a list.
    pub(super) fn paging(&self, skip: u64) -> Option<(u64, Option<u64>)> {
        self.value.get("Items")?.as_array()?;
        let cut = self.places.iter().find(|place| place.pointer == PAGE_ITEMS);
        Some((skip, cut.map(|place| skip.saturating_add(place.kept as u64))))
    }

    /// Returns the arguments for the parts below `pointer` that were omitted. The items of a page are
    /// not included, because `skip` continues after them.
    pub(super) fn continue_at(&self, pointer: &str, is_page: bool) -> Option<Vec<Continuation>> {
        let is_named = |place: &&JsonPlace| {
            rest_below(&place.pointer, pointer).is_some()
                && place.pointer.len() <= MAX_POINTER_BYTES
                && !(is_page && place.pointer == PAGE_ITEMS)
        };
        let named = self.places.iter().filter(is_named);
        Continuation::list(named.map(|place| (place.pointer.clone(), place.kept)))
    }

    /// Explains that the response has no value at `pointer`: names the longest part that exists, and
    /// what it contains.
    pub(super) fn missing_at(&self, pointer: &str) -> String {
        let mut found = pointer;
        while let Some(above) = parent(found)
            && self.value.pointer(found).is_none()
        {
            found = above;
        }
        let contains = match self.value.pointer(found) {
            Some(Value::Array(items)) => format!("a list of {} items", items.len()),
            Some(Value::Object(fields)) => {
                let names: Vec<&str> = fields.keys().take(20).map(String::as_str).collect();
                format!("the fields {}", names.join(", "))
            }
            _ => "no parts".to_owned(),
        };
        let first = if self.omitted.is_some() { " in the first 512 KiB of it" } else { "" };
        format!("the response has nothing at '{pointer}'{first}; '{found}' has {contains}")
    }

    /// Returns whether every document in the response has all its fields.
    ///
    /// A list of several items may lack its last items, because each item is included completely or
    /// omitted. A single item may have a shortened list.
    pub(super) fn has_all_fields(&self) -> bool {
        let items = self.value.as_array().or_else(|| self.value.get("Items")?.as_array());
        let is_list = items.is_some_and(|items| items.len() > 1);
        let is_whole = |omitted: &Omitted| omitted.fields == 0 && (omitted.items == 0 || is_list);
        self.omitted.as_ref().is_none_or(is_whole)
    }

    fn text(text: String) -> Self {
        Self { value: Value::String(text), omitted: None, places: Vec::new() }
    }
}

/// Reads the part of a response that fits into the answer. With `selects_part`, a part of the
/// response is selected later, so more of it is read. Large responses are parsed in the compute
/// pool.
pub(super) async fn read_response(
    answer: RawResponse,
    path: &ApiPath,
    selects_part: bool,
    cx: &Context,
) -> Result<Response, Error> {
    let path = path.clone();
    let for_answer = JsonBounds::for_answer(cx.limits.answer);
    let bounds = if selects_part { JsonBounds::DOCUMENT } else { for_answer };
    cx.session.parse(answer, move |answer| read(answer, &path, bounds)).await
}

/// Reads the part of the reply to a change that fits into the answer.
///
/// If the reply cannot be read, returns its size and type instead of an error, because the change
/// was made and an error would hide that.
pub(super) async fn read_reply(reply: ChangeResponse, cx: &Context) -> Result<Response, Error> {
    let ChangeResponse { content_type, size, body, .. } = reply;
    let unread = format!("[{size} bytes ({content_type}) that could not be read]");
    let body = match body {
        ChangeResponseBody::Json(document) => return Ok(Response::new((*document).clone(), size)),
        ChangeResponseBody::Unparsed(_) => return Ok(Response::text(unread)),
        ChangeResponseBody::Raw(body) => body,
    };
    let limit = cx.limits.answer;
    let described = move |answer: &RawResponse| -> Result<Response, Error> {
        let text = text_of(answer, JsonBounds::for_answer(limit));
        Ok(text.unwrap_or_else(|description| Response::text(format!("[{description}]"))))
    };
    match cx.session.parse(RawResponse { content_type, body }, described).await {
        Err(Error::Octopus(octopus::Error::Compute(_))) => Ok(Response::text(unread)),
        shown => shown,
    }
}

fn read(answer: &RawResponse, path: &ApiPath, bounds: JsonBounds) -> Result<Response, Error> {
    let kind = answer.content_type.as_str();
    if answer.body.is_empty() {
        return Ok(Response::text(String::new()));
    }
    // The API never returns HTML: this is a sign-in page or the error page of a proxy.
    if kind.ends_with("/json") || kind.ends_with("+json") || kind == "text/html" {
        let document = answer.document(&path.route(), bounds)?;
        return Ok(Response::new(document, answer.body.len()));
    }
    text_of(answer, bounds).map_err(|description| {
        Error::Invalid(format!("Octopus returned {description}; download it in the web portal"))
    })
}

/// Returns the beginning of a text response.
///
/// # Errors
///
/// A description of the response, if it is not text.
fn text_of(answer: &RawResponse, bounds: JsonBounds) -> Result<Response, String> {
    let kind = answer.content_type.as_str();
    if answer.body.is_empty() {
        return Ok(Response::text(String::new()));
    }
    let is_text = kind.starts_with("text/")
        || ["xml", "yaml", "json"].iter().any(|ending| kind.ends_with(ending));
    match std::str::from_utf8(&answer.body) {
        Ok(text) if is_text => {
            let beginning = octopus::truncate_at_boundary(text, bounds.text);
            let texts = u64::from(beginning.len() < text.len());
            let omitted = octopus::OmittedCounts { texts, ..octopus::OmittedCounts::default() };
            let kept = beginning.chars().count();
            let cut = (texts > 0).then(|| JsonPlace { pointer: String::new(), kept });
            let places = cut.into_iter().collect();
            Ok(Response::new(BoundedJson { value: beginning.into(), omitted, places }, text.len()))
        }
        _ => {
            let kind = if kind.is_empty() { "of no type" } else { kind };
            Err(format!("{} bytes ({kind}) that are not text", answer.body.len()))
        }
    }
}

/// Returns whether the value contains a placeholder of the sanitizer for a redacted secret.
pub(super) fn contains_redaction(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("[redacted"),
        Value::Array(items) => items.iter().any(contains_redaction),
        Value::Object(object) => object.values().any(contains_redaction),
        _ => false,
    }
}

/// Returns the body as JSON with invisible characters escaped, for the preview of the change.
///
/// A body that is too large for the preview is returned unchanged, because the preview leaves it
/// out.
pub(super) fn escaped_body(body: &Value) -> String {
    let json = body.to_string();
    if json.len() > ChangePreview::MAX_PROCESSED_BYTES {
        return json;
    }
    escape_invisible_json(&json).into_owned()
}
