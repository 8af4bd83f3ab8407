//! Every document type accepts every form that the contract with Octopus allows: all fields, only
//! required fields with the others null or absent, fields and words of newer servers, and the bodies
//! that real servers sent.
//!
//! Fields without which a document identifies nothing are the identity of its type, see [`Row`]. A
//! document without one of them is unreadable. In a list, only that item is skipped.

use std::{any::type_name, collections::BTreeMap, fs, path::Path};

use octopus_sample::contract::{Contract, Edition, Form, Optional, Shape, recorded};
use serde::de::DeserializeOwned;
use syn::visit::Visit;

use super::{
    accounts::Account,
    api_keys::{ApiKeys, PermissionSet},
    certificates::Certificate,
    channels::Channel,
    dashboard::Dashboard,
    deployments::Deployment,
    environments::Environment,
    events::{Event, EventTerm},
    feature_toggles::FeatureToggle,
    freezes::{Freeze, RawList},
    git::{Branch, Commit},
    instance_info::ApiRoot,
    interruptions::Interruption,
    kubernetes::LiveStatus,
    library_variable_sets::LibraryVariableSet,
    lifecycles::Lifecycle,
    machines::Machine,
    previews::Preview,
    processes::DeploymentProcess,
    project_groups::ProjectGroup,
    projects::Project,
    promotions::{DeploymentTemplate, Progression},
    releases::{NextVersion, Release},
    rollout_groups::RolloutGroup,
    runbook_runs::{RunbookRun, RunbookSnapshot},
    runbooks::{Runbook, ScopeEnvironment},
    spaces::SpaceResource,
    task_initiator::TaskOwner,
    tasks::{Details, Task},
    teams::Team,
    tenants::{ScopedVariables, Tenant, TenantMissingVariables, Variables},
    users::User,
    variables::VariableSet,
};

/// A document type and a type of the contract that it reads.
struct Row {
    type_name: fn() -> &'static str,
    /// Name of the type in the contract, or the path of an operation that responds with it. The
    /// path of a plain list gives the type of its items.
    of: &'static str,
    /// Paths of the fields that the document type needs, although the contract does not require
    /// them.
    identity: &'static [&'static str],
    parse: fn(&str) -> Result<(), String>,
}

fn row<T: DeserializeOwned>(of: &'static str, identity: &'static [&'static str]) -> Row {
    Row { type_name: type_name::<T>, of, identity, parse: parse::<T> }
}

/// Parses a document. The error begins with the path of the field.
fn parse<T: DeserializeOwned>(text: &str) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize::<_, T>(&mut json);
    parsed.map(drop).map_err(|error| error.to_string())
}

/// Every document type that is read from a response. Types of fields are part of their documents.
fn rows() -> Vec<Row> {
    const NAMED: &[&str] = &["Id", "Name"];
    const OF_PROJECT: &[&str] = &["Id", "Name", "ProjectId"];
    vec![
        row::<Account>("Account", NAMED),
        row::<ApiKeys>("/api/users/Users-1/apikeys", &[]),
        row::<Certificate>("Certificate", NAMED),
        row::<Channel>("Channel", OF_PROJECT),
        row::<Dashboard>("Dashboard", &[]),
        row::<RawList>("/api/deploymentfreezes", &[]),
        row::<Freeze>("DeploymentFreeze", &[]),
        row::<DeploymentTemplate>("DeploymentTemplate", &[]),
        row::<Progression>("ReleaseProgression", &[]),
        row::<ScopeEnvironment>("/api/Spaces-1/runbooks/Runbooks-1/environments", &["Name"]),
        row::<PermissionSet>("UserPermissions", &[]),
        row::<Deployment>("Deployment", &["Id", "ProjectId", "TaskId"]),
        row::<Environment>("Environment", NAMED),
        row::<Environment>("EnvironmentV2", NAMED),
        row::<Event>("Event", &["Id"]),
        row::<EventTerm>("/api/events/agents", &["Id"]),
        row::<EventTerm>("/api/events/categories", &["Id"]),
        row::<EventTerm>("/api/events/documenttypes", &["Id"]),
        row::<EventTerm>("/api/events/groups", &["Id"]),
        row::<FeatureToggle>("FeatureToggle", &["Id", "Slug"]),
        row::<Branch>("GitBranch", &[]),
        // A tag has the form of a commit.
        row::<Branch>("GitCommit", &[]),
        row::<Commit>("GitCommit", &[]),
        row::<ApiRoot>("Root", &["Version"]),
        row::<Interruption>("Interruption", &["Id"]),
        row::<LiveStatus>("LiveStatus", &[]),
        row::<LibraryVariableSet>("LibraryVariableSet", NAMED),
        row::<Lifecycle>("Lifecycle", NAMED),
        row::<Machine>("Machine", NAMED),
        row::<Preview>("DeploymentPreview", &[]),
        row::<Preview>("RunbookRunPreview", &[]),
        row::<DeploymentProcess>("DeploymentProcess", &["Id"]),
        row::<ProjectGroup>("ProjectGroup", NAMED),
        row::<Project>("Project", NAMED),
        row::<NextVersion>("ReleaseTemplate", &[]),
        row::<Release>("Release", &["Id", "ProjectId"]),
        row::<RolloutGroup>("RolloutGroup", &["Id"]),
        row::<RunbookRun>("RunbookRun", &["Id", "TaskId"]),
        row::<RunbookSnapshot>("RunbookSnapshot", NAMED),
        row::<Runbook>("Runbook", OF_PROJECT),
        row::<SpaceResource>("Space", NAMED),
        row::<TaskOwner>("Deployment", &[]),
        row::<TaskOwner>("RunbookRun", &[]),
        row::<Details>("TaskDetails", &["Task.Id"]),
        row::<Task>("Task", &["Id"]),
        row::<Team>("Team", NAMED),
        row::<ScopedVariables>("CommonVariables", &[]),
        row::<ScopedVariables>("ProjectVariables", &[]),
        row::<TenantMissingVariables>("/api/Spaces-1/tenants/variables-missing", &["TenantId"]),
        row::<Tenant>("Tenant", NAMED),
        row::<Variables>("TenantVariables", &[]),
        row::<User>("User", &["Id"]),
        row::<VariableSet>("VariableSet", &["Id"]),
    ]
}

