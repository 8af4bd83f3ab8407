//! Variable sets of projects and libraries.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::database::{Item, variable_sets};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{missing, project_lookup};

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("VariableView")?;
    match path {
        ["all"] => {
            let ids = call.query.items("ids");
            let sets =
                ids.filter_map(|id| variable_sets::with_id(call.database, call.space_id(), id));
            Ok(ApiResponse::value(&sets.collect()))
        }
        ["names"] => names(call),
        [id] => {
            let set = variable_sets::with_id(call.database, call.space_id(), id);
            Ok(ApiResponse::value(&set.ok_or_else(|| missing(id))?))
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Answers `/projects/{id}/variables`. For projects in Git it has only the sensitive variables.
pub(super) fn of_project(call: &Call<'_>, project: &Item) -> ApiResult {
    call.require("VariableView")?;
    let id = project.text("VariableSetId");
    let set = variable_sets::with_id(call.database, call.space_id(), id);
    Ok(ApiResponse::value(&set.ok_or_else(|| missing(id))?))
}

/// Answers the names of the variables of a project and of its library variable sets.
fn names(call: &Call<'_>) -> ApiResult {
    let wrong = || ApiError::BadRequest("The parameter 'project' is required.".to_owned());
    let project = project_lookup::find(call, call.query.text("project").ok_or_else(wrong)?)?;
    let libraries = project.texts("IncludedLibraryVariableSetIds");
    let libraries = libraries.map(|id| format!("variableset-{id}"));
    let ids = std::iter::once(project.text("VariableSetId").to_owned()).chain(libraries);
    let sets: Vec<Value> =
        ids.filter_map(|id| variable_sets::with_id(call.database, call.space_id(), &id)).collect();
    let names: BTreeSet<&str> = sets
        .iter()
        .filter_map(|set| set.get("Variables")?.as_array())
        .flatten()
        .filter_map(|variable| variable.get("Name")?.as_str())
        .collect();
    Ok(ApiResponse::value(&json!(names)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::super::test_client::{get, ids, status};
    use crate::keys::{ADMIN, WITHOUT_VARIABLE_VIEW};

    fn names(set: &Value) -> HashSet<String> {
        let variables = set["Variables"].as_array().unwrap();
        variables.iter().map(|variable| variable["Name"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn returns_all_kinds_of_variable_sets() {
        let release = get("/api/Spaces-1/releases/Releases-9002").await;
        let rows = [
            ("variables/variableset-Projects-1", "Projects-1"),
            ("variables/VariableSet-projects-1", "Projects-1"),
            ("projects/parcel-tracking-api/variables", "Projects-1"),
            ("variables/variableset-LibraryVariableSets-1", "LibraryVariableSets-1"),
            ("variables/variableset-LibraryVariableSets-120", "LibraryVariableSets-120"),
            ("variables/variableset-Deployments-9004", "Projects-1"),
            (
                &format!("variables/{}", release["ProjectVariableSetSnapshotId"].as_str().unwrap()),
                "Projects-1",
            ),
            (
                &format!(
                    "variables/{}",
                    release["LibraryVariableSetSnapshotIds"][0].as_str().unwrap()
                ),
                "LibraryVariableSets-1",
            ),
        ];
        for (path, owner) in rows {
            let set = get(&format!("/api/Spaces-1/{path}")).await;
            assert_eq!(set["OwnerId"], owner, "{path}");
            let path = format!("/api/Spaces-1/{path}");
            assert_eq!(status(WITHOUT_VARIABLE_VIEW, &path).await, 403, "{path}");
        }
        for id in
            ["Projects-99", "variableset-Projects-99", "variableset-Projects-41", "variableset"]
        {
            assert_eq!(status(ADMIN, &format!("/api/Spaces-1/variables/{id}")).await, 404, "{id}");
        }
        let some =
            "variableset-Projects-1,variableset-LibraryVariableSets-1,variableset-Projects-99";
        assert_eq!(ids(&format!("/api/Spaces-1/variables/all?ids={some}")).await.len(), 2);
        let names = get("/api/Spaces-1/variables/names?project=Projects-1").await;
        assert!(names.as_array().unwrap().iter().any(|name| name == "Shared.Queue"));
    }

    #[tokio::test]
    async fn scope_values_exist_and_sensitive_values_are_hidden() {
        for space in ["Spaces-1", "Spaces-22"] {
            for project in ids(&format!("/api/{space}/projects?take=100")).await {
                let set = get(&format!("/api/{space}/variables/variableset-{project}")).await;
                for variable in set["Variables"].as_array().unwrap() {
                    let is_sensitive = variable["IsSensitive"] == true;
                    assert_eq!(variable["Type"] == "Sensitive", is_sensitive);
                    assert_eq!(variable["Value"].is_null(), is_sensitive, "{variable}");
                    for (field, values) in variable["Scope"].as_object().unwrap() {
                        // `ScopeValues` has no list of tenants.
                        if field == "Tenant" {
                            continue;
                        }
                        let list = match field.as_str() {
                            "ProcessOwner" => "Processes".to_owned(),
                            field => format!("{field}s"),
                        };
                        let known = set["ScopeValues"][&list].as_array().expect(&list);
                        for value in values.as_array().unwrap() {
                            assert!(known.iter().any(|one| &one["Id"] == value), "{variable}");
                        }
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn splits_variables_between_git_and_database() {
        let project = "/api/Spaces-1/projects/Projects-2";
        let database = names(&get(&format!("{project}/variables")).await);
        let git = names(&get(&format!("{project}/refs%2Fheads%2Fmain/variables")).await);
        assert!(database.contains("Planner.SigningKey") && git.contains("Planner.Threads"));
        assert!(database.is_disjoint(&git));
        let changed = get(&format!("{project}/feature%2Felectric-vans/variables")).await;
        assert!(names(&changed).contains("Planner.ChargingStops"));
    }

    #[tokio::test]
    async fn project_includes_more_libraries_than_one_page() {
        let project = get("/api/Spaces-1/projects/Projects-11").await;
        let sets: Vec<&str> = project["IncludedLibraryVariableSetIds"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(sets.len(), 35);
        let path = format!("/api/Spaces-1/libraryvariablesets?ids={}", sets.join(","));
        assert_eq!(ids(&path).await.len(), 30);
        assert_eq!(ids(&format!("{path}&take=35")).await.len(), 35);
    }
}
