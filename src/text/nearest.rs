//! Near-name suggestions ("did you mean ...?").

use super::step_counter;

/// Returns the candidates that are similar to `query`, best first, at most `most`.
///
/// Case, spaces and punctuation are ignored. A candidate is similar if its spelling is almost the
/// same, or if one of the two names contains the other. Equally similar candidates keep their
/// order.
pub fn nearest<'a>(
    query: &str,
    candidates: impl Iterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let query = fold(query);
    let mut budget = MAX_COMPARISONS;
    let mut near: Vec<(f64, &str)> = candidates
        .filter_map(|candidate| {
            Some((similarity(&query, &fold(candidate), &mut budget)?, candidate))
        })
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().map(|(_, candidate)| candidate).take(most).collect()
}

/// Number of characters of a name that are compared; bounds the time of one comparison.
const MAX_COMPARED_CHARS: usize = 128;

/// Number of character pairs that one search may compare over all candidates: a few
/// milliseconds. After that, a search finds only candidates that are equal or contain the other
/// name. The budget covers 5,000 names of 20 characters with the same first letter or length.
const MAX_COMPARISONS: usize = 2_000_000;

/// Minimum length of a name to be searched inside another name. Too many names contain shorter
/// ones.
const MIN_CONTAINED_CHARS: usize = 3;

fn fold(name: &str) -> String {
    let letters = name.chars().filter(|character| character.is_alphanumeric());
    letters.take(MAX_COMPARED_CHARS).flat_map(char::to_lowercase).collect()
}

/// Returns the similarity of two names:
///
/// - 3 for equal names
/// - 2 to 3 if one begins with the other
/// - 1 to 2 if one contains the other
/// - below 1 for a similar spelling
/// - `None` for anything else
///
/// `budget` is the number of character pairs that may still be compared.
fn similarity(query: &str, candidate: &str, budget: &mut usize) -> Option<f64> {
    if query.is_empty() || candidate.is_empty() {
        return None;
    }
    if query == candidate {
        return Some(3.0);
    }
    let (query_length, length) = (query.chars().count(), candidate.chars().count());
    let (shortest, longest) = (query_length.min(length), query_length.max(length));
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let similarity = |distance: usize| 1.0 - number(distance) / number(longest);
    let by_length = query_length <= length;
    let (piece, whole) = if by_length { (query, candidate) } else { (candidate, query) };
    if shortest >= MIN_CONTAINED_CHARS {
        // Only the rest of the longer name has to be inserted.
        let by_insertion = similarity(longest - shortest);
        if whole.starts_with(piece) {
            return Some(2.0 + by_insertion);
        }
        if whole.contains(piece) {
            return Some(1.0 + by_insertion);
        }
    }
    // A third of the characters may differ: more than a typo, but still the same word. Names whose
    // lengths differ by more need no comparison.
    if (longest - shortest) * 3 > longest {
        return None;
    }
    let cells = shortest * longest;
    *budget = budget.checked_sub(cells)?;
    step_counter::add(cells);
    let similarity = similarity(strsim::osa_distance(query, candidate));
    (similarity >= 2.0 / 3.0).then_some(similarity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_similar_names() {
        let environments = ["Development", "Test", "Staging", "Production", "Production EU"];
        let tools =
            ["find_releases", "get_release", "list_projects", "get_task_log", "grep_task_log"];
        let none: &[&str] = &[];
        let rows = [
            ("stagign", &environments[..], &["Staging"][..]),
            ("prodction", &environments, &["Production", "Production EU"]),
            ("PRODUCTION", &environments, &["Production", "Production EU"]),
            ("prod", &environments, &["Production", "Production EU"]),
            ("Production US East", &environments, &["Production", "Production EU"]),
            ("p", &environments, none),
            ("", &environments, none),
            ("--", &environments, none),
            ("Quality Assurance", &environments, none),
            ("findReleases", &tools, &["find_releases"]),
            ("find-release", &tools, &["find_releases"]),
            ("task_log", &tools, &["get_task_log", "grep_task_log"]),
            ("list_project", &tools, &["list_projects"]),
        ];
        for (query, candidates, expected) in rows {
            let found = nearest(query, candidates.iter().copied(), 3);
            assert_eq!(found, expected, "{query:?}");
        }
    }

    #[test]
    fn equal_matches_keep_order_and_respect_the_limit() {
        let candidates = ["web-02", "web-01", "web-03"];
        assert_eq!(nearest("web", candidates.into_iter(), 2), ["web-02", "web-01"]);
        assert!(nearest("web", candidates.into_iter(), 0).is_empty());
    }

    #[test]
    fn comparisons_of_long_names_are_bounded() {
        let names: Vec<String> = (0..20_000).map(|n| format!("{n:0>200}")).collect();
        let query = "0".repeat(100) + &"1".repeat(28);
        let search = || nearest(&query, names.iter().map(String::as_str), 5).len();
        let (_, steps) = step_counter::count(search);
        assert!(steps <= MAX_COMPARISONS, "{steps}");
        let same = format!("{:0>200}", 19_999);
        assert_eq!(nearest(&same, names.iter().map(String::as_str), 1).len(), 1);
        let piece = nearest("needle", names.iter().map(String::as_str).chain(["a needle"]), 1);
        assert_eq!(piece, ["a needle"]);
    }

    proptest! {
        #[test]
        fn finds_equal_names_ignoring_case(name in "[a-zA-Z][a-zA-Z0-9 ._-]{0,40}") {
            prop_assert_eq!(nearest(&name.to_uppercase(), [name.as_str()].into_iter(), 1), [&name]);
        }
    }
}
