//! Pages of `resources/list`, the one list that grows with Octopus: it names each space.
//!
//! The first page has all fixed resources and the first [`SIZE`] spaces; each further page has the
//! next spaces (MCP specification, "Pagination"). A cursor holds the number of spaces before its
//! page, in base64url. It is no secret: each page shows what its caller may see.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rmcp::{
    ErrorData,
    model::{PaginatedRequestParams, Resource},
};

/// The most spaces of a page.
pub(super) const SIZE: u32 = 100;
/// The most spaces that are paged through. Far more than an instance of Octopus has.
const MOST: u32 = 1_000_000;
/// What a cursor begins with, before it is encoded.
const BEGINS: &str = "after:";

/// A page of resources.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The resources of this page.
    pub resources: Vec<Resource>,
    /// The cursor of the next page; `None` where this is the last one.
    pub next: Option<String>,
}

/// Returns the cursor of the page that begins after this many spaces.
pub(super) fn cursor(skip: u32) -> String {
    URL_SAFE_NO_PAD.encode(format!("{BEGINS}{skip}"))
}

/// Returns how many spaces stand before the page that a request asks for.
///
/// # Errors
///
/// `-32602` where this server did not make the cursor.
pub(super) fn skip(params: Option<PaginatedRequestParams>) -> Result<u32, ErrorData> {
    let Some(given) = params.and_then(|params| params.cursor) else { return Ok(0) };
    let decoded = URL_SAFE_NO_PAD.decode(&given).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let number = decoded.and_then(|text| text.strip_prefix(BEGINS)?.parse().ok());
    // One page has one cursor: another text for the same number is refused too.
    let is_ours = |skip: &u32| {
        (1..=MOST).contains(skip) && skip.is_multiple_of(SIZE) && cursor(*skip) == given
    };
    number.filter(is_ours).ok_or_else(|| {
        let message = "invalid cursor; expected the `nextCursor` of the page before, or none for the \
                       first page";
        ErrorData::invalid_params(message, None)
    })
}

/// Returns the items of a page, and the cursor of the next one, from what Octopus answered when it
/// was asked for the page after `skip` items.
///
/// An instance that ignores `skip` and `take` answers with all items: the page is cut out of them.
pub(super) fn cut<T>(items: Vec<T>, total: u32, skip: u32) -> (Vec<T>, Option<String>) {
    let is_whole = items.len() > SIZE as usize;
    let total = if is_whole { u32::try_from(items.len()).unwrap_or(MOST) } else { total };
    let before = if is_whole { skip as usize } else { 0 };
    let items: Vec<T> = items.into_iter().skip(before).take(SIZE as usize).collect();
    let next = skip.saturating_add(SIZE);
    // A page without items is the last one, whatever the total says.
    let has_more = next < total && next <= MOST && !items.is_empty();
    (items, has_more.then(|| cursor(next)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(cursor: &str) -> Result<u32, ErrorData> {
        skip(Some(PaginatedRequestParams::default().with_cursor(Some(cursor.to_owned()))))
    }

    #[test]
    fn only_cursors_of_this_server_are_accepted() {
        assert_eq!(skip(None).unwrap(), 0);
        assert_eq!(asked(&cursor(300)).unwrap(), 300);
        let padded = format!("{}=", cursor(300));
        let signed = URL_SAFE_NO_PAD.encode("after:+300");
        for wrong in [
            "",
            "300",
            "after:300",
            &padded,
            &signed,
            &cursor(0),
            &cursor(150),
            &cursor(MOST + SIZE),
            "%00",
            "💥",
        ] {
            let error = asked(wrong).unwrap_err();
            assert_eq!(error.code.0, -32602, "{wrong}");
            assert!(error.message.contains("nextCursor"), "{}", error.message);
        }
    }

    proptest! {
        #[test]
        fn pages_are_bounded_and_hold_each_item_once(total in 0..1_000_u32, is_paged: bool) {
            let all: Vec<u32> = (0..total).collect();
            let (mut seen, mut skipped) = (Vec::new(), 0);
            for _ in 0..20 {
                let answered: Vec<u32> = if is_paged {
                    all.iter().copied().skip(skipped as usize).take(SIZE as usize).collect()
                } else {
                    all.clone()
                };
                let (items, next) = cut(answered, total, skipped);
                prop_assert!(items.len() <= SIZE as usize);
                seen.extend(items);
                match next {
                    Some(next) => skipped = asked(&next).unwrap(),
                    None => break,
                }
            }
            prop_assert_eq!(seen, all);
        }
    }
}
