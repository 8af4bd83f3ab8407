//! Paths of the Octopus API in calls of `execute`, and the checks of these paths.
//!
//! A path is parsed once into segments ([`ExecutePath::parse`]). The request is built from these
//! segments. The checks use the same segments, normalized so that letter case and punctuation make
//! no difference: [`denied`] rejects paths for all callers, [`owner`] checks the toolset, and
//! [`space`] checks the space.

mod denied;
mod error;
#[cfg(test)]
mod hostile;
mod http_method;
mod owner;
mod parse;
mod pattern;
mod space;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::error::ExecutePathError;
pub use self::http_method::HttpMethod;
use self::pattern::NormalizedSegment;
pub(crate) use self::pattern::interruption_path;
use super::ToolAccess;
use crate::octopus::ApiPath;

/// A parsed path of the API.
#[derive(Debug, Clone)]
pub struct ExecutePath {
    /// Segments below `/api`, decoded, as they are sent.
    segments: Vec<String>,
    /// The same segments, normalized for the checks.
    normalized: Vec<NormalizedSegment>,
}

impl ExecutePath {
    /// Parses the path of a call.
    ///
    /// # Errors
    ///
    /// Returns [`ExecutePathError::Malformed`] for paths that servers could interpret in different
    /// ways.
    pub fn parse(given: &str) -> Result<Self, ExecutePathError> {
        let segments = parse::parse_segments(given).map_err(ExecutePathError::Malformed)?;
        Ok(Self::from_segments(segments))
    }

    fn from_segments(segments: Vec<String>) -> Self {
        let words = segments.iter().map(|segment| NormalizedSegment::new(segment)).collect();
        Self { segments, normalized: words }
    }

    /// Returns the path of the request.
    pub fn to_path(&self) -> ApiPath {
        ApiPath::new(&self.segments)
    }

    /// Returns the segments below `/api`, decoded once, as they are sent.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Returns whether the last segment equals this word, without regard to letter case.
    pub fn ends_with(&self, word: &str) -> bool {
        self.normalized.last().is_some_and(|last| last.plain == word)
    }

    /// Checks that `execute` may send this request.
    ///
    /// # Errors
    ///
    /// Returns [`ExecutePathError::Denied`] for requests that are denied to all callers, and for
    /// paths of disabled toolsets.
    pub fn ensure_allowed(
        &self,
        verb: HttpMethod,
        body: Option<&Value>,
        access: &ToolAccess,
    ) -> Result<(), ExecutePathError> {
        if let Some(reason) = denied::deny_reason(&self.normalized, &self.split_words(), verb, body)
        {
            return Err(ExecutePathError::Denied(format!(
                "{} is not allowed through this tool: {reason}. An administrator can do it in the \
                 portal",
                self.to_path()
            )));
        }
        owner::ensure_owner_enabled(&self.normalized, &self.to_path(), verb.tier(), access)
            .map_err(ExecutePathError::Denied)
    }

    /// Checks that the request stays in this space.
    ///
    /// # Errors
    ///
    /// Returns [`ExecutePathError::Denied`] if the path, query or body leaves the space.
    pub fn ensure_in_space(
        &self,
        space: &str,
        verb: HttpMethod,
        query: impl Iterator<Item = impl AsRef<str>>,
        body: Option<&Value>,
    ) -> Result<(), ExecutePathError> {
        space::ensure_in_space(&self.normalized, space, verb, query, body)
            .map_err(|reason| ExecutePathError::Denied(format!("{}: {reason}", self.to_path())))
    }

    /// Returns the space in the path, if there is one: `Spaces-1/...` or `spaces/...`.
    pub fn space(&self) -> Option<&str> {
        let named = match (self.normalized.as_slice(), self.segments.as_slice()) {
            ([first, _, ..], [_, second, ..]) if first.plain == "spaces" => Some(second),
            ([first, ..], [id, ..]) if first.folded.starts_with("spaces-") => Some(id),
            _ => None,
        };
        named.map(String::as_str)
    }

    /// Returns the path of the document that a request changes, if the path contains its ID.
    pub fn subject(&self, verb: HttpMethod) -> Option<Self> {
        let is_id = |segment: &String| {
            let number = segment.rsplit_once('-').map_or("", |(_, number)| number);
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        };
        let space = self.normalized.len()
            - pattern::below_space(&self.normalized).map_or(self.normalized.len(), <[_]>::len);
        let end = match verb {
            HttpMethod::Get => return None,
            HttpMethod::Post => self.segments.iter().rposition(is_id)? + 1,
            HttpMethod::Put | HttpMethod::Patch | HttpMethod::Delete => self.segments.len(),
        };
        (end > space + 1)
            .then(|| Self::from_segments(self.segments.iter().take(end).cloned().collect()))
    }

    /// Returns the segments below the space, each in normalized form and as it is sent.
    pub fn below_space(&self) -> impl Iterator<Item = (&str, &str)> {
        let below =
            pattern::below_space(&self.normalized).map_or(self.normalized.len(), <[_]>::len);
        let skipped = self.normalized.len() - below;
        let both = self.normalized.iter().zip(&self.segments).skip(skipped);
        both.map(|(word, segment)| (word.plain.as_str(), segment.as_str()))
    }

    /// Returns the words of a server that decodes encoded slashes within a segment.
    fn split_words(&self) -> Vec<NormalizedSegment> {
        self.segments
            .iter()
            .flat_map(|segment| segment.split('/'))
            .map(NormalizedSegment::new)
            .collect()
    }
}
