//! Values for the parameters of operations.

use octopus_mcp::octopus::operations::{Parameter, Subject};
use serde_json::Value;

use super::{
    BySubject,
    instance::{Denied, Instance},
    key,
};

/// Values for parameters, by what they name.
pub struct Values {
    /// Those that lead to what is denied.
    pub denied: BySubject,
    /// Those that lead elsewhere.
    open: BySubject,
}

/// The subjects whose things are listed, with their collections.
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
    /// Looks for things that belong to what is denied, and for others.
    pub async fn harvest(instance: &Instance, denied: &Denied) -> Self {
        let mut values = Self { denied: BySubject::new(), open: BySubject::new() };
        for (subject, collection) in LISTS {
            let documents = instance.list(denied.space.0, collection).await;
            let belongs = |document: &&Value| {
                denied.owns(document)
                    || document["Id"] == denied.id
                    || denied.id.starts_with("Spaces")
            };
            let id = |document: &Value| document["Id"].as_str().map(str::to_owned);
            if let Some(found) = documents.iter().find(belongs).and_then(id) {
                values.denied.insert(key(subject), found);
            }
            let is_open = |document: &&Value| !belongs(document);
            if let Some(found) = documents.iter().find(is_open).and_then(id) {
                values.open.insert(key(subject), found);
            }
        }
        // A task says less of itself than its deployment.
        let deployments = instance.list(denied.space.0, "deployments").await;
        if let Some(deployment) = deployments.iter().find(|document| denied.owns(document)) {
            let task = deployment["TaskId"].as_str().unwrap().to_owned();
            values.denied.insert(key(Subject::Task), task);
        }
        values.denied.insert(key(Subject::Space), "Spaces-22".to_owned());
        values.open.insert(key(Subject::Space), "Spaces-1".to_owned());
        values.denied.insert(key(Subject::Any), denied.id.to_owned());
        values.open.insert(key(Subject::Any), denied.open.to_owned());
        values
    }

    /// A value for a parameter of a path.
    pub fn of(&self, parameter: &Parameter, before: &str, denied: bool) -> String {
        let Some(subject) = parameter.subject else {
            return match parameter.name {
                "gitRef" | "gitref" | "branchName" => "main".to_owned(),
                _ => "1".to_owned(),
            };
        };
        let (first, second) =
            if denied { (&self.denied, &self.open) } else { (&self.open, &self.denied) };
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
