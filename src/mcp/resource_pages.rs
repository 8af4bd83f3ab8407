//! Pages of `resources/list`, the only list whose length depends on Octopus: it contains each
//! space.
//!
//! The first page has all static resources and the first 100 spaces; each further page has the next
//! 100 spaces (MCP specification, "Pagination"). A cursor contains the number of spaces before its
//! page, in base64url. It is not a secret, because each page shows only spaces that its caller can
//! use.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rmcp::{
    ErrorData,
    model::{PaginatedRequestParams, Resource},
};

/// Maximum number of spaces on a page.
pub(super) const PAGE_SIZE: u32 = 100;
/// Maximum number of spaces over all pages. Octopus instances have far fewer spaces.
const MAX_SPACES: u32 = 1_000_000;
/// Prefix of a decoded cursor.
const CURSOR_PREFIX: &str = "after:";

/// A page of resources.
#[derive(Debug, Clone, Default)]
pub struct ResourcePage {
    /// The resources of this page.
    pub resources: Vec<Resource>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// Returns the cursor of the page after this number of spaces.
pub(super) fn encode_cursor(skip: u32) -> String {
    URL_SAFE_NO_PAD.encode(format!("{CURSOR_PREFIX}{skip}"))
}

/// Returns the number of spaces before the requested page; 0 without a cursor.
///
/// # Errors
///
/// `-32602` if this server did not create the cursor.
pub(super) fn parse_cursor(params: Option<PaginatedRequestParams>) -> Result<u32, ErrorData> {
    let Some(given) = params.and_then(|params| params.cursor) else { return Ok(0) };
    let decoded = URL_SAFE_NO_PAD.decode(&given).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let number = decoded.and_then(|text| text.strip_prefix(CURSOR_PREFIX)?.parse().ok());
    // Each page has exactly one cursor: other encodings of the same number are rejected.
    let is_ours = |skip: &u32| {
        (1..=MAX_SPACES).contains(skip)
            && skip.is_multiple_of(PAGE_SIZE)
            && encode_cursor(*skip) == given
    };
    number.filter(is_ours).ok_or_else(|| {
        let message = "invalid cursor; expected the `nextCursor` of the previous page, or none for \
                       the first page";
        ErrorData::invalid_params(message, None)
    })
}

/// Returns the items of a page and the cursor of the next page, from the response of Octopus to a
/// request with `skip`.
///
/// If an instance ignores `skip` and `take` and returns all items, the page is cut out of them.
pub(super) fn paginate<T>(items: Vec<T>, total: u32, skip: u32) -> (Vec<T>, Option<String>) {
    let is_whole = items.len() > PAGE_SIZE as usize;
    let total = if is_whole { u32::try_from(items.len()).unwrap_or(MAX_SPACES) } else { total };
    let before = if is_whole { skip as usize } else { 0 };
    let items: Vec<T> = items.into_iter().skip(before).take(PAGE_SIZE as usize).collect();
    let next = skip.saturating_add(PAGE_SIZE);
    // An empty page is the last page, even if `total` is larger.
    let has_more = next < total && next <= MAX_SPACES && !items.is_empty();
    (items, has_more.then(|| encode_cursor(next)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(cursor: &str) -> Result<u32, ErrorData> {
        parse_cursor(Some(PaginatedRequestParams::default().with_cursor(Some(cursor.to_owned()))))
    }

    #[test]
    fn rejects_foreign_cursors() {
        assert_eq!(parse_cursor(None).unwrap(), 0);
        assert_eq!(parse(&encode_cursor(300)).unwrap(), 300);
        let padded = format!("{}=", encode_cursor(300));
        let signed = URL_SAFE_NO_PAD.encode("after:+300");
        for wrong in [
            "",
            "300",
            "after:300",
            &padded,
            &signed,
            &encode_cursor(0),
            &encode_cursor(150),
            &encode_cursor(MAX_SPACES + PAGE_SIZE),
            "%00",
            "💥",
        ] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error.code.0, -32602, "{wrong}");
            assert!(error.message.contains("nextCursor"), "{}", error.message);
        }
    }

    proptest! {
        #[test]
        fn pages_are_bounded_and_contain_each_item_once(total in 0..1_000_u32, is_paged: bool) {
            let all: Vec<u32> = (0..total).collect();
            let (mut seen, mut skipped) = (Vec::new(), 0);
            for _ in 0..20 {
                let answered: Vec<u32> = if is_paged {
                    all.iter().copied().skip(skipped as usize).take(PAGE_SIZE as usize).collect()
                } else {
                    all.clone()
                };
                let (items, next) = paginate(answered, total, skipped);
                prop_assert!(items.len() <= PAGE_SIZE as usize);
                seen.extend(items);
                match next {
                    Some(next) => skipped = parse(&next).unwrap(),
                    None => break,
                }
            }
            prop_assert_eq!(seen, all);
        }
    }
}
