//! Extends access sets from IDs, paths and documents.

use serde_json::{Map, Value};

use super::{
    AccessSet, AccessedResource, MAX_PER_KIND,
    kind::ResourceKind,
    owner_keys::{self, collection_of},
};
use crate::octopus::client::path::ApiPath;

impl AccessSet {
    /// Adds the resource with this ID, or the owner that the ID contains.
    pub fn add_id(&mut self, id: &str) {
        let id = id.trim();
        if let Some(kind) = ResourceKind::from_id(id) {
            self.add(kind, AccessedResource::with_id(id));
        } else if collection_of(id).is_some() {
            if self.intermediate.len() < MAX_PER_KIND {
                self.intermediate.insert(id.to_owned());
            }
        } else if let Some((kind, rest)) = id.split_once('-')
            && ["variableset", "deploymentprocess", "deploymentsettings", "RunbookProcess"]
                .iter()
                .any(|owned| owned.eq_ignore_ascii_case(kind))
        {
            // IDs of documents with a single owner contain its ID:
            // `variableset-Projects-1-s-0-S6LJL`.
            let owner: Vec<&str> = rest.splitn(3, '-').take(2).collect();
            self.add_id(&owner.join("-"));
        }
    }

    /// Adds the resource that an ID under this key names. If neither the key nor the form of the ID
    /// determines the kind, the resource may have any owner.
    pub fn add_reference(&mut self, key: &str, id: &str) {
        let id = id.trim();
        match ResourceKind::of_key(key) {
            Some(kind) => self.add(kind, AccessedResource::with_id(id)),
            None if collection_of(id).is_none()
                && !id.is_empty()
                && owner_keys::is_definite_owner_key(key) =>
            {
                let reason = format!("'{id}' is not a known form of Octopus ID");
                self.add_unidentified(
                    [ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant],
                    reason,
                );
            }
            None => self.add_id(id),
        }
    }

    /// Returns an intermediate resource that was not read yet.
    pub(in crate::octopus) fn next_unresolved(&self) -> Option<String> {
        self.intermediate.iter().find(|id| !self.resolved.contains(*id)).cloned()
    }

    /// Returns the intermediate resources that were not read yet.
    pub(in crate::octopus) fn unresolved(&self) -> Vec<String> {
        self.intermediate.difference(&self.resolved).cloned().collect()
    }

    /// Returns whether any intermediate resource was not read yet.
    pub fn has_unresolved(&self) -> bool {
        self.next_unresolved().is_some()
    }

    /// Marks an intermediate resource as read, also if the read failed.
    pub(in crate::octopus) fn mark_resolved(&mut self, id: &str) {
        self.resolved.insert(id.to_owned());
    }

    /// Adds the resources in a request path.
    pub(in crate::octopus) fn add_path(&mut self, path: &ApiPath) {
        path.segments().iter().for_each(|segment| self.add_id(segment));
    }

    /// Adds a document and its owners.
    pub fn add_document(&mut self, document: &Map<String, Value>) {
        let text = |key: &str| document.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let texts = |key: &str| {
            let texts = document.get(key)?.as_array()?.iter();
            Some(texts.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        let id = text("Id").unwrap_or_default();
        if let Some(kind) = ResourceKind::from_id(id) {
            let tags = match kind {
                ResourceKind::Tenant => texts("TenantTags"),
                ResourceKind::Environment => Some(texts("EnvironmentTags").unwrap_or_default()),
                _ => None,
            };
            let [name, slug, group] = ["Name", "Slug", "ProjectGroupId"].map(&text);
            let [name, slug, group] = [name, slug, group].map(|text| text.map(str::to_owned));
            let id = id.to_owned();
            self.add(kind, AccessedResource { id, name, slug, tags, group, group_name: None });
        } else if collection_of(id).is_some() {
            self.intermediate.insert(id.to_owned());
            self.mark_resolved(id);
        }
        // A deployment or run with a project and an environment is complete; its task and its
        // release add nothing.
        let is_complete = matches!(collection_of(id), Some("deployments" | "runbookRuns"))
            && [text("ProjectId"), text("EnvironmentId")].iter().all(Option::is_some);
        for (key, value) in document.iter().filter(|(key, _)| owner_keys::is_owner_key(key)) {
            if !is_complete || ResourceKind::of_key(key).is_some() {
                owner_keys::ids_in(value).for_each(|id| self.add_reference(key, id));
            }
        }
        if collection_of(id) == Some("tasks") {
            let unnamed = owner_keys::unrestricted_kinds(document);
            if !unnamed.is_empty() {
                let kinds = unnamed.iter().map(|kind| kind.collection()).collect::<Vec<_>>();
                let reason = format!(
                    "the task '{id}' specifies no {}, so it may affect any",
                    kinds.join(" and no ")
                );
                self.add_unidentified(unnamed, reason);
            }
        }
        for key in ["Task", "Arguments"] {
            if let Some(Value::Object(inner)) = document.get(key) {
                self.add_document(inner);
            }
        }
    }
}
