//! Tests of the table and of path matching.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

#[test]
fn table_parses_without_duplicates() {
    let malformed: Vec<&str> =
        TABLE.lines().filter(|line| parse::operation(line).is_none()).collect();
    assert!(malformed.is_empty(), "{malformed:#?}");
    assert!(all().len() > 700, "{}", all().len());
    let mut seen = BTreeSet::new();
    for operation in all() {
        let path: Vec<String> = operation.path.iter().map(shape).collect();
        let root = path.is_empty().then_some(operation.scope == SpaceScope::System);
        assert!(seen.insert((operation.method, path, root)), "{operation:?}");
        assert!(operation.method == "GET" || operation.response_kinds.is_empty(), "{operation:?}");
        let names: BTreeSet<String> =
            operation.query.iter().map(|parameter| parameter.name.to_lowercase()).collect();
        assert_eq!(names.len(), operation.query.len(), "{operation:?}");
    }
}

fn shape(part: &PathSegment) -> String {
    match part {
        PathSegment::Literal(word) => word.to_lowercase(),
        PathSegment::Parameter(_) => "{}".to_owned(),
    }
}

#[test]
fn paths_match_with_and_without_a_space_in_any_letter_case() {
    for (path, space, expected) in [
        ("Spaces-1/projects/x/releases", Some("Spaces-1"), "projects/{projectId}/releases"),
        ("spaces/default/Projects/x/Releases", Some("default"), "projects/{projectId}/releases"),
        ("projects/x/releases", None, "projects/{projectId}/releases"),
        ("spaces-22/TASKS/ServerTasks-1/raw", Some("spaces-22"), "tasks/{id}/raw"),
        ("Spaces-1", Some("Spaces-1"), ""),
        ("", None, ""),
        ("spaces/Spaces-1", None, "spaces/{id}"),
        ("spaces/Spaces-1/search", None, "spaces/{id}/search"),
        ("spaces/default/releases", Some("default"), "releases"),
        ("Spaces-1/tenants/all", Some("Spaces-1"), "tenants/all"),
        ("Spaces-1/tenants/Tenants-1", Some("Spaces-1"), "tenants/{id}"),
        (
            "Spaces-1/projects/x/refs/variables",
            Some("Spaces-1"),
            "projects/{projectId}/{gitRef}/variables",
        ),
    ] {
        let segments = segments(path);
        let found = find("get", &segments).unwrap_or_else(|| panic!("{path}"));
        let template: Vec<String> = found
            .operation
            .path
            .iter()
            .map(|part| match part {
                PathSegment::Literal(word) => (*word).to_owned(),
                PathSegment::Parameter(parameter) => format!("{{{}}}", parameter.name),
            })
            .collect();
        assert_eq!((found.space, template.join("/").as_str()), (space, expected), "{path}");
    }
}

#[test]
fn unknown_paths_match_no_operation() {
    for path in [
        "Spaces-1/nothing",
        "default/projects/Projects-1",
        "Spaces-1/projects.json",
        "Spaces-1/projects/x/nothing",
        "Spaces-1/users/me",
        "spaces/default/serverstatus",
    ] {
        assert!(find("GET", &segments(path)).is_none(), "{path}");
    }
    // A slash inside a segment is part of a Git name only.
    let below = |last: &str| {
        vec![
            "projects".to_owned(),
            "x".to_owned(),
            "git".to_owned(),
            "branches".to_owned(),
            last.to_owned(),
        ]
    };
    assert!(find("GET", &below("feature/a")).is_some());
    assert!(find("GET", &["projects".to_owned(), "x/progression".to_owned()]).is_none());
    assert!(find("PATCH", &segments("Spaces-1/projects")).is_none());
}

proptest! {
    /// The space and the letter case of a path do not change its operation.
    #[test]
    fn spelling_does_not_change_the_operation(
        index in any::<prop::sample::Index>(),
        capitals in any::<u64>(),
        prefix in prop::sample::select(vec![&["Spaces-1"][..], &["SPACES-22"], &["spaces", "default"], &[]]),
    ) {
        let operation = index.get(all());
        prop_assume!(!operation.path.is_empty());
        let below = operation.path.iter().enumerate().map(|(index, part)| match part {
            PathSegment::Literal(word) if capitals >> (index % 64) & 1 == 1 => word.to_uppercase(),
            PathSegment::Literal(word) => word.to_lowercase(),
            PathSegment::Parameter(_) => format!("Things-{index}"),
        });
        let prefix = if operation.scope == SpaceScope::System { &[][..] } else { prefix };
        let path: Vec<String> =
            prefix.iter().map(|word| (*word).to_owned()).chain(below).collect();
        let found = find(operation.method, &path);
        prop_assert!(found.is_some(), "{:?}", path);
        let found = found.unwrap();
        prop_assert!(std::ptr::eq(found.operation, operation), "{:?} is {:?}", path, found.operation);
        prop_assert_eq!(found.space, prefix.last().copied());
    }

    /// No path causes a panic, and a match covers exactly the segments of the operation.
    #[test]
    fn matching_never_panics(
        path in prop::collection::vec("[a-zA-Z]{0,9}|Spaces-[0-9]{0,2}|\\PC{0,6}", 0..8),
    ) {
        if let Some(found) = find("GET", &path) {
            prop_assert_eq!(found.operation.path.len(), found.segments.len());
            prop_assert!(path.ends_with(found.segments));
        }
    }
}
