//! Maps paths to toolsets, so that `execute` cannot reach paths of disabled toolsets.

use super::pattern::{NormalizedSegment, below_space, match_prefix, segment_count};
use crate::{
    access::{ToolAccess, ToolsetMetadata},
    octopus::ApiPath,
    policy::Tier,
};

/// Checks that the owner of a path is enabled, and that the request does not exclude an equivalent
/// tool. Paths without an owner are allowed only if all toolsets are enabled. `path` is the path
/// for messages.
///
/// # Errors
///
/// Returns the message for the caller.
pub(super) fn ensure_owner_enabled(
    words: &[NormalizedSegment],
    path: &ApiPath,
    tier: Tier,
    access: &ToolAccess,
) -> Result<(), String> {
    let toolsets = &access.index().toolsets;
    match owner(words, toolsets) {
        Some(name) if access.is_enabled(name) => match access.excluded_tool(name, tier) {
            None => Ok(()),
            Some(tool) => Err(format!(
                "{path} belongs to the toolset `{name}`, and this request excludes its tool \
                 {tool}, which could do the same"
            )),
        },
        Some(name) => {
            Err(format!("{path} belongs to the toolset `{name}`, which is disabled on this server"))
        }
        None if toolsets.iter().all(|toolset| access.is_enabled(toolset.name)) => Ok(()),
        None => Err(format!(
            "{path} belongs to no toolset, and such paths require all toolsets to be enabled"
        )),
    }
}

/// Returns the toolset with the most specific matching path; the first of several equal ones.
pub(super) fn owner(
    words: &[NormalizedSegment],
    toolsets: &[ToolsetMetadata],
) -> Option<&'static str> {
    let scoped = below_space(words);
    let below = scoped.unwrap_or(words);
    most_specific(toolsets, |path| match path.strip_prefix('/') {
        Some("") => words.is_empty().then_some(0),
        // The path of a space itself does not own the paths in the space.
        Some(path) if segment_count(path) > words.len() - below.len() => match_prefix(path, words),
        Some(_) => None,
        None => match_prefix(path, below),
    })
    .or_else(|| {
        // A space ID alone is the path of the space.
        let [space] = words else { return None };
        let space = [NormalizedSegment::new("spaces"), space.clone()];
        scoped.and_then(|_| most_specific(toolsets, |path| match_prefix(path, &space)))
    })
    .or_else(|| {
        // An unknown first word may be the slug or name of a space.
        let below = words.get(1..).filter(|_| scoped.is_none())?;
        most_specific(toolsets, |path| {
            (!path.starts_with('/')).then(|| match_prefix(path, below)).flatten()
        })
    })
}

fn most_specific(
    toolsets: &[ToolsetMetadata],
    literal_words: impl Fn(&str) -> Option<usize>,
) -> Option<&'static str> {
    let mut best: Option<(usize, &'static str)> = None;
    for toolset in toolsets {
        for count in toolset.paths.iter().filter_map(|path| literal_words(path)) {
            if best.is_none_or(|(max, _)| count > max) {
                best = Some((count, toolset.name));
            }
        }
    }
    best.map(|(_, name)| name)
}
