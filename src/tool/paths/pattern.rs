//! Segments in the form in which they are compared, and patterns of them.

use crate::octopus::Path;

/// A segment as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case.
    pub(super) folded: String,
    /// Its letters and digits alone, without an extension: `api-keys.json` is `apikeys`. Some
    /// versions of Octopus take an extension for a wanted format.
    pub(super) plain: String,
}

impl Word {
    pub(super) fn of(segment: &str) -> Self {
        // First up, so that letters which only fall together in upper case do so here too.
        let folded: String =
            segment.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
        let stem = folded.split(['.', ';']).next().filter(|stem| !stem.is_empty());
        let plain = plain(stem.unwrap_or(&folded));
        Self { folded, plain }
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// How many words a pattern names where these words are what it says, or below it.
pub(super) fn reaches(pattern: &str, words: &[Word]) -> Option<usize> {
    let mut named = 0;
    let mut left = words.iter();
    for part in parts(pattern) {
        let word = left.next()?;
        if part == "*" {
            continue;
        }
        let is_it = match part.strip_suffix('*') {
            Some(beginning) => word.folded.starts_with(beginning),
            None => word.plain == Word::of(part).plain,
        };
        if !is_it {
            return None;
        }
        named += 1;
    }
    Some(named)
}

/// The same for patterns that say with a `$` that nothing is below them.
pub(super) fn is(pattern: &str, words: &[Word]) -> bool {
    match pattern.strip_suffix('$') {
        Some(whole) => reaches(whole, words).is_some() && length(whole) == words.len(),
        None => reaches(pattern, words).is_some(),
    }
}

/// How many segments a pattern has.
pub(super) fn length(pattern: &str) -> usize {
    parts(pattern).count()
}

fn parts(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter(|part| !part.is_empty())
}

/// What is below the space, where the path names one.
pub(super) fn in_space(words: &[Word]) -> Option<&[Word]> {
    match words {
        [space, rest @ ..] if is_space_id(&space.folded) => Some(rest),
        [spaces, _, rest @ ..] if spaces.plain == "spaces" && !rest.is_empty() => Some(rest),
        _ => None,
    }
}

fn is_space_id(folded: &str) -> bool {
    folded.strip_prefix("spaces-").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The document of the interruption that a path does something with.
pub(in crate::tool) fn interruption(path: &Path) -> Option<Path> {
    let words: Vec<Word> = path.segments().iter().map(|segment| Word::of(segment)).collect();
    let place = words.iter().position(|word| word.plain == "interruptions")?;
    let is_below = words.len() > place + 2;
    is_below.then(|| Path::new(path.segments().iter().take(place + 2)))
}
