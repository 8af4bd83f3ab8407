//! Operations of Octopus's REST API: their paths, the resources that their parameters name, and the
//! kinds of resources in their responses.
//!
//! `table.txt` has one operation per line, from the API references of 2023.4 and 2026.3:
//!
//! ```text
//! GET space /releases/{releaseId=release}/deployments ? skip take > environment tenant
//! ```
//!
//! - Method, [`SpaceScope`] and path below the space. `{name=subject}` is a path parameter that
//!   names a resource ([`Subject`]); `{name}` names nothing that policy rules match.
//! - After `?`, the query parameters. `name=subject` limits the response to the named resources;
//!   `name~subject` names resources without limiting the response to them.
//! - After `>`, for reads: the kinds of resources that the response may contain without a path
//!   parameter that names them. A document with an owner key (`ProjectId` and the like) is not
//!   listed, because its response states the owner.
//!
//! [`find`] matches a path with its operation.

mod parse;
mod subject;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::octopus::client::{access_set::ResourceKind, id_form};
pub use subject::Subject;

/// The table, one operation per line.
const TABLE: &str = include_str!("table.txt");

/// All operations, parsed once.
static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| TABLE.lines().filter_map(parse::operation).collect());

/// Space scope of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum SpaceScope {
    /// Applies to the whole instance; the path contains no space.
    System,
    /// Applies to one space; without a space in the path, to the default space.
    Space,
    /// Applies to one space, or without a space in the path to every space that the caller can see.
    Mixed,
    /// The response does not depend on the space in the path.
    Any,
}

/// An operation of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The HTTP method in upper case.
    pub method: &'static str,
    /// Space scope.
    pub scope: SpaceScope,
    /// Segments of the path below `/api` and below the space.
    pub path: Vec<PathSegment>,
    /// The query parameters.
    pub query: Vec<Parameter>,
    /// Kinds of resources that the response may contain without a path parameter that names them.
    pub response_kinds: Vec<ResourceKind>,
}

/// One segment of a path template.
#[derive(Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// A fixed word, matched without letter case.
    Literal(&'static str),
    /// A parameter.
    Parameter(Parameter),
}

/// A parameter of a path or query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Name in the spelling of the API reference.
    pub name: &'static str,
    /// Resource type of its values, if policy rules can match it.
    pub subject: Option<Subject>,
    /// Whether the response contains only data of the named resources.
    pub filters: bool,
}

/// The operation of a path.
#[derive(Debug)]
pub struct Match<'p> {
    /// The operation.
    pub operation: &'static Operation,
    /// The space in the path: ID, slug or name.
    pub space: Option<&'p str>,
    /// The segments below the space.
    pub segments: &'p [String],
}

impl Operation {
    /// Returns the query parameter with this name, in any letter case.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.query.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    /// Returns whether the segments match the path of the operation.
    fn matches(&self, segments: &[String]) -> bool {
        let fits = |(part, segment): (&PathSegment, &String)| match part {
            PathSegment::Literal(word) => word.eq_ignore_ascii_case(segment),
            PathSegment::Parameter(parameter) => parameter.accepts(segment),
        };
        self.path.len() == segments.len() && self.path.iter().zip(segments).all(fits)
    }

    /// Returns the sort key for operations that match the same path: literals before parameters,
    /// from the left.
    fn specificity(&self) -> Vec<bool> {
        self.path.iter().map(|part| matches!(part, PathSegment::Literal(_))).collect()
    }
}

impl Parameter {
    /// Returns whether one value of the query parameter can be a comma-separated list.
    pub fn is_list(&self) -> bool {
        self.name.ends_with('s') || self.subject == Some(Subject::Any)
    }

    /// Returns whether a path segment can be a value of the parameter. A slash inside a segment is
    /// part of the value only for names of branches and tags; for other parameters, a server may
    /// read it as a separator.
    fn accepts(&self, segment: &str) -> bool {
        const REFS: &[&str] = &["gitref", "branchname", "tagname", "refname"];
        !segment.contains('/') || REFS.contains(&self.name.to_ascii_lowercase().as_str())
    }
}

/// Returns all operations in the order of the table.
pub fn all() -> &'static [Operation] {
    &OPERATIONS
}

/// Finds the operation for a method and the decoded path segments below `/api`. Literals match in
/// any letter case. The path may start with a space as `Spaces-1/...` or `spaces/{ID or slug}/...`.
/// If several operations match, the one with the leftmost literals wins, as in Octopus's own
/// routing.
pub fn find<'p>(method: &str, segments: &'p [String]) -> Option<Match<'p>> {
    let best = |below: &[String], in_space: bool| {
        let candidates = OPERATIONS.iter().filter(|operation| {
            let fits_space = match operation.scope {
                SpaceScope::System => !in_space,
                // The root of the API is a different operation than the root of a space.
                SpaceScope::Space => in_space || !operation.path.is_empty(),
                SpaceScope::Mixed | SpaceScope::Any => true,
            };
            fits_space && operation.method.eq_ignore_ascii_case(method) && operation.matches(below)
        });
        candidates.max_by_key(|operation| operation.specificity())
    };
    let (space, below) = match segments {
        [first, below @ ..] if id_form::has_prefix(first, "spaces") => {
            (Some(first.as_str()), below)
        }
        [first, second, below @ ..]
            if first.eq_ignore_ascii_case("spaces") && !below.is_empty() =>
        {
            if let Some(operation) = best(segments, false) {
                return Some(Match { operation, space: None, segments });
            }
            (Some(second.as_str()), below)
        }
        _ => (None, segments),
    };
    best(below, space.is_some()).map(|operation| Match { operation, space, segments: below })
}
