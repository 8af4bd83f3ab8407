//! Compares media types by the rules of RFC 9110, sections 8.3 and 12.5.1; rmcp compares them as
//! text.

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
    request::Parts,
};

use crate::http::rejection::Rejection;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// `true` if the client accepts an event stream as well as JSON. Inserted into the extensions of
/// POST requests.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct AcceptsEvents(pub(in crate::http) bool);

/// Checks `Content-Type` and `Accept`, and rewrites both in the spelling that rmcp expects.
///
/// # Errors
///
/// Returns 415 for a body that is not JSON, and 406 for a client that does not accept JSON.
pub(super) fn negotiate(parts: &mut Parts) -> Result<(), Rejection> {
    let headers = &mut parts.headers;
    if !is_json(headers) {
        let message = "the Content-Type of the body must be application/json";
        return Err(Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if !accepts(headers, JSON) {
        let message = "responses are application/json or text/event-stream; accept both";
        return Err(Rejection::new(StatusCode::NOT_ACCEPTABLE, message));
    }
    parts.extensions.insert(AcceptsEvents(accepts(headers, EVENTS)));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    Ok(())
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    // JSON is UTF-8 (RFC 8259, section 8.1), with or without a `charset` parameter.
    let is_utf8 = parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
        let value = value.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("charset")
            || value.eq_ignore_ascii_case("utf-8")
            || value.eq_ignore_ascii_case("us-ascii")
    });
    essence.eq_ignore_ascii_case(JSON) && is_utf8
}

/// Returns whether `Accept` allows a media type. Without the header, every type is allowed.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let ranges = || all(headers, &ACCEPT).flat_map(|value| value.split(','));
    let group = media_type.split('/').next().unwrap_or_default();
    // The most specific range that matches decides.
    for exact in [media_type.to_owned(), format!("{group}/*"), "*/*".to_owned()] {
        let is_accepted = ranges().filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next()?;
            let is_off = parts.filter_map(|part| part.split_once('=')).any(|(name, weight)| {
                name.trim().eq_ignore_ascii_case("q") && weight.trim().parse() == Ok(0.0_f32)
            });
            essence.eq_ignore_ascii_case(&exact).then_some(!is_off)
        });
        if let Some(is_accepted) = is_accepted.reduce(|a, b| a || b) {
            return is_accepted;
        }
    }
    ranges().all(|range| range.trim().is_empty())
}

fn all<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_content_types_by_essence_and_charset() {
        let check = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&headers)
        };
        for value in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json ; profile=x",
        ] {
            assert!(check(value), "{value}");
        }
        for value in ["", "text/plain", "application/jsonx", "application/json; charset=utf-16"] {
            assert!(!check(value), "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn matches_accept_by_range_and_weight() {
        let check = |value: &'static str, media_type| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(value));
            accepts(&headers, media_type)
        };
        for value in [
            "application/json, text/event-stream",
            "*/*",
            "APPLICATION/JSON",
            "application/*",
            "text/html, */*;q=0.1",
            "",
        ] {
            assert!(check(value, JSON), "{value}");
        }
        for value in ["text/html", "application/json;q=0", "*/*, application/json;q=0", "text/*"] {
            assert!(!check(value, JSON), "{value}");
        }
        assert!(check("application/json, text/event-stream", EVENTS));
        assert!(!check("application/json", EVENTS));
        assert!(accepts(&HeaderMap::new(), EVENTS));
    }
}
