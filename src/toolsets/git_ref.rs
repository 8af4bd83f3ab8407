//! Resolves the `gitRef` argument: the branch, tag or commit of a version-controlled project.

use crate::{
    octopus::{
        Space,
        git::{self, GitRef},
        projects::Project,
    },
    tool::Error,
};

/// Returns the Git reference at which a part of a project is read: `given`, or the default branch.
///
/// `what` names the part in messages, e.g. "process". Returns `None` if the part is stored in the
/// database of Octopus.
///
/// # Errors
///
/// [`Error::Invalid`] if `given` is set for a part in the database, or if the project has neither
/// `given` nor a default branch.
pub(super) async fn resolve_git_ref(
    space: &Space,
    project: &Project,
    (what, is_in_git): (&str, bool),
    given: Option<&str>,
) -> Result<Option<GitRef>, Error> {
    let name = &project.name;
    if !is_in_git {
        return match given {
            None => Ok(None),
            Some(_) => Err(Error::Invalid(format!(
                "the {what} of '{name}' is stored in the database of Octopus, not in Git; leave out \
                 `gitRef`"
            ))),
        };
    }
    match git::resolve_or_default(space, project, given).await? {
        Some(reference) => Ok(Some(reference)),
        None => Err(Error::Invalid(format!(
            "the {what} of '{name}' is in Git and the project has no default branch; give the \
             branch, tag or commit in `gitRef`"
        ))),
    }
}
