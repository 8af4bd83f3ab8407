//! The path and query of a request, built from parts so that no part can change another.

use std::{
    borrow::Cow,
    fmt::{self, Display},
};

use url::Url;

use super::{Error, route::route};

/// A path below `/api`. Each segment is encoded whole: a `/` or `..` in one cannot reach another
/// resource.
#[derive(Debug, Clone)]
pub struct Path {
    segments: Vec<String>,
    query: Vec<(Cow<'static, str>, String)>,
}

impl Path {
    /// A path of these segments.
    pub fn new<S: ToString>(segments: impl IntoIterator<Item = S>) -> Self {
        let segments = segments.into_iter().map(|segment| segment.to_string()).collect();
        Self { segments, query: Vec::new() }
    }

    /// Adds segments.
    #[must_use]
    pub fn then<S: ToString>(mut self, segments: impl IntoIterator<Item = S>) -> Self {
        self.segments.extend(segments.into_iter().map(|segment| segment.to_string()));
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds a parameter where there is a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds values as one comma list. Octopus takes an empty list for no filter at all, so none
    /// is sent then: whoever means "nothing" must not ask.
    #[must_use]
    pub fn with_list(self, name: &'static str, values: &[impl Display]) -> Self {
        if values.is_empty() {
            return self;
        }
        let list: Vec<_> = values.iter().map(ToString::to_string).collect();
        self.with(name, list.join(","))
    }

    /// The URL at an instance.
    pub(super) fn at(&self, base: &Url) -> Result<Url, Error> {
        let unfit = |reason: &str| Error::Unexpected { reason: reason.to_owned() };
        if self.segments.iter().any(|s| s.is_empty() || s == "." || s == "..") {
            return Err(unfit("a path has an empty or a dot segment"));
        }
        let mut url = base.clone();
        url.path_segments_mut()
            .map_err(|()| unfit("the URL of the instance cannot have a path"))?
            .pop_if_empty()
            .push("api")
            .extend(&self.segments);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// The segments below `/api`, decoded.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The path with IDs and names replaced by what they are, for logs and metrics: nobody can make
    /// many of these.
    pub fn route(&self) -> String {
        route(&self.segments)
    }
}

/// The path and query as they stand in a request line, below the instance's own directory.
impl Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = Url::parse("https://octopus.invalid").map_err(|_| fmt::Error)?;
        let url = self.at(&base).map_err(|_| fmt::Error)?;
        f.write_str(url.path())?;
        url.query().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(base: &str, path: &Path) -> String {
        path.at(&base.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn paths_stand_below_the_virtual_directory() {
        let path = Path::new(["Spaces-1", "projects"]).with("partialName", "a b&c").with("take", 1);
        for base in ["https://o.example/octopus", "https://o.example/octopus/"] {
            assert_eq!(
                url(base, &path),
                "https://o.example/octopus/api/Spaces-1/projects?partialName=a+b%26c&take=1"
            );
        }
    }

    #[test]
    fn an_empty_list_is_not_sent() {
        let path = Path::new(["projects"]).with_list("ids", &[] as &[&str]);
        assert_eq!(url("https://o.example", &path), "https://o.example/api/projects");
    }

    proptest! {
        #[test]
        fn whatever_a_segment_holds_it_stays_one_segment_below_api(segment in "\\PC*") {
            let base: Url = "https://o.example/octopus".parse().unwrap();
            if let Ok(url) = Path::new(["Spaces-1", segment.as_str(), "x"]).at(&base) {
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
