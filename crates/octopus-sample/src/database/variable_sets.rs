//! Variable sets of projects and libraries, built on request.

use serde_json::{Map, Value, json};

use super::processes::{action_id, snapshot_of};
use super::repository::Reference;
use super::snapshots::snapshot;
use super::{Collection, Database, Item, Prompt, PromptScope};
use crate::random::uuid;

/// Selection of the variables of a set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    /// The variables that a version-controlled project keeps in the database.
    Sensitive,
    /// The variables that it keeps in Git.
    Plain,
}

/// Returns the variable set with an ID: the current one, or the snapshot of a release.
pub(crate) fn with_id(database: &Database, space_id: &str, id: &str) -> Option<Value> {
    let owner_id = strip(id)?;
    if let Some(owner) = owner(database, owner_id).filter(|owner| owner.space_id == space_id) {
        let part = if is_in_git(owner) { Part::Sensitive } else { Part::All };
        let id = format!("variableset-{}", owner.id);
        let path = format!("/api/{space_id}/variables/{id}");
        return Some(body(database, owner, &id, part, false, &path));
    }
    if let Some(deployment) = database.deployments.find(owner_id) {
        let project = database.projects.find(deployment.text("ProjectId"))?;
        let id = format!("variableset-{}", deployment.id);
        let path = format!("/api/{space_id}/variables/{id}");
        return Some(body(database, project, &id, Part::All, false, &path))
            .filter(|_| deployment.space_id == space_id);
    }
    let (owner_id, release) = snapshot_of(database, "variableset", id)?;
    let owner = owner(database, &owner_id).filter(|owner| owner.space_id == space_id)?;
    let id = snapshot("variableset", &owner.id, &release.id);
    let path = format!("/api/{space_id}/variables/{id}");
    Some(body(database, owner, &id, Part::All, false, &path))
}

/// Returns the variables of a version-controlled project at a reference.
pub(crate) fn of_reference(database: &Database, project: &Item, reference: &Reference) -> Value {
    let id = project.text("VariableSetId");
    let branch = reference.segment();
    let path = format!("/api/{}/projects/{}/{branch}/variables", project.space_id, project.id);
    let part = if is_in_git(project) { Part::Plain } else { Part::All };
    body(database, project, id, part, reference.is_changed(), &path)
}

fn strip(id: &str) -> Option<&str> {
    let prefix = "variableset-";
    let start = id.get(..prefix.len())?;
    if start.eq_ignore_ascii_case(prefix) { id.get(prefix.len()..) } else { None }
}

fn owner<'a>(database: &'a Database, id: &str) -> Option<&'a Item> {
    database.projects.find(id).or_else(|| database.library_variable_sets.find(id))
}

fn is_in_git(owner: &Item) -> bool {
    let path = "/PersistenceSettings/ConversionState/VariablesAreInGit";
    owner.body.pointer(path).and_then(Value::as_bool).unwrap_or_default()
}

fn body(
    database: &Database,
    owner: &Item,
    id: &str,
    part: Part,
    is_changed: bool,
    path: &str,
) -> Value {
    let written =
        database.variables.iter().find(|set| set.get("OwnerId").is_some_and(|o| o == &owner.id));
    let version = written.and_then(|set| set.get("Version")).cloned().unwrap_or_else(|| json!(1));
    let variables: Vec<Value> = match written {
        Some(set) => {
            let list = set.get("Variables").and_then(Value::as_array).into_iter().flatten();
            list.enumerate()
                .map(|(position, one)| variable(database, owner, position, one))
                .collect()
        }
        None => default_variables(owner)
            .iter()
            .enumerate()
            .map(|(position, one)| variable(database, owner, position, one))
            .collect(),
    };
    let prompts = processes(database, owner);
    let prompts =
        prompts.iter().flat_map(|(_, id, _)| database.prompts_of(id, PromptScope::default()));
    let variables = variables.into_iter().chain(prompts.map(Prompt::variable));
    let is_sensitive = |one: &Value| one.get("IsSensitive").and_then(Value::as_bool) == Some(true);
    let kept = variables.filter(|one| match part {
        Part::All => true,
        Part::Sensitive => is_sensitive(one),
        Part::Plain => !is_sensitive(one),
    });
    let mut variables: Vec<Value> = kept.collect();
    if is_changed {
        let more = json!({ "Name": "Planner.ChargingStops", "Value": "on" });
        variables.push(variable(database, owner, 100, &more));
    }
    json!({
        "Id": id, "OwnerId": owner.id, "Version": version, "Variables": variables,
        "ScopeValues": scope_values(database, owner), "SpaceId": owner.space_id,
        "Links": { "Self": path },
    })
}

