//! Path and query of a request, built from separately encoded parts.

use std::{
    borrow::Cow,
    fmt::{self, Display},
};

use url::Url;

use super::{error::Error, id_form, route::route};

/// Maximum length in bytes of the path and query of a request. Kestrel, the web server of Octopus,
/// accepts request lines of 8 KiB by default (`MaxRequestLineSize`), including the method and the
/// version. Common proxies accept the same; HTTP.sys accepts 16 KiB.
pub(in crate::octopus) const MAX_TARGET: usize = 8_000;
/// Maximum number of IDs per request, which keeps the URL short. Octopus's own clients send 300.
pub(in crate::octopus) const IDS_PER_REQUEST: usize = 300;
/// Maximum bytes of IDs in one request, so that its path and query stay below [`MAX_TARGET`].
const MAX_ID_BYTES: usize = 6_000;
/// Maximum number of characters of a path in a message.
const MAX_DISPLAY_CHARS: usize = 300;

/// Splits IDs into batches that fit into the query of one request each: at most [`IDS_PER_REQUEST`]
/// IDs and few enough bytes.
pub(in crate::octopus) fn id_batches<T: Display>(ids: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = ids;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        // An encoded comma has three bytes.
        let fits = |id: &&T| {
            bytes += id.to_string().len() + 3;
            bytes <= MAX_ID_BYTES
        };
        let count = rest.iter().take(IDS_PER_REQUEST).take_while(fits).count().max(1);
        let (batch, others) = rest.split_at_checked(count)?;
        rest = others;
        Some(batch)
    })
}

/// A path below `/api`. Each segment is percent-encoded as a whole, so a `/` or `..` in a segment
/// cannot reach another resource.
#[derive(Debug, Clone)]
pub struct ApiPath {
    segments: Vec<String>,
    query: Vec<(Cow<'static, str>, String)>,
}

impl ApiPath {
    /// Creates a path from unencoded segments.
    pub fn new<S: ToString>(segments: impl IntoIterator<Item = S>) -> Self {
        let segments = segments.into_iter().map(|segment| segment.to_string()).collect();
        Self { segments, query: Vec::new() }
    }

