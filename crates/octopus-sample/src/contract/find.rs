//! Matching of requests with operations.

use super::{Contract, Operation};

impl Contract {
    /// Returns the operation of a request. The path begins with `/api` and can contain the space as
    /// `/api/Spaces-1` or `/api/spaces/{space}`. Fixed segments ignore case and win over
    /// parameters.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let ["api", below @ ..] = segments.as_slice() else { return None };
        let in_space = without_space(below);
        let fixed = |operation: &Operation| {
            if !operation.method.eq_ignore_ascii_case(method) {
                return None;
            }
            match in_space {
                Some(below) if operation.is_in_space => fixed_segments(operation.path, below),
                _ => None,
            }
            .or_else(|| fixed_segments(operation.path, below))
        };
        let matching = self.operations.iter().filter_map(|found| Some((fixed(found)?, found)));
        // The last one wins among equals, so the order is reversed.
        matching.rev().max_by_key(|(fixed, _)| *fixed).map(|(_, found)| found)
    }
}

/// Returns the segments below the space; `None` for a path without a space.
fn without_space<'s, 'p>(segments: &'s [&'p str]) -> Option<&'s [&'p str]> {
    match segments {
        [word, _, rest @ ..] if word.eq_ignore_ascii_case("spaces") && !rest.is_empty() => {
            Some(rest)
        }
        [id, rest @ ..] if is_space_id(id) => Some(rest),
        _ => None,
    }
}

fn is_space_id(segment: &str) -> bool {
    segment.split_once('-').is_some_and(|(word, number)| {
        word.eq_ignore_ascii_case("spaces") && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Returns the number of fixed segments of a template that matches; `None` if it does not match.
fn fixed_segments(template: &str, segments: &[&str]) -> Option<usize> {
    let mut template = template.split('/').filter(|segment| !segment.is_empty());
    let mut fixed = 0;
    for segment in segments {
        let expected = template.next()?;
        if expected.starts_with('{') {
            continue;
        }
        if !expected.eq_ignore_ascii_case(segment) {
            return None;
        }
        fixed += 1;
    }
    template.next().is_none().then_some(fixed)
}

#[cfg(test)]
mod tests {
    use super::super::Edition;
    use super::*;

    #[test]
    fn finds_operations_in_each_form_of_a_path() {
        let rows = [
            ("GET", "/api", Some("/")),
            ("GET", "/api/Spaces-1/releases/Releases-1", Some("/releases/{id}")),
            ("get", "/api/spaces/default/RELEASES/Releases-1", Some("/releases/{id}")),
            ("GET", "/api/releases/Releases-1", Some("/releases/{id}")),
            ("GET", "/api/spaces/default", Some("/spaces/{id}")),
            ("GET", "/api/Spaces-1/environments/all", Some("/environments/all")),
            ("GET", "/api/users/me", Some("/users/me")),
            (
                "GET",
                "/api/Spaces-1/projects/Projects-1/refs%2Fheads%2Fmain/variables",
                Some("/projects/{projectId}/{gitRef}/variables"),
            ),
            (
                "GET",
                "/api/Spaces-1/projects/Projects-1/git/branches",
                Some("/projects/{projectId}/git/branches"),
            ),
            ("POST", "/api/Spaces-1/environments/v2", None),
            ("GET", "/api/Spaces-1/releases/Releases-1/nothing", None),
            ("PATCH", "/api/Spaces-1/releases/Releases-1", None),
            ("GET", "/app", None),
        ];
        let contract = Contract::of(Edition::V2026_3);
        for (method, path, expected) in rows {
            let found = contract.find(method, path).map(|found| found.path);
            assert_eq!(found, expected, "{method} {path}");
        }
    }
}
