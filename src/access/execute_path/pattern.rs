//! Normalized segments of paths, and patterns that match them.

use crate::octopus::ApiPath;

/// A segment in normalized form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NormalizedSegment {
    /// The segment in lower case.
    pub(super) folded: String,
    /// The letters and digits without the extension: `api-keys.json` becomes `apikeys`. Some
    /// versions of Octopus treat an extension as the requested format.
    pub(super) plain: String,
}

impl NormalizedSegment {
    pub(super) fn new(segment: &str) -> Self {
        // Upper case first, because some letters are equal only in upper case.
        let folded: String =
            segment.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
        let stem = folded.split(['.', ';']).next().filter(|stem| !stem.is_empty());
        let plain = letters_and_digits(stem.unwrap_or(&folded));
        Self { folded, plain }
    }
}

fn letters_and_digits(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// Returns the number of literal words in a pattern if the pattern matches these words or a prefix
/// of them.
pub(super) fn match_prefix(pattern: &str, words: &[NormalizedSegment]) -> Option<usize> {
    let mut literal_words = 0;
    let mut remaining = words.iter();
    for part in pattern_segments(pattern) {
        let word = remaining.next()?;
        if part == "*" {
            continue;
        }
        let is_equal = match part.strip_suffix('*') {
            Some(beginning) => word.folded.starts_with(beginning),
            None => word.plain == NormalizedSegment::new(part).plain,
        };
        if !is_equal {
            return None;
        }
        literal_words += 1;
    }
    Some(literal_words)
}

/// Returns whether a pattern matches. A pattern that ends with `$` matches the whole path only.
pub(super) fn matches(pattern: &str, words: &[NormalizedSegment]) -> bool {
    match pattern.strip_suffix('$') {
        Some(whole) => match_prefix(whole, words).is_some() && segment_count(whole) == words.len(),
        None => match_prefix(pattern, words).is_some(),
    }
}

/// Returns the number of segments of a pattern.
pub(super) fn segment_count(pattern: &str) -> usize {
    pattern_segments(pattern).count()
}

fn pattern_segments(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter(|part| !part.is_empty())
}

/// Returns the words below the space, if the path names a space.
pub(super) fn below_space(words: &[NormalizedSegment]) -> Option<&[NormalizedSegment]> {
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

/// Returns the path of the interruption that a path acts on.
pub(crate) fn interruption_path(path: &ApiPath) -> Option<ApiPath> {
    let words: Vec<NormalizedSegment> =
        path.segments().iter().map(|segment| NormalizedSegment::new(segment)).collect();
    let index = words.iter().position(|word| word.plain == "interruptions")?;
    let is_below = words.len() > index + 2;
    is_below.then(|| ApiPath::new(path.segments().iter().take(index + 2)))
}
