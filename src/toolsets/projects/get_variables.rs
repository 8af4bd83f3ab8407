//! `get_variables`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::variables::{IncludedLibrarySet, VariableSetSummary, truncate};
use crate::{
    octopus::{
        self, Id, Space,
        git::GitRef,
        library_variable_sets::LibraryVariableSet,
        project_variables,
        projects::Project,
        variables::{self, VariableSet},
    },
    tool::{Context, Error, GitRefArg, ProjectArg, SpaceArg, Tool},
    toolsets::git_ref::resolve_git_ref,
};

/// Get the variables of a project, its own and those of included library variable sets, with the
/// scope of each value. Sensitive values are never shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetVariables {
    space: Option<SpaceArg>,
    project_id: ProjectArg,
    /// Text that the variable name contains.
    name: Option<String>,
    git_ref: Option<GitRefArg>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectVariables {
    project_id: String,
    project_name: String,
    /// Git reference at which the variables were read.
    git_ref: Option<String>,
    variables: VariableSets,
    /// Description of omitted variables and how to request them.
    left_out: Option<String>,
    /// Reason for the empty result, and a next step.
    hint: Option<String>,
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VariableSets {
    project_variable_set: VariableSetSummary,
    library_variable_sets: Vec<IncludedLibrarySet>,
}

/// Approximate size of the answer without the variables, in bytes.
const ENVELOPE_BYTES: usize = 1536;

impl Tool for GetVariables {
    const NAME: &'static str = "get_variables";
    const TITLE: &'static str = "Get the variables of a project";
    const TAKES_MAX_BYTES: bool = true;

    type Output = ProjectVariables;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let part = self.name.as_deref().map(str::trim);
        if part == Some("") {
            return Err(Error::Argument {
                field: "name".to_owned(),
                reason: "a blank name does not filter; leave it out".to_owned(),
            });
        }
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let project = space.find::<Project>(&self.project_id).await?;
        let stored = ("variable set", project.has_variables_in_git());
        let reference = resolve_git_ref(&space, &project, stored, self.git_ref.as_deref()).await?;
        let (project_set, libraries) = futures::try_join!(
            project_variables::read(&space, &project, reference.as_ref()),
            libraries(&space, &project.included_library_variable_set_ids),
        )?;
        let mut project_set = VariableSetSummary::of(project_set, part);
        let mut library_variable_sets: Vec<IncludedLibrarySet> = libraries
            .into_iter()
            .map(|(id, library, set)| {
                IncludedLibrarySet::of(
                    id,
                    library,
                    set.map(|set| VariableSetSummary::of(set, part)),
                    part,
                )
            })
            .filter(|library| part.is_none() || !library.is_empty())
            .collect();
        let mut denied = project_set.remove_denied(cx).await?;
        for set in library_variable_sets.iter_mut().filter_map(|l| l.variable_set.as_mut()) {
            denied += set.remove_denied(cx).await?;
        }
        let all_bytes = serde_json::to_vec(&library_variable_sets).map_or(0, |json| json.len());
        let variable_bytes: usize = library_variable_sets
            .iter()
            .filter_map(|library| library.variable_set.as_ref())
            .map(|set| serde_json::to_vec(&set.variables).map_or(0, |json| json.len()))
            .sum();
        let max_bytes = cx
            .limits
            .answer
            .saturating_sub(ENVELOPE_BYTES + all_bytes.saturating_sub(variable_bytes));
        let sets = library_variable_sets.iter_mut().filter_map(|l| l.variable_set.as_mut());
        let left_out = truncate(std::iter::once(&mut project_set).chain(sets), max_bytes);
        let is_empty = project_set.variables.is_empty()
            && library_variable_sets.iter().all(IncludedLibrarySet::is_empty);
        Ok(ProjectVariables {
            url: space.portal().variables(project.slug.as_deref().unwrap_or(project.id.as_str())),
            project_id: project.id.into_string(),
            git_ref: reference.map(GitRef::into_string),
            left_out: left_out.map(|omitted| {
                format!(
                    "{omitted}; call again with `name` to filter by name, or with a larger maxBytes \
                     (max {})",
                    cx.limits.answer_cap
                )
            })
            .into_iter()
            .chain((denied > 0).then(|| {
                format!("{denied} variables with a scope that the policy denies")
            }))
            .reduce(|all, more| format!("{all}; {more}")),
            hint: is_empty.then(|| match part {
                Some(part) => format!("no variable name of '{}' contains '{part}'", project.name),
                None => format!("'{}' has no variable that this user can see", project.name),
            }),
            project_name: project.name,
            variables: VariableSets { project_variable_set: project_set, library_variable_sets },
        })
    }
}

type Included<'a> = (&'a Id<LibraryVariableSet>, Option<LibraryVariableSet>, Option<VariableSet>);

/// Reads the library variable sets that a project includes, in the order of the project.
async fn libraries<'a>(
    space: &Space,
    included: &'a [Id<LibraryVariableSet>],
) -> Result<Vec<Included<'a>>, octopus::Error> {
    let mut libraries = space.by_ids(included).await?;
    let of = |library: &LibraryVariableSet| library.variable_set_id.clone();
    let sets: Vec<Id<VariableSet>> = libraries.values().filter_map(of).collect();
    let mut sets = variables::by_ids(space, &sets).await?;
    Ok(included
        .iter()
        .map(|id| {
            let library = libraries.remove(id.as_str());
            let set = library.as_ref().and_then(of).and_then(|of| sets.remove(of.as_str()));
            (id, library, set)
        })
        .collect())
}
