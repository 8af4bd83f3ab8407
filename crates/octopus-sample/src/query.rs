//! What stands behind the `?` of a request.

use axum::extract::Query as Pairs;
use http::Uri;

/// The parameters of a request. Names are matched without regard to case.
#[derive(Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        Self { pairs: Pairs::try_from_uri(uri).map(|Pairs(pairs)| pairs).unwrap_or_default() }
    }

    /// The value of a parameter; an empty one counts as none.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values(name).find(|value| !value.is_empty())
    }

    /// Whether a parameter is there at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// A comma list; a parameter that is there several times counts as one list.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.items(name).collect()
    }

    /// The items of a comma list, one by one.
    pub(super) fn items<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let items = self.values(name).flat_map(|value| value.split(','));
        items.map(str::trim).filter(|value| !value.is_empty())
    }

    /// A number; what is none counts as not given.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    /// A switch; `None` where it is not given.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The parameters without paging and credentials, encoded again for a link.
    pub(super) fn filters(&self) -> String {
        let skipped = ["skip", "take", "apikey"];
        let kept = |name: &str| !skipped.iter().any(|other| other.eq_ignore_ascii_case(name));
        let mut filters = String::new();
        for (name, value) in
            self.pairs.iter().filter(|(name, value)| kept(name) && !value.is_empty())
        {
            filters.push_str(&encoded(name));
            filters.push('=');
            filters.push_str(&encoded(value));
            filters.push('&');
        }
        filters
    }

    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let matching = move |(other, value): &'a (String, String)| {
            other.eq_ignore_ascii_case(name).then_some(value.as_str())
        };
        self.pairs.iter().filter_map(matching)
    }
}

/// Percent-decodes one segment of a path; what is not UTF-8 then is left as it was.
pub(super) fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%').and_then(|hex| str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| segment.to_owned())
}

fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~,".contains(&byte);
    let written = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_once() {
        let rows = [("refs%2Fheads%2fmain", "refs/heads/main"), ("50%", "50%"), ("%zz", "%zz")];
        for (segment, expected) in rows {
            assert_eq!(decoded(segment), expected);
        }
    }

    #[test]
    fn lists_may_be_joined_or_repeated() {
        let query = Query::of(&Uri::from_static("/x?States=A,B&states=C&ids=&take=5"));
        assert_eq!(query.list("states"), ["A", "B", "C"]);
        assert!(query.list("ids").is_empty());
        assert_eq!(query.filters(), "States=A%2CB&states=C&".replace("%2C", ","));
    }
}
