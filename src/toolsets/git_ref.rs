//! Which branch, tag or commit a call means.

use crate::{
    octopus::{
        Space,
        git::{self, Reference},
        projects::Project,
    },
    tool::Error,
};

/// Where in Git `what` of a project is read: at the reference that the call names, or at the
/// default branch. `None` where it is in the database, and a call that names one then is refused.
pub(super) async fn git_ref(
    space: &Space,
    project: &Project,
    (what, is_in_git): (&str, bool),
    given: Option<&str>,
) -> Result<Option<Reference>, Error> {
    let name = &project.name;
    if !is_in_git {
        return match given {
            None => Ok(None),
            Some(_) => Err(Error::Invalid(format!(
                "the {what} of '{name}' is in the database of Octopus, not in Git; leave out \
                 `gitRef`"
            ))),
        };
    }
    match git::meant(space, project, given).await? {
        Some(reference) => Ok(Some(reference)),
        None => Err(Error::Invalid(format!(
            "the {what} of '{name}' is in Git and the project has no default branch; say in \
             `gitRef` which branch, tag or commit is meant"
        ))),
    }
}
