//! Variables of a project, in the database and in Git.

use super::{
    git::{self, GitRef},
    projects::Project,
    resource::Resource,
    space::Space,
    variables::VariableSet,
};
use crate::octopus::client::error::Error;

/// Reads the variables of a project. For a project in Git, the non-sensitive variables come from
/// `reference` and the sensitive ones from the database; both are merged.
pub async fn read(
    space: &Space,
    project: &Project,
    reference: Option<&GitRef>,
) -> Result<VariableSet, Error> {
    let in_database =
        space.path([Project::COLLECTION, project.id.as_str(), VariableSet::COLLECTION]);
    let Some(reference) = reference else {
        return match &project.variable_set_id {
            Some(id) => space.get(id).await,
            None => space.session().get(&in_database).await,
        };
    };
    let sensitive = async { space.session().get::<VariableSet>(&in_database).await };
    let (mut set, sensitive) = futures::try_join!(
        git::read::<VariableSet>(space, &project.id, reference, VariableSet::COLLECTION),
        sensitive,
    )?;
    set.variables.extend(sensitive.variables);
    for (kind, values) in sensitive.scope_values {
        set.scope_values.entry(kind).or_default().extend(values);
    }
    Ok(set)
}
