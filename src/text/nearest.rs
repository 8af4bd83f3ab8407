//! Finding the names that somebody probably meant.

/// The candidates that `wanted` was probably meant to be, best first, at most `most` of them.
///
/// Case, spaces and punctuation do not matter. A candidate is near when it is spelt almost the
/// same, or when one of the two contains the other; equally near ones keep their order. The spelling
/// of many long candidates is compared only up to a limit; those after it are near when one of the
/// two contains the other.
pub fn nearest<'a>(
    wanted: &str,
    candidates: impl Iterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let wanted = folded(wanted);
    let mut steps = MOST_STEPS;
    let mut near: Vec<(f64, &str)> = candidates
        .filter_map(|candidate| {
            Some((nearness(&wanted, &folded(candidate), &mut steps)?, candidate))
        })
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().map(|(_, candidate)| candidate).take(most).collect()
}

/// Longer names are compared by their beginning, which bounds the time of a comparison.
const COMPARED_CHARACTERS: usize = 128;

/// Number of steps that comparing the spelling takes at most, over all candidates: a step compares
/// one character with another. So many take about 50 ms.
const MOST_STEPS: usize = 2_000_000;

/// A shorter piece is contained in too many names to say anything.
const SHORTEST_PIECE: usize = 3;

fn folded(name: &str) -> String {
    let letters = name.chars().filter(|character| character.is_alphanumeric());
    letters.take(COMPARED_CHARACTERS).flat_map(char::to_lowercase).collect()
}

/// How near two names are: 3 for the same, 2 and more where one begins with the other, 1 and more
/// where one contains the other, less for a similar spelling, `None` for anything else.
fn nearness(wanted: &str, candidate: &str, steps: &mut usize) -> Option<f64> {
    if wanted.is_empty() || candidate.is_empty() {
        return None;
    }
    if wanted == candidate {
        return Some(3.0);
    }
    let similarity = similarity(wanted, candidate, steps);
    let by_length = wanted.len() <= candidate.len();
    let (piece, whole) = if by_length { (wanted, candidate) } else { (candidate, wanted) };
    if piece.chars().count() >= SHORTEST_PIECE {
        if whole.starts_with(piece) {
            return Some(2.0 + similarity);
        }
        if whole.contains(piece) {
            return Some(1.0 + similarity);
        }
    }
    // A third of the characters may differ: more than a slip, and still the same word.
    (similarity >= 2.0 / 3.0).then_some(similarity)
}

/// How alike two names are spelt, from 0 to 1. 0 as well where one is so much longer that they
/// cannot be near, unless it contains the other, and where no steps are left.
fn similarity(wanted: &str, candidate: &str, steps: &mut usize) -> f64 {
    let (one, other) = (wanted.chars().count(), candidate.chars().count());
    let (shorter, longer) = (one.min(other), one.max(other));
    let can_be_near = 3 * shorter >= 2 * longer;
    if !can_be_near && !wanted.contains(candidate) && !candidate.contains(wanted) {
        return 0.0;
    }
    let Some(left) = steps.checked_sub(shorter * longer) else {
        return 0.0;
    };
    *steps = left;
    strsim::normalized_damerau_levenshtein(wanted, candidate)
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
    fn comparing_many_long_names_has_a_limit() {
        let wanted = "a".repeat(120);
        let mut steps = MOST_STEPS;
        // Spelt so that neither length nor letters say that they are not near.
        let candidates: Vec<String> =
            (0..20_000).map(|n| format!("{}{n:05}", "a".repeat(115))).collect();
        let compared = candidates
            .iter()
            .filter(|candidate| nearness(&wanted, candidate, &mut steps).is_some())
            .count();
        assert_eq!(compared, MOST_STEPS / (120 * 120));
        // What contains the name is found wherever it stands.
        let mut all: Vec<&str> = candidates.iter().map(String::as_str).collect();
        let last = format!("{wanted} and more");
        all.push(&last);
        assert_eq!(nearest(&wanted, all.into_iter(), 1), [last.as_str()]);
    }

    #[test]
    fn equally_near_names_keep_their_order_and_the_number_is_kept() {
        let candidates = ["web-02", "web-01", "web-03"];
        assert_eq!(nearest("web", candidates.into_iter(), 2), ["web-02", "web-01"]);
        assert!(nearest("web", candidates.into_iter(), 0).is_empty());
    }

    proptest! {
        #[test]
        fn the_same_name_is_always_found(name in "[a-zA-Z][a-zA-Z0-9 ._-]{0,40}") {
            prop_assert_eq!(nearest(&name.to_uppercase(), [name.as_str()].into_iter(), 1), [&name]);
        }
    }
}
