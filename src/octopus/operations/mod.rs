//! The operations of Octopus's REST API: their paths, what their parameters name, and what kinds of
//! things a read may answer with.
//!
//! `table.txt` holds one operation per line, from the API references of 2023.4 and 2026.3:
//!
//! ```text
//! GET space /releases/{releaseId=release}/deployments ? skip take > environment tenant
//! ```
//!
//! - Method, [`Scope`] and path below the space. `{name=subject}` is a path parameter that names a
//!   thing ([`Subject`]); `{name}` names nothing that rules are about.
//! - After `?`, the query parameters. `name=subject` limits the answer to the named things;
//!   `name~subject` names things without limiting the answer to them.
//! - After `>`, for reads: the kinds of things that the answer may hold although no path parameter
//!   names them. A document that states where it belongs (`ProjectId` and the like) is not listed:
//!   its answer says so.
//!
//! [`find`] matches a path with its operation.

mod parse;
mod subject;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

pub use self::subject::Subject;
use super::Kind;

/// The table, one operation per line.
const TABLE: &str = include_str!("table.txt");

/// All operations, parsed once.
static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| TABLE.lines().filter_map(parse::operation).collect());

/// How an operation relates to spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The instance as a whole; the path takes no space.
    System,
    /// One space; a path without a space means the default space.
    Space,
    /// One space, or every space that the caller can see if the path names none.
    Mixed,
    /// The answer does not depend on the space that the path may name.
    Either,
}

/// One operation of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The HTTP method in upper case.
    pub method: &'static str,
    /// How it relates to spaces.
    pub scope: Scope,
    /// The parts of the path below `/api` and below the space.
    pub path: Vec<Part>,
    /// The query parameters.
    pub query: Vec<Parameter>,
    /// The kinds of things that an answer may hold although no path parameter names them.
    pub holds: Vec<Kind>,
}

/// One segment of a path template.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// A fixed word; letter case makes no difference.
    Literal(&'static str),
    /// A parameter.
    Parameter(Parameter),
}

/// A parameter of a path or query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name as the reference spells it.
    pub name: &'static str,
    /// What its values name, if rules can be about that.
    pub subject: Option<Subject>,
    /// Whether the answer holds nothing but what belongs to the named things.
    pub narrows: bool,
}

/// A path that matches an operation.
#[derive(Debug)]
pub struct Match<'p> {
    /// The operation.
    pub operation: &'static Operation,
    /// The space as the path names it: ID, slug or name.
    pub space: Option<&'p str>,
    /// The segments below the space.
    pub below: &'p [String],
}

impl Operation {
    /// Returns the query parameter with this name, in any letter case.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.query.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    /// Returns whether the segments match the path.
    fn matches(&self, segments: &[String]) -> bool {
        let fits = |(part, segment): (&Part, &String)| match part {
            Part::Literal(word) => word.eq_ignore_ascii_case(segment),
            Part::Parameter(parameter) => parameter.takes(segment),
        };
        self.path.len() == segments.len() && self.path.iter().zip(segments).all(fits)
    }

    /// Orders operations that match one path: a literal before a parameter, from the left.
    fn literals(&self) -> Vec<bool> {
        self.path.iter().map(|part| matches!(part, Part::Literal(_))).collect()
    }
}

impl Parameter {
    /// Returns whether one value of the query parameter can name several things, comma-separated.
    pub fn takes_many(&self) -> bool {
        self.name.ends_with('s') || self.subject == Some(Subject::Any)
    }

    /// Returns whether a path segment can be its value. A slash inside a segment stands for itself
    /// in the names of branches and tags only; elsewhere a server may read it as a separator.
    fn takes(&self, segment: &str) -> bool {
        const REFS: &[&str] = &["gitref", "branchname", "tagname", "refname"];
        !segment.contains('/') || REFS.contains(&self.name.to_ascii_lowercase().as_str())
    }
}

/// Returns all operations in the order of their paths.
pub fn all() -> &'static [Operation] {
    &OPERATIONS
}

/// Returns the operation that a method and the decoded path segments below `/api` mean. Words match
/// in any letter case. The path may name a space as `Spaces-1/...` or `spaces/{ID or slug}/...`. Of
/// several matches the one with the leftmost literals counts, as in Octopus's own routing.
pub fn find<'p>(method: &str, segments: &'p [String]) -> Option<Match<'p>> {
    let best = |below: &[String], in_space: bool| {
        let candidates = OPERATIONS.iter().filter(|operation| {
            let fits_space = match operation.scope {
                Scope::System => !in_space,
                // The root of the API and the root of a space differ.
                Scope::Space => in_space || !operation.path.is_empty(),
                Scope::Mixed | Scope::Either => true,
            };
            fits_space && operation.method.eq_ignore_ascii_case(method) && operation.matches(below)
        });
        candidates.max_by_key(|operation| operation.literals())
    };
    let (space, below) = match segments {
        [first, below @ ..] if is_space_id(first) => (Some(first.as_str()), below),
        [first, second, below @ ..]
            if first.eq_ignore_ascii_case("spaces") && !below.is_empty() =>
        {
            if let Some(operation) = best(segments, false) {
                return Some(Match { operation, space: None, below: segments });
            }
            (Some(second.as_str()), below)
        }
        _ => (None, segments),
    };
    best(below, space.is_some()).map(|operation| Match { operation, space, below })
}

/// Returns whether this is the ID of a space.
fn is_space_id(segment: &str) -> bool {
    let number =
        segment.split_once('-').filter(|(prefix, _)| prefix.eq_ignore_ascii_case("spaces"));
    number.is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
