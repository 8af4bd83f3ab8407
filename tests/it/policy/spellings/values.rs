//! Values for the parameters of operations.

use std::collections::{BTreeMap, BTreeSet};

use octopus_mcp::octopus::operations::{self, Parameter, PathSegment, Subject};
use serde_json::Value;

use super::{BySubject, denied::DeniedResource, instance::SampleReader, key, oracle::Oracle};

/// Values for parameters, by subject.
pub struct Values {
    /// Values that refer to the denied resource.
    pub denied: BySubject,
    /// Values that refer to other resources.
    pub allowed: BySubject,
    /// Denied tasks: one for each set of arguments.
    pub tasks: Vec<String>,
    /// Documents that rules do not match, by collection: a document that names the denied resource,
    /// and another document.
    unrelated: BTreeMap<&'static str, [Option<String>; 2]>,
}

/// The subjects with a list operation, and their collections.
const LISTS: [(Subject, &str); 12] = [
    (Subject::Project, "projects"),
    (Subject::Environment, "environments"),
    (Subject::Tenant, "tenants"),
    (Subject::Channel, "channels"),
    (Subject::Release, "releases"),
    (Subject::Deployment, "deployments"),
    (Subject::Task, "tasks"),
    (Subject::Runbook, "runbooks"),
    (Subject::RunbookRun, "runbookRuns"),
    (Subject::RunbookSnapshot, "runbookSnapshots"),
    (Subject::Interruption, "interruptions"),
    (Subject::Machine, "machines"),
];

impl Values {
    /// Collects values that belong to the denied resource, and others.
    pub async fn collect(
        instance: &SampleReader,
        oracle: &Oracle,
        denied: &DeniedResource,
    ) -> Self {
        let mut values = Self {
            denied: BySubject::new(),
            allowed: BySubject::new(),
            tasks: Vec::new(),
            unrelated: BTreeMap::new(),
        };
        for (subject, collection) in LISTS {
            let mut documents = instance.list(denied.space.0, collection).await;
            // Deployments are recognized by their ID alone, so they come before other tasks.
            documents.sort_by_key(|document| document["Arguments"]["DeploymentId"].is_null());
            let is_denied = |document: &&Value| oracle.contains(document["Id"].as_str().unwrap());
            if let Some(found) = documents.iter().find(is_denied).and_then(id) {
                values.denied.insert(key(subject), found);
            }
            if let Some(found) = documents.iter().find(|document| !is_denied(document)).and_then(id)
            {
                values.allowed.insert(key(subject), found);
            }
            if subject == Subject::Task {
                values.tasks = distinct_tasks(documents.iter().filter(is_denied));
            }
        }
        for collection in unrelated_collections() {
            let documents = instance.list(denied.space.0, collection).await;
            let (telling, silent): (Vec<_>, Vec<_>) =
                documents.iter().partition(|document| oracle.first_id_in(document).is_some());
            let first = |found: Vec<&Value>| found.first().copied().and_then(id);
            values.unrelated.insert(collection, [first(telling), first(silent)]);
        }
        values.denied.insert(key(Subject::Space), DeniedResource::SPACE.id.to_owned());
        values.allowed.insert(key(Subject::Space), DeniedResource::SPACE.allowed_id.to_owned());
        values.denied.insert(key(Subject::Any), denied.id.to_owned());
        values.allowed.insert(key(Subject::Any), denied.allowed_id.to_owned());
        values
    }

    /// Returns whether the parameter has both a denied and an allowed value.
    pub fn has_both(&self, parameter: &Parameter, before: &str) -> bool {
        parameter.subject.is_some() || self.unrelated.contains_key(before)
    }

    /// Returns a value for a parameter after this path segment.
    pub fn of(&self, parameter: &Parameter, before: &str, denied: bool) -> String {
        let Some(subject) = parameter.subject else {
            let [telling, silent] = self.unrelated.get(before).cloned().unwrap_or_default();
            let other = if denied { telling.or(silent) } else { silent.or(telling) };
            let fixed = match parameter.name {
                "gitRef" | "gitref" | "branchName" => "main",
                _ => "1",
            };
            return other.unwrap_or_else(|| fixed.to_owned());
        };
        let (first, second) =
            if denied { (&self.denied, &self.allowed) } else { (&self.allowed, &self.denied) };
        let of = |subject: Subject| {
            first.get(&key(subject)).or_else(|| second.get(&key(subject))).cloned()
        };
        if subject == Subject::Owned {
            let project = of(Subject::Project).unwrap_or_default();
            let runbook = of(Subject::Runbook).unwrap_or_default();
            return match before {
                "deploymentprocesses" => format!("deploymentprocess-{project}"),
                "deploymentsettings" => format!("deploymentsettings-{project}"),
                "runbookProcesses" => format!("RunbookProcess-{runbook}"),
                _ => format!("variableset-{project}"),
            };
        }
        of(subject).unwrap_or_else(|| "Nothing-1".to_owned())
    }
}

fn id(document: &Value) -> Option<String> {
    document["Id"].as_str().map(str::to_owned)
}

/// Returns the collections whose documents are read by an ID that names nothing that rules match.
fn unrelated_collections() -> BTreeSet<&'static str> {
    let collections = operations::all().iter().filter_map(|operation| {
        match (operation.method, operation.path.as_slice()) {
            ("GET", [PathSegment::Literal(collection), PathSegment::Parameter(parameter), ..]) => {
                parameter.subject.is_none().then_some(*collection)
            }
            _ => None,
        }
    });
    collections.collect()
}

/// Returns the first task of each name and set of relevant arguments.
fn distinct_tasks<'a>(tasks: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut kinds = Vec::new();
    let mut found = Vec::new();
    for task in tasks {
        let arguments = task["Arguments"].as_object().into_iter().flatten();
        let says_something = |value: &&Value| match value {
            Value::Array(items) => !items.is_empty(),
            value => !value.is_null(),
        };
        let names: Vec<_> =
            arguments.filter(|(_, value)| says_something(value)).map(|(name, _)| name).collect();
        let kind = (&task["Name"], names);
        if !kinds.contains(&kind) {
            kinds.push(kind);
            found.push(task["Id"].as_str().unwrap().to_owned());
        }
    }
    found
}
