//! Reads that must be answered although a rule denies a resource.

use octopus_mcp::octopus::operations::{self, SpaceScope};

use super::{calls::Call, denied::DeniedResource};

/// Paths that `execute` rejects without any rule. Each read that is rejected as `is not allowed
/// through this tool` is below one of these paths or ends with one.
const FORBIDDEN_PATHS: [&str; 6] = [
    "/api/configuration",
    "/api/licenses/licenses-current",
    "/api/serverconfiguration",
    "/api/smtpconfiguration",
    "/apikeys",
    "/export",
];

/// Returns whether `execute` rejects the path without any rule.
pub fn is_forbidden_without_rules(call: &Call) -> bool {
    FORBIDDEN_PATHS
        .iter()
        .any(|closed| call.path.starts_with(closed) || call.path.ends_with(closed))
}

/// Returns whether the response to a read may contain resources of the denied kind, according to
/// the table of operations. Such a read may be rejected. All other reads are limited to other
/// resources.
pub fn may_contain_denied(call: &Call, denied: &DeniedResource) -> bool {
    let segments = call.path.split('/').skip(2).filter(|segment| !segment.is_empty());
    let segments: Vec<String> = segments.map(str::to_owned).collect();
    let found = operations::find("GET", &segments).expect("the operation is in the table");
    let is_limited = call.query.iter().any(|(name, _)| {
        found.operation.parameter(name).is_some_and(|parameter| {
            let subject = parameter.subject.filter(|_| parameter.filters);
            subject.is_some_and(|subject| subject.determines().contains(&denied.kind()))
        })
    });
    let is_of_all_spaces = found.operation.scope == SpaceScope::Mixed && found.space.is_none();
    is_of_all_spaces || found.operation.response_kinds.contains(&denied.kind()) && !is_limited
}