    /// Appends segments.
    #[must_use]
    pub fn join<S: ToString>(mut self, segments: impl IntoIterator<Item = S>) -> Self {
        self.segments.extend(segments.into_iter().map(|segment| segment.to_string()));
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds a query parameter if `value` is set.
    #[must_use]
    pub fn query_opt(self, name: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a query parameter with a comma-separated list. An empty list is omitted, because
    /// Octopus treats it as "no filter". Callers without IDs must not send the request.
    #[must_use]
    pub fn query_list(self, name: &'static str, values: &[impl Display]) -> Self {
        if values.is_empty() {
            return self;
        }
        let list: Vec<_> = values.iter().map(ToString::to_string).collect();
        self.query(name, list.join(","))
    }

    /// Returns the URL at an instance.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidRequest`] if a segment is empty, `.` or `..`, or if path and query
    /// together are longer than [`MAX_TARGET`].
    pub(in crate::octopus) fn url_at(&self, base: &Url) -> Result<Url, Error> {
        let invalid = |reason: String| Error::InvalidRequest { reason };
        if self.segments.iter().any(|s| s.is_empty() || s == "." || s == "..") {
            return Err(invalid("its path contains an empty segment, \".\" or \"..\"".to_owned()));
        }
        // Check the length before encoding, so that rejected paths cost no memory.
        let raw: usize = self.segments.iter().map(|segment| segment.len() + 1).sum::<usize>()
            + self.query.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
        let too_long = |length: usize| {
            invalid(format!(
                "its path and query have {length} bytes, but {MAX_TARGET} is the limit"
            ))
        };
        if raw > MAX_TARGET {
            return Err(too_long(raw));
        }
        let url = self.url_unchecked(base).ok_or_else(|| {
            invalid("the URL of the instance is not a base URL such as https://host".to_owned())
        })?;
        let length = url.path().len() + url.query().map_or(0, |query| query.len() + 1);
        if length > MAX_TARGET {
            return Err(too_long(length));
        }
        Ok(url)
    }

    /// Returns the URL at an instance without checks.
    fn url_unchecked(&self, base: &Url) -> Option<Url> {
        let mut url = base.clone();
        url.path_segments_mut().ok()?.pop_if_empty().push("api").extend(&self.segments);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }

    /// Returns whether Octopus serves this path only to a valid credential, so that a successful
    /// JSON response to a GET proves the credential. Nearly every call reads one of these paths
    /// first. Other paths prove nothing, because Octopus may serve them without authentication
    /// (`/api`, logos).
    pub(in crate::octopus) fn proves_credential(&self) -> bool {
        match self.segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["spaces"] | ["spaces", _] | ["users", "me"] => true,
            [space, _] | [space, _, _] => id_form::has_prefix(space, "spaces"),
            _ => false,
        }
    }

    /// Returns the path without the base path of the instance and without the query, for messages.
    pub(in crate::octopus) fn display_path(&self) -> String {
        let path = self.to_string();
        let path = path.split('?').next().unwrap_or_default();
        path.chars().take(MAX_DISPLAY_CHARS).collect()
    }

    /// Returns the decoded segments below `/api`.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Returns the path with placeholders for IDs and names, for logs and metrics. The number of
    /// different routes is bounded.
    pub fn route(&self) -> String {
        route(&self.segments)
    }
}

/// Writes path and query as in a request line, without the base path of the instance.
impl Display for ApiPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = Url::parse("https://octopus.invalid").map_err(|_| fmt::Error)?;
        let url = self.url_unchecked(&base).ok_or(fmt::Error)?;
        f.write_str(url.path())?;
        url.query().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(base: &str, path: &ApiPath) -> String {
        path.url_at(&base.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn url_keeps_the_base_path() {
        let path =
            ApiPath::new(["Spaces-1", "projects"]).query("partialName", "a b&c").query("take", 1);
        for base in ["https://o.example/octopus", "https://o.example/octopus/"] {
            assert_eq!(
                url(base, &path),
                "https://o.example/octopus/api/Spaces-1/projects?partialName=a+b%26c&take=1"
            );
        }
    }

    #[test]
    fn omits_empty_lists() {
        let path = ApiPath::new(["projects"]).query_list("ids", &[] as &[&str]);
        assert_eq!(url("https://o.example", &path), "https://o.example/api/projects");
    }

    #[test]
    fn rejects_too_long_paths_with_the_limit() {
        let base: Url = "https://o.example/octopus".parse().unwrap();
        for path in [
            ApiPath::new(["spaces"]).query("partialName", "x".repeat(70_000)),
            // Short before encoding and too long afterwards.
            ApiPath::new(["spaces"]).query("partialName", "\u{e9}".repeat(3_000)),
            ApiPath::new(["Spaces-1", &"x".repeat(9_000)]),
        ] {
            let Err(Error::InvalidRequest { reason }) = path.url_at(&base) else {
                panic!("{path}")
            };
            assert!(reason.contains("bytes, but 8000 is the limit"), "{reason}");
        }
        let fits = ApiPath::new(["spaces"]).query("partialName", "x".repeat(7_900));
        assert!(fits.url_at(&base).is_ok());
    }

    #[test]
    fn rejects_dot_segments_but_displays_them() {
        let path = ApiPath::new(["Spaces-1", ".."]);
        let base: Url = "https://o.example".parse().unwrap();
        assert!(matches!(path.url_at(&base), Err(Error::InvalidRequest { .. })));
        assert!(path.to_string().starts_with("/api/Spaces-1"));
    }

    #[test]
    fn only_paths_behind_authentication_prove_a_credential() {
        for (segments, expected) in [
            (vec!["spaces"], true),
            (vec!["spaces", "Spaces-1"], true),
            (vec!["users", "me"], true),
            (vec!["Spaces-1", "projects"], true),
            (vec!["spaces-42", "projects", "Projects-1"], true),
            (vec!["Spaces-1", "projects", "Projects-1", "logo"], false),
            (vec!["Spaces-1"], false),
            (vec!["warehouse", "projects"], false),
            (vec!["users", "Users-1"], false),
            (vec!["octopusservernodes", "ping"], false),
            (vec![], false),
        ] {
            let path = ApiPath::new(&segments);
            assert_eq!(path.proves_credential(), expected, "{segments:?}");
        }
    }

    proptest! {
        #[test]
        fn batches_hold_every_id_once_and_fit(
            ids in proptest::collection::vec("[a-z]{1,6}Sets-[0-9]{1,60}", 0..900),
        ) {
            let base: Url = "https://o.example/octopus".parse().unwrap();
            let batches: Vec<&[String]> = id_batches(&ids).collect();
            prop_assert_eq!(batches.concat(), ids.clone());
            for batch in batches {
                prop_assert!(!batch.is_empty() && batch.len() <= 300);
                let path = ApiPath::new(["Spaces-1", "variables", "all"]).query_list("ids", batch);
                prop_assert!(path.url_at(&base).is_ok());
            }
        }

        #[test]
        fn any_segment_stays_one_encoded_segment(segment in "\\PC*") {
            let base: Url = "https://o.example/octopus".parse().unwrap();
            if let Ok(url) = ApiPath::new(["Spaces-1", segment.as_str(), "x"]).url_at(&base) {
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 5);
                prop_assert_eq!(&segments[..3], ["octopus", "api", "Spaces-1"]);
                prop_assert_eq!(url.query(), None);
                prop_assert_eq!(url.fragment(), None);
                prop_assert_eq!(url.host_str(), Some("o.example"));
            }
        }
    }
}
