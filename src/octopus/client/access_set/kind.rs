//! Kinds of resources, recognized by IDs and by keys of documents.

use crate::octopus::client::id_form;

/// Kinds of resources that policy rules match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Spaces.
    Space,
    /// Projects.
    Project,
    /// Environments.
    Environment,
    /// Tenants.
    Tenant,
}

impl ResourceKind {
    pub(in crate::octopus) const ALL: [Self; 4] =
        [Self::Space, Self::Project, Self::Environment, Self::Tenant];

    /// Returns the collection of the kind in paths.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Space => "spaces",
            Self::Project => "projects",
            Self::Environment => "environments",
            Self::Tenant => "tenants",
        }
    }

    /// Returns the kind of the resource with this ID.
    pub(in crate::octopus) fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| id_form::has_prefix(id, kind.collection()))
    }

    /// Returns the kind that a key names by its ending, e.g. `TargetEnvironmentIds`. Letter case
    /// does not matter. Keys for the origin of a cloned document are excluded.
    pub fn of_key(key: &str) -> Option<Self> {
        let key = key.to_ascii_lowercase();
        let word = key.strip_suffix('s').unwrap_or(&key).strip_suffix("id")?;
        let is_other = ["workspace", "namespace"].iter().any(|other| word.contains(other));
        let names = |kind: &Self| {
            kind.collection().strip_suffix('s').is_some_and(|noun| word.ends_with(noun))
        };
        Self::ALL.into_iter().find(names).filter(|_| !is_other && !Self::is_origin(&key))
    }

    /// Returns whether a key names the document that this document was cloned from.
    pub fn is_origin(key: &str) -> bool {
        key.to_ascii_lowercase().starts_with("clonedfrom")
    }
}