/// Returns the variables of a set that has none in the fixtures.
fn default_variables(owner: &Item) -> [Value; 2] {
    let name = owner.text("Name");
    let key: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    [
        json!({ "Name": format!("{key}.Enabled"), "Value": "true" }),
        json!({ "Name": format!("{key}.ApiToken"), "Type": "Sensitive" }),
    ]
}

fn variable(database: &Database, owner: &Item, position: usize, written: &Value) -> Value {
    let of = |key: &str| written.get(key).cloned();
    let is_sensitive = of("Type").is_some_and(|kind| kind == "Sensitive");
    let mut scope = of("Scope").unwrap_or_else(|| json!({}));
    // Fixtures name actions by project and slug, because their IDs are generated.
    for action in scope.get_mut("Action").and_then(Value::as_array_mut).into_iter().flatten() {
        let found = action.as_str().and_then(|text| text.split_once('/'));
        let id = found.and_then(|(project, slug)| {
            let process = database.scripts.process(project)?;
            let step = process.steps.iter().find(|step| step.slug == slug)?;
            Some(action_id(project, step))
        });
        *action = json!(id);
    }
    json!({
        "Id": uuid(&format!("{}/{position}", owner.id)),
        "Name": of("Name"),
        "Value": if is_sensitive { None } else { of("Value") },
        "Description": of("Description"),
        "Scope": scope,
        "IsEditable": true,
        "Prompt": of("Prompt"),
        "Type": of("Type").unwrap_or_else(|| json!("String")),
        "IsSensitive": is_sensitive,
    })
}

/// Returns the deployment process and the runbook processes of a project, with types and names.
fn processes<'a>(database: &'a Database, owner: &'a Item) -> Vec<(&'static str, &'a str, &'a str)> {
    if database.projects.find(&owner.id).is_none() {
        return Vec::new();
    }
    let text = |body: &'a Value, key| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let own = database.runbooks.of_project(owner).map(|runbook| &runbook.body);
    let in_git = database.git_runbooks.iter().map(|runbook| &runbook.body);
    let in_git = in_git.filter(|body| text(body, "ProjectId") == owner.id);
    let runbooks = own.chain(in_git).map(|body| ("Runbook", text(body, "Id"), text(body, "Name")));
    std::iter::once(("Deployment", owner.id.as_str(), "Deployment process"))
        .chain(runbooks)
        .collect()
}

/// Returns the scope values of the variables of a project or library.
fn scope_values(database: &Database, owner: &Item) -> Value {
    let space = owner.space_id.as_str();
    let pair = |id: &str, name: &str| json!({ "Id": id, "Name": name });
    let all = |collection: &Collection| {
        let items = collection.of_space(space).map(|item| pair(&item.id, item.text("Name")));
        items.collect::<Vec<_>>()
    };
    let mut roles: Vec<&str> =
        database.machines.of_space(space).flat_map(|machine| machine.texts("Roles")).collect();
    roles.sort_unstable();
    roles.dedup();
    let tags = database
        .tag_sets
        .of_space(space)
        .flat_map(|set| set.list("Tags"))
        .map(|tag| json!({ "Id": tag.get("CanonicalTagName"), "Name": tag.get("Name") }));
    let channels = database.channels.of_project(owner);
    let steps = database.scripts.process(&owner.id).into_iter().flat_map(|process| &process.steps);
    let processes = processes(database, owner);
    let processes = processes
        .iter()
        .map(|(kind, id, name)| json!({ "ProcessType": kind, "Id": id, "Name": name }));
    let values: Map<String, Value> = [
        ("Environments", json!(all(&database.environments))),
        ("Machines", json!(all(&database.machines))),
        ("Actions", steps.map(|step| pair(&action_id(&owner.id, step), &step.name)).collect()),
        ("Roles", roles.iter().map(|role| pair(role, role)).collect()),
        ("Channels", channels.map(|found| pair(&found.id, found.text("Name"))).collect()),
        ("TenantTags", tags.collect()),
        ("Processes", processes.collect()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    Value::Object(values)
}
