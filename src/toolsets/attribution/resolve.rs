//! Resolves the names of spaces and other documents to IDs.

use super::{KINDS, Reading};
use crate::{
    octopus::{
        AccessSet, ApiPath, Error as OctopusError, Named, ResourceKind, Space,
        environments::Environment,
        operations::{Parameter, Subject},
        projects::Project,
        spaces,
        tenants::Tenant,
    },
    tool::Error,
};

/// Maximum number of values of one parameter that are resolved. More values make their kinds
/// unknown.
const MAX_VALUES: usize = 300;
/// ID of the default space, unless the default space is disabled.
const DEFAULT_SPACE: &str = "Spaces-1";

impl Reading<'_> {
    /// Enters the space with this ID, slug or name. Returns `None` if the caller cannot see it.
    pub(super) async fn enter(&self, name: &str) -> Result<Option<Space>, Error> {
        match self.cx.session.without_recording().space(name).await {
            Ok(space) => Ok(Some(space)),
            Err(error) if is_unresolved(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Enters the default space, which Octopus uses for paths without a space.
    pub(super) async fn enter_default(&self) -> Result<Option<Space>, Error> {
        let path = ApiPath::new(["spaces", DEFAULT_SPACE]);
        match self.cx.session.without_recording().get::<spaces::SpaceResource>(&path).await {
            Ok(space) if space.is_default => self.enter(DEFAULT_SPACE).await,
            Ok(_) => Ok(None),
            Err(error) if is_unresolved(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Resolves the values of a parameter and adds the documents to the access set.
    ///
    /// Returns their IDs if all values were resolved. Otherwise the kinds of the parameter become
    /// unknown.
    pub(super) async fn resolve(
        &mut self,
        parameter: &Parameter,
        values: &[String],
    ) -> Result<Option<Vec<String>>, Error> {
        let Some(subject) = parameter.subject else {
            for value in values {
                self.access.add_id(value);
            }
            return Ok(None);
        };
        let resolved = if values.len() > MAX_VALUES {
            None
        } else {
            match subject {
                Subject::Space => self.resolve_spaces(values).await?,
                Subject::Project => self.resolve_named::<Project>(values).await?,
                Subject::Environment => self.resolve_named::<Environment>(values).await?,
                Subject::Tenant => self.resolve_named::<Tenant>(values).await?,
                _ => self.resolve_owned(subject, values),
            }
        };
        if resolved.is_none() {
            // Below a known project, a runbook or snapshot can be given by name.
            let known =
                |kind: &ResourceKind| *kind == ResourceKind::Project && self.is_known(*kind);
            let is_called = matches!(subject, Subject::Runbook | Subject::RunbookSnapshot);
            let kinds = subject.determines().iter().copied();
            let unknown: Vec<ResourceKind> =
                kinds.filter(|kind| !(is_called && known(kind))).collect();
            if !unknown.is_empty() {
                self.reasons.push(format!(
                    "the value of `{}` was not found; give the ID of an existing document",
                    parameter.name
                ));
            }
            self.access = std::mem::take(&mut self.access).with_incomplete(unknown);
        }
        Ok(resolved)
    }

    /// Returns whether a document of the kind was resolved and the kind is not unknown.
    fn is_known(&self, kind: ResourceKind) -> bool {
        !self.access.resources(kind).is_empty() && !self.access.is_incomplete(kind)
    }

    async fn resolve_spaces(&mut self, values: &[String]) -> Result<Option<Vec<String>>, Error> {
        let mut ids = Vec::with_capacity(values.len());
        for value in values {
            let Some(space) = self.enter(value).await? else { return Ok(None) };
            space.record_access(&mut self.access);
            ids.push(space.id().to_string());
        }
        Ok(Some(ids))
    }

    async fn resolve_named<R: Named + Clone>(
        &mut self,
        values: &[String],
    ) -> Result<Option<Vec<String>>, Error> {
        let Some(space) = &self.space else { return Ok(None) };
        match space.find_all::<R>(values).await {
            Ok(found) => {
                for document in &found {
                    document.record_access(&mut self.access);
                }
                Ok(Some(found.iter().map(|document| document.id().to_string()).collect()))
            }
            Err(error) if is_unresolved(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds IDs of documents that belong to a project or environment. Their owners are looked up
    /// later.
    fn resolve_owned(&mut self, subject: Subject, values: &[String]) -> Option<Vec<String>> {
        let mut resolved = true;
        for value in values {
            self.access.add_id(value);
            resolved &= match subject {
                Subject::Any => true,
                Subject::Owned => is_known_id(value) || is_library_variable_set(value),
                _ => subject.is_id(value),
            };
        }
        resolved.then(|| values.to_vec())
    }
}

/// Returns whether this is the ID of a library variable set's variables, which belong to no
/// project.
fn is_library_variable_set(id: &str) -> bool {
    id.to_ascii_lowercase().starts_with("variableset-libraryvariablesets-")
}

impl Reading<'_> {
    /// Adds the IDs in the value of an unknown parameter, and marks all kinds as unknown.
    pub(super) fn mark_unexplained(&mut self, value: &str) {
        split_list(value).for_each(|id| self.access.add_id(id));
        self.access = std::mem::take(&mut self.access).with_incomplete(KINDS);
    }
}

/// Splits a text that may be a comma-separated list. Omits empty parts.
pub(in crate::toolsets) fn split_list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Returns whether this is the ID of a space, project, environment or tenant, or of a document that
/// belongs to one.
pub(in crate::toolsets) fn is_known_id(text: &str) -> bool {
    let mut access_set = AccessSet::default();
    access_set.add_id(text);
    access_set != AccessSet::default()
}

/// Returns whether the error is "not found" or "ambiguous", so that no document was resolved for
/// this caller.
pub(in crate::toolsets) fn is_unresolved(error: &OctopusError) -> bool {
    matches!(
        error,
        OctopusError::NotFound { .. }
            | OctopusError::Forbidden { .. }
            | OctopusError::Ambiguous { .. }
            | OctopusError::NameCollision { .. }
            | OctopusError::MalformedId { .. }
    )
}
