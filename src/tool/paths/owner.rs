//! Which toolset a path belongs to, so that a toolset that is off is off this way too.

use super::{
    ApiPath,
    pattern::{Word, in_space, length, reaches},
};
use crate::tool::{Error, Policy, Tier, Toolset};

/// Lets a path pass whose owner is on, and has no tool for as much that the request leaves out.
/// What nobody owns passes only where everything is on.
pub(super) fn allow(path: &ApiPath, tier: Tier, policy: &Policy) -> Result<(), Error> {
    match owner(&path.words, policy.catalog()) {
        Some(name) if policy.is_on(name) => match policy.left_out(name, tier) {
            None => Ok(()),
            Some(tool) => Err(Error::Invalid(format!(
                "{} belongs to the toolset `{name}`, and this request leaves out its {tool}, \
                 which could do the same",
                path.to_send()
            ))),
        },
        Some(name) => Err(Error::Invalid(format!(
            "{} belongs to the toolset `{name}`, which is off on this server",
            path.to_send()
        ))),
        None if policy.catalog().iter().all(|toolset| policy.is_on(toolset.name)) => Ok(()),
        None => Err(Error::Invalid(format!(
            "{} belongs to no toolset, and such paths are open only where all toolsets are on",
            path.to_send()
        ))),
    }
}

/// The toolset with the most literal path; of several, the first.
pub(super) fn owner(words: &[Word], catalog: &[Toolset]) -> Option<&'static str> {
    let scoped = in_space(words);
    let below = scoped.unwrap_or(words);
    best(catalog, |path| match path.strip_prefix('/') {
        Some("") => words.is_empty().then_some(0),
        // What holds a space does not own what is in it.
        Some(path) if length(path) > words.len() - below.len() => reaches(path, words),
        Some(_) => None,
        None => reaches(path, below),
    })
    .or_else(|| {
        // The ID of a space alone is the space.
        let [space] = words else { return None };
        let space = [Word::of("spaces"), space.clone()];
        scoped.and_then(|_| best(catalog, |path| reaches(path, &space)))
    })
    .or_else(|| {
        // Something that is no collection may yet be a space.
        let below = words.get(1..).filter(|_| scoped.is_none())?;
        best(catalog, |path| (!path.starts_with('/')).then(|| reaches(path, below)).flatten())
    })
}

fn best(catalog: &[Toolset], reach: impl Fn(&str) -> Option<usize>) -> Option<&'static str> {
    let mut best: Option<(usize, &'static str)> = None;
    for toolset in catalog {
        for named in toolset.paths.iter().filter_map(|path| reach(path)) {
            if best.is_none_or(|(most, _)| named > most) {
                best = Some((named, toolset.name));
            }
        }
    }
    best.map(|(_, name)| name)
}