/// Types that are no part of a response: callers send their words in arguments.
const ARGUMENTS: [&str; 4] = [
    "accounts::AccountType",
    "deployments::TaskState",
    "machines::CommunicationStyle",
    "machines::HealthStatus",
];

impl Row {
    /// Returns the type in this edition; `None` if it does not exist there.
    fn shape(&self, contract: &'static Contract) -> Option<Shape> {
        if !self.of.starts_with('/') {
            return contract.named(self.of).cloned();
        }
        match contract.find("GET", self.of)?.response.clone()? {
            Shape::List(item) => Some(*item),
            shape => Some(shape),
        }
    }

    /// Returns the module and name of the type, such as `tasks::Task`.
    fn name(&self) -> &'static str {
        (self.type_name)().rsplit("::model::").next().unwrap()
    }
}

/// Calls `check` with each row, an edition that has its type, and the type.
fn each_shape(mut check: impl FnMut(&Row, &'static Contract, &Shape)) {
    for row in rows() {
        let mut editions = 0;
        for contract in Edition::ALL.map(Contract::of) {
            if let Some(shape) = row.shape(contract) {
                check(&row, contract, &shape);
                editions += 1;
            }
        }
        assert!(editions > 0, "no edition has the type of {}: {}", row.name(), row.of);
    }
}

#[test]
fn document_types_accept_every_form_of_the_contract() {
    let mut wrong = Vec::new();
    each_shape(|row, contract, shape| {
        for optional in Optional::ALL {
            for (is_newer, alternative) in
                [(false, 0), (false, 1), (false, 2), (false, 3), (true, 0), (true, 1), (true, 2)]
            {
                let form = Form { optional, keep: row.identity, is_newer, alternative };
                let example = contract.example(shape, &form);
                if let Err(error) = (row.parse)(&example.to_string()) {
                    let edition = contract.edition();
                    wrong.push(format!(
                        "{} of {} ({edition:?}, {form:?}): {error}",
                        row.name(),
                        row.of
                    ));
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{} failures\n{}", wrong.len(), wrong.join("\n"));
}

/// Identity fields are needed. Each one is missing in turn, and the error names it.
#[test]
fn documents_without_identity_are_unreadable_and_name_the_field() {
    each_shape(|row, contract, shape| {
        for missing in row.identity {
            let others: Vec<&str> =
                row.identity.iter().copied().filter(|field| field != missing).collect();
            let (around, field) = missing.rsplit_once('.').unwrap_or(("", missing));
            // The object around the field stays, because otherwise the object is missing.
            let keep: Vec<&str> =
                others.into_iter().chain((!around.is_empty()).then_some(around)).collect();
            for optional in [Optional::Null, Optional::Absent] {
                let form = Form { optional, keep: &keep, is_newer: false, alternative: 0 };
                let example = contract.example(shape, &form).to_string();
                let Err(error) = (row.parse)(&example) else {
                    // The contract of this edition requires the field.
                    assert!(
                        example.contains(&format!("\"{field}\":\"")),
                        "{}: {missing} is not needed",
                        row.name()
                    );
                    continue;
                };
                assert!(error.contains(field), "{}: {error} does not name {missing}", row.name());
            }
        }
    });
}

#[test]
fn document_types_accept_recorded_bodies() {
    let (rows, recorded) = (rows(), recorded());
    assert!(recorded.len() > 40, "{}", recorded.len());
    let (mut parsed, mut wrong) = (0, Vec::new());
    for one in recorded {
        for row in rows.iter().filter(|row| row.of == one.type_name) {
            parsed += 1;
            if let Err(error) = (row.parse)(&one.body.to_string()) {
                wrong.push(format!("{} ({} of {}): {error}", row.name(), one.version, one.source));
            }
        }
    }
    assert!(parsed > 40, "{parsed}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The types that serde parses, with the names of the types of their fields.
#[derive(Default)]
struct Types {
    module: String,
    fields: BTreeMap<String, Vec<String>>,
    deserialized: Vec<String>,
}

impl Types {
    /// Reads all types of this module.
    fn read() -> Self {
        let mut types = Self::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/octopus/model");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // Folders have no documents of Octopus.
            if path.extension().is_some_and(|extension| extension == "rs") {
                types.module = path.file_stem().unwrap().to_str().unwrap().to_owned();
                types.visit_file(&syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap());
            }
        }
        types
    }

    fn add(&mut self, name: &syn::Ident, attributes: &[syn::Attribute], fields: Vec<String>) {
        let name = format!("{}::{name}", self.module);
        let mut derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
        let is_deserialized = derives.any(|derive| {
            let mut is_found = false;
            let _ = derive.parse_nested_meta(|meta| {
                is_found |= meta.path.is_ident("Deserialize");
                Ok(())
            });
            is_found
        });
        if is_deserialized {
            self.deserialized.push(name.clone());
        }
        self.fields.insert(name, fields);
    }

    /// Returns the type with this name in a module, or else in any other one.
    fn find(&self, module: &str, name: &str) -> Option<&String> {
        let own = self.fields.get_key_value(&format!("{module}::{name}"));
        let other = || self.fields.iter().find(|(key, _)| key.rsplit("::").next() == Some(name));
        own.or_else(other).map(|(key, _)| key)
    }

    /// Adds a type and the types of its fields to `reached`.
    fn reach(&self, name: &str, reached: &mut Vec<String>) {
        if reached.iter().any(|known| known == name) {
            return;
        }
        reached.push(name.to_owned());
        let module = name.split("::").next().unwrap();
        for field in self.fields.get(name).into_iter().flatten() {
            if let Some(found) = self.find(module, field) {
                self.reach(found, reached);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {
        // Modules in files are tests.
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let mut names = TypeNames::default();
        names.visit_fields(&item.fields);
        self.add(&item.ident, &item.attrs, names.0);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let mut names = TypeNames::default();
        item.variants.iter().for_each(|variant| names.visit_fields(&variant.fields));
        self.add(&item.ident, &item.attrs, names.0);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        let mut names = TypeNames::default();
        names.visit_type(&item.ty);
        self.add(&item.ident, &item.attrs, names.0);
    }
}

/// The names of the types in a field.
#[derive(Default)]
struct TypeNames(Vec<String>);

impl<'ast> Visit<'ast> for TypeNames {
    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        // An ID is a text. Its parameter is not part of the document.
        if segment.ident != "Id" {
            self.0.push(segment.ident.to_string());
            syn::visit::visit_path_segment(self, segment);
        }
    }
}

/// A new document type needs a row, so that it is tested.
#[test]
fn every_deserialized_type_has_a_row_or_is_part_of_one() {
    let types = Types::read();
    assert!(types.deserialized.len() > 50, "{}", types.deserialized.len());
    let mut reached = Vec::new();
    for row in rows() {
        assert!(types.fields.contains_key(row.name()), "{}", row.name());
        types.reach(row.name(), &mut reached);
    }
    let missing: Vec<&String> = types
        .deserialized
        .iter()
        .filter(|name| !reached.contains(name) && !ARGUMENTS.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "add a row for {missing:?}");
    for argument in ARGUMENTS {
        assert!(types.deserialized.iter().any(|name| name == argument), "{argument}");
        assert!(!reached.iter().any(|name| name == argument), "{argument} is part of a document");
    }
    // A type that only an ID names is not reached.
    let mut of_channel = Vec::new();
    types.reach("channels::Channel", &mut of_channel);
    assert_eq!(of_channel, ["channels::Channel"]);
}
