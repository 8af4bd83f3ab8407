//! Paths of the Octopus API in calls of `execute`, and the checks which of them may be requested.
//!
//! A path is parsed once into segments ([`ExecutePath::parse`]). The request is built from these
//! segments. The checks use the same segments, normalized so that letter case and punctuation make
//! no difference: [`denied`] rejects paths for everybody, [`owner`] checks the toolset, and
//! [`scope`] checks the space.

mod denied;
#[cfg(test)]
mod hostile;
mod owner;
mod parse;
mod pattern;
mod scope;
#[cfg(test)]
mod tests;

pub(super) use self::pattern::interruption;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::pattern::Word;
use super::{Error, Policy, Tier};
use crate::octopus::{Method, Path};

/// HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// Reads.
    Get,
    /// Creates an object or starts an action.
    Post,
    /// Replaces an object.
    Put,
    /// Changes part of an object.
    Patch,
    /// Deletes an object.
    Delete,
}

impl Verb {
    /// Returns the tier of requests with this method.
    pub fn tier(self) -> Tier {
        match self {
            Self::Get => Tier::Read,
            Self::Post | Self::Put | Self::Patch => Tier::Write,
            Self::Delete => Tier::Delete,
        }
    }

    /// Returns the method of a change request; `None` for GET.
    pub fn change(self) -> Option<Method> {
        Some(match self {
            Self::Get => return None,
            Self::Post => Method::Post,
            Self::Put => Method::Put,
            Self::Patch => Method::Patch,
            Self::Delete => Method::Delete,
        })
    }
}

/// A parsed path of the API.
#[derive(Debug, Clone)]
pub struct ApiPath {
    /// Segments below `/api`, decoded, as they are sent.
    segments: Vec<String>,
    /// The same segments, normalized for the checks.
    words: Vec<Word>,
}

impl ApiPath {
    /// Parses the path of a call.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Argument`] for paths that servers could interpret in different ways.
    pub fn parse(given: &str) -> Result<Self, Error> {
        parse::segments(given).map(Self::of)
    }

    fn of(segments: Vec<String>) -> Self {
        let words = segments.iter().map(|segment| Word::of(segment)).collect();
        Self { segments, words }
    }

    /// Returns the path of the request.
    pub fn to_send(&self) -> Path {
        Path::new(&self.segments)
    }

    /// Returns the segments below `/api`, decoded once, as they are sent.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Returns whether the last segment equals this word, without regard to letter case.
    pub fn ends_with(&self, word: &str) -> bool {
        self.words.last().is_some_and(|last| last.plain == word)
    }

    /// Checks that `execute` may send this request.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] for requests that are denied to everybody, and for paths of
    /// disabled toolsets.
    pub fn allow(&self, verb: Verb, body: Option<&Value>, policy: &Policy) -> Result<(), Error> {
        if let Some(reason) = denied::reason(&self.words, &self.parts(), verb, body) {
            return Err(Error::Invalid(format!(
                "{} is not allowed through this tool: {reason}. An administrator can do it in the \
                 portal",
                self.to_send()
            )));
        }
        owner::allow(self, verb.tier(), policy)
    }

    /// Checks that the request stays in this space.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] if the path, query or body leaves the space.
    pub fn within(
        &self,
        space: &str,
        verb: Verb,
        query: impl Iterator<Item = impl AsRef<str>>,
        body: Option<&Value>,
    ) -> Result<(), Error> {
        scope::within(&self.words, space, verb, query, body)
            .map_err(|reason| Error::Invalid(format!("{}: {reason}", self.to_send())))
    }

    /// Returns the space in the path, if there is one: `Spaces-1/...` or `spaces/...`.
    pub fn space(&self) -> Option<&str> {
        let named = match (self.words.as_slice(), self.segments.as_slice()) {
            ([first, _, ..], [_, second, ..]) if first.plain == "spaces" => Some(second),
            ([first, ..], [id, ..]) if first.folded.starts_with("spaces-") => Some(id),
            _ => None,
        };
        named.map(String::as_str)
    }

    /// Returns the path of the document that a change is about, if the path names one.
    pub fn subject(&self, verb: Verb) -> Option<Self> {
        let is_id = |segment: &String| {
            let number = segment.rsplit_once('-').map_or("", |(_, number)| number);
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        };
        let space =
            self.words.len() - pattern::in_space(&self.words).map_or(self.words.len(), <[_]>::len);
        let end = match verb {
            Verb::Get => return None,
            Verb::Post => self.segments.iter().rposition(is_id)? + 1,
            Verb::Put | Verb::Patch | Verb::Delete => self.segments.len(),
        };
        (end > space + 1).then(|| Self::of(self.segments.iter().take(end).cloned().collect()))
    }

    /// Returns the segments below the space: each as it is compared, and as it is sent.
    pub fn below_space(&self) -> impl Iterator<Item = (&str, &str)> {
        let below = pattern::in_space(&self.words).map_or(self.words.len(), <[_]>::len);
        let skipped = self.words.len() - below;
        let both = self.words.iter().zip(&self.segments).skip(skipped);
        both.map(|(word, segment)| (word.plain.as_str(), segment.as_str()))
    }

    /// Returns the words as a server sees them that decodes encoded slashes within a segment.
    fn parts(&self) -> Vec<Word> {
        self.segments.iter().flat_map(|segment| segment.split('/')).map(Word::of).collect()
    }
}
