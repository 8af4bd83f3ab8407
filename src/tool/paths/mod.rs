//! Paths of the API as a caller writes them, and which of them may be asked.
//!
//! A path is read once into segments ([`ApiPath::parse`]). What is sent is built from these very
//! segments, and what is checked are the same ones in a form in which letter case and punctuation
//! make no difference: what may not be asked ([`denied`]), whose it is ([`owner`]), and which space
//! it is in ([`scope`]).

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

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes or starts something.
    Post,
    /// Replaces something.
    Put,
    /// Changes a part of something.
    Patch,
    /// Removes something.
    Delete,
}

impl Verb {
    /// What it can do to Octopus.
    pub fn tier(self) -> Tier {
        match self {
            Self::Get => Tier::Read,
            Self::Post | Self::Put | Self::Patch => Tier::Write,
            Self::Delete => Tier::Delete,
        }
    }

    /// The method of a change.
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

/// A path of the API, read.
#[derive(Debug, Clone)]
pub struct ApiPath {
    /// Below `/api`, decoded, as they are sent.
    segments: Vec<String>,
    /// The same, as they are checked.
    words: Vec<Word>,
}

impl ApiPath {
    /// Reads what a caller wrote.
    pub fn parse(given: &str) -> Result<Self, Error> {
        parse::segments(given).map(Self::of)
    }

    fn of(segments: Vec<String>) -> Self {
        let words = segments.iter().map(|segment| Word::of(segment)).collect();
        Self { segments, words }
    }

    /// The path that is sent.
    pub fn to_send(&self) -> Path {
        Path::new(&self.segments)
    }

    /// The segments below `/api`, decoded once, as they are sent.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The last word, without regard to letter case.
    pub fn ends_with(&self, word: &str) -> bool {
        self.words.last().is_some_and(|last| last.plain == word)
    }

    /// Refuses what nobody may do this way, and what belongs to a toolset that is off.
    pub fn allow(&self, verb: Verb, body: Option<&Value>, policy: &Policy) -> Result<(), Error> {
        if let Some(reason) = denied::reason(&self.words, &self.parts(), verb, body) {
            return Err(Error::Invalid(format!(
                "{} is not open to this tool: {reason}. An administrator can do it in the portal",
                self.to_send()
            )));
        }
        owner::allow(self, verb.tier(), policy)
    }

    /// Refuses what is not in the one space that the settings allow.
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

    /// What the path names as its space, where it names one: `Spaces-1/...` or `spaces/...`.
    pub fn space(&self) -> Option<&str> {
        let named = match (self.words.as_slice(), self.segments.as_slice()) {
            ([first, _, ..], [_, second, ..]) if first.plain == "spaces" => Some(second),
            ([first, ..], [id, ..]) if first.folded.starts_with("spaces-") => Some(id),
            _ => None,
        };
        named.map(String::as_str)
    }

    /// The document that a change is about, where the path names one.
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

    /// What is below the space, where one is named: each segment as it is compared, and as it is
    /// written.
    pub fn below_space(&self) -> impl Iterator<Item = (&str, &str)> {
        let below = pattern::in_space(&self.words).map_or(self.words.len(), <[_]>::len);
        let skipped = self.words.len() - below;
        let both = self.words.iter().zip(&self.segments).skip(skipped);
        both.map(|(word, segment)| (word.plain.as_str(), segment.as_str()))
    }

    /// The words as a server would see them that decodes a slash within a segment.
    fn parts(&self) -> Vec<Word> {
        self.segments.iter().flat_map(|segment| segment.split('/')).map(Word::of).collect()
    }
}
