//! Finding the names that somebody probably meant.

use super::steps;

/// The candidates that `wanted` was probably meant to be, best first, at most `most` of them.
///
/// Case, spaces and punctuation do not matter. A candidate is near when it is spelt almost the
/// same, or when one of the two contains the other; equally near ones keep their order.
pub fn nearest<'a>(
    wanted: &str,
    candidates: impl Iterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let wanted = folded(wanted);
    let mut budget = MOST_CELLS;
    let mut near: Vec<(f64, &str)> = candidates
        .filter_map(|candidate| {
            Some((nearness(&wanted, &folded(candidate), &mut budget)?, candidate))
        })
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().map(|(_, candidate)| candidate).take(most).collect()
}

/// Longer names are compared by their beginning, which bounds the time of a comparison.
const COMPARED_CHARACTERS: usize = 128;

/// How many pairs of characters the spellings of all candidates together may compare, which takes a
/// few milliseconds. Beyond it, a candidate is found only if it is the same or contains the other.
/// That is enough for 5,000 names of 20 characters and the same first letter or length.
const MOST_CELLS: usize = 2_000_000;

/// A shorter piece is contained in too many names to say anything.
const SHORTEST_PIECE: usize = 3;

fn folded(name: &str) -> String {
    let letters = name.chars().filter(|character| character.is_alphanumeric());
    letters.take(COMPARED_CHARACTERS).flat_map(char::to_lowercase).collect()
}

/// How near two names are: 3 for the same, 2 and more where one begins with the other, 1 and more
/// where one contains the other, less for a similar spelling, `None` for anything else.
///
/// `budget` is how many pairs of characters may still be compared.
fn nearness(wanted: &str, candidate: &str, budget: &mut usize) -> Option<f64> {
    if wanted.is_empty() || candidate.is_empty() {
        return None;
    }
    if wanted == candidate {
        return Some(3.0);
    }
    let (wanted_length, length) = (wanted.chars().count(), candidate.chars().count());
    let (shortest, longest) = (wanted_length.min(length), wanted_length.max(length));
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let similarity = |distance: usize| 1.0 - number(distance) / number(longest);
    let by_length = wanted_length <= length;
    let (piece, whole) = if by_length { (wanted, candidate) } else { (candidate, wanted) };
    if shortest >= SHORTEST_PIECE {
        // The rest of the whole has to be inserted, and nothing else.
        let by_insertion = similarity(longest - shortest);
        if whole.starts_with(piece) {
            return Some(2.0 + by_insertion);
        }
        if whole.contains(piece) {
            return Some(1.0 + by_insertion);
        }
    }
    // A third of the characters may differ: more than a slip, and still the same word. Names whose
    // lengths differ more need not be compared.
    if (longest - shortest) * 3 > longest {
        return None;
    }
    let cells = shortest * longest;
    *budget = budget.checked_sub(cells)?;
    steps::add(cells);
    let similarity = similarity(strsim::osa_distance(wanted, candidate));
    (similarity >= 2.0 / 3.0).then_some(similarity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_meant() {
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
        for (wanted, candidates, meant) in rows {
            let found = nearest(wanted, candidates.iter().copied(), 3);
            assert_eq!(found, meant, "{wanted:?}");
        }
    }

    #[test]
    fn equally_near_names_keep_their_order_and_the_number_is_kept() {
        let candidates = ["web-02", "web-01", "web-03"];
        assert_eq!(nearest("web", candidates.into_iter(), 2), ["web-02", "web-01"]);
        assert!(nearest("web", candidates.into_iter(), 0).is_empty());
    }

    #[test]
    fn comparing_many_long_names_takes_bounded_steps() {
        let names: Vec<String> = (0..20_000).map(|n| format!("{n:0>200}")).collect();
        let wanted = "0".repeat(100) + &"1".repeat(28);
        let search = || nearest(&wanted, names.iter().map(String::as_str), 5).len();
        let (_, steps) = steps::of(search);
        assert!(steps <= MOST_CELLS, "{steps}");
        let same = format!("{:0>200}", 19_999);
        assert_eq!(nearest(&same, names.iter().map(String::as_str), 1).len(), 1);
        let piece = nearest("needle", names.iter().map(String::as_str).chain(["a needle"]), 1);
        assert_eq!(piece, ["a needle"]);
    }

    proptest! {
        #[test]
        fn the_same_name_is_always_found(name in "[a-zA-Z][a-zA-Z0-9 ._-]{0,40}") {
            prop_assert_eq!(nearest(&name.to_uppercase(), [name.as_str()].into_iter(), 1), [&name]);
        }
    }
}
