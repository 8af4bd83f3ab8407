//! Query parameters.

use axum::extract::Query as Pairs;
use http::Uri;

/// Query parameters of a request. Names ignore case.
#[derive(Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        Self { pairs: Pairs::try_from_uri(uri).map(|Pairs(pairs)| pairs).unwrap_or_default() }
    }

    /// Parses a query string such as `skip=0&take=5`.
    pub(super) fn parse(query: &str) -> Self {
        let uri = Uri::builder().path_and_query(format!("/?{query}")).build();
        uri.map(|uri| Self::of(&uri)).unwrap_or_default()
    }

    /// Iterates over the names and values in their order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the value of a parameter; `None` if it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values(name).find(|value| !value.is_empty())
    }

    /// Returns the items of a comma-separated list. Repeated parameters are one list.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.items(name).collect()
    }

    /// Iterates over the items of a comma-separated list.
    pub(super) fn items<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let items = self.values(name).flat_map(|value| value.split(','));
        items.map(str::trim).filter(|value| !value.is_empty())
    }

    /// Returns a number; `None` if it is not one.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    /// Returns a boolean; `None` if the parameter is absent.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Returns the parameters without paging and credentials, encoded for a link.
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

/// Percent-decodes one path segment. Returns it unchanged if the result is not UTF-8.
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
    fn decodes_percent_encoded_segments() {
        let rows = [("refs%2Fheads%2fmain", "refs/heads/main"), ("50%", "50%"), ("%zz", "%zz")];
        for (segment, expected) in rows {
            assert_eq!(decoded(segment), expected);
        }
    }

    #[test]
    fn merges_repeated_list_parameters() {
        let query = Query::of(&Uri::from_static("/x?States=A,B&states=C&ids=&take=5"));
        assert_eq!(query.list("states"), ["A", "B", "C"]);
        assert!(query.list("ids").is_empty());
        assert_eq!(query.filters(), "States=A%2CB&states=C&".replace("%2C", ","));
    }
}
