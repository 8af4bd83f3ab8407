//! What IDs, paths and documents say of what a call touches.

use serde_json::{Map, Value};

use super::{Kind, MOST, Thing, Touches, place};
use crate::octopus::{Path, belongs};

impl Touches {
    /// Writes down whatever this ID says.
    pub fn add_id(&mut self, id: &str) {
        let id = id.trim();
        if let Some(kind) = Kind::of(id) {
            self.add(kind, Thing::with_id(id));
        } else if place(id).is_some() {
            if self.between.len() < MOST {
                self.between.insert(id.to_owned());
            }
        } else if let Some((kind, rest)) = id.split_once('-')
            && ["variableset", "deploymentprocess", "deploymentsettings", "RunbookProcess"]
                .iter()
                .any(|owned| owned.eq_ignore_ascii_case(kind))
        {
            // The ID of what a thing has for itself alone: `variableset-Projects-1-s-0-S6LJL`.
            let owner: Vec<&str> = rest.splitn(3, '-').take(2).collect();
            self.add_id(&owner.join("-"));
        }
    }

    /// Writes down what an ID under this key says. Where the key does not tell the kind of an ID that
    /// does not read, it may lead anywhere.
    pub fn add_owner(&mut self, key: &str, id: &str) {
        let id = id.trim();
        match Kind::of_key(key) {
            Some(kind) => self.add(kind, Thing::with_id(id)),
            None if place(id).is_none() && !id.is_empty() && belongs::leads(key) => {
                let reason = format!("'{id}' is no ID of Octopus");
                self.add_unnamed([Kind::Project, Kind::Environment, Kind::Tenant], reason);
            }
            None => self.add_id(id),
        }
    }

    /// One of the things between that was not read yet.
    pub(in crate::octopus) fn next(&self) -> Option<String> {
        self.between.iter().find(|id| !self.read.contains(*id)).cloned()
    }

    /// Returns the things between that were not read yet.
    pub(in crate::octopus) fn open(&self) -> Vec<String> {
        self.between.difference(&self.read).cloned().collect()
    }

    /// Whether anything between is yet to be read.
    pub fn is_open(&self) -> bool {
        self.next().is_some()
    }

    /// Says that nothing more is to be had of a thing between.
    pub(in crate::octopus) fn done(&mut self, id: &str) {
        self.read.insert(id.to_owned());
    }

    /// Writes down what the path of a request says.
    pub(in crate::octopus) fn add_path(&mut self, path: &Path) {
        path.segments().iter().for_each(|segment| self.add_id(segment));
    }

    /// Writes down what a document says: what it is, and where it belongs.
    pub fn add_document(&mut self, document: &Map<String, Value>) {
        let text = |key: &str| document.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let texts = |key: &str| {
            let texts = document.get(key)?.as_array()?.iter();
            Some(texts.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        let id = text("Id").unwrap_or_default();
        if let Some(kind) = Kind::of(id) {
            let tags = match kind {
                Kind::Tenant => texts("TenantTags"),
                Kind::Environment => Some(texts("EnvironmentTags").unwrap_or_default()),
                _ => None,
            };
            let [name, slug, group] = ["Name", "Slug", "ProjectGroupId"].map(&text);
            let [name, slug, group] = [name, slug, group].map(|text| text.map(str::to_owned));
            let id = id.to_owned();
            self.add(kind, Thing { id, name, slug, tags, group, group_name: None });
        } else if place(id).is_some() {
            self.between.insert(id.to_owned());
            self.done(id);
        }
        // A deployment or run says where it belongs: its task and its release add nothing.
        let is_complete = matches!(place(id), Some("deployments" | "runbookRuns"))
            && [text("ProjectId"), text("EnvironmentId")].iter().all(Option::is_some);
        for (key, value) in document.iter().filter(|(key, _)| belongs::says_where(key)) {
            if !is_complete || Kind::of_key(key).is_some() {
                belongs::ids(value).for_each(|id| self.add_owner(key, id));
            }
        }
        if place(id) == Some("tasks") {
            let unnamed = belongs::unnamed_by_task(document);
            if !unnamed.is_empty() {
                let kinds = unnamed.iter().map(|kind| kind.collection()).collect::<Vec<_>>();
                let reason = format!(
                    "the task '{id}' names no {}, so it may reach any",
                    kinds.join(" and no ")
                );
                self.add_unnamed(unnamed, reason);
            }
        }
        for key in ["Task", "Arguments"] {
            if let Some(Value::Object(inner)) = document.get(key) {
                self.add_document(inner);
            }
        }
    }
}
