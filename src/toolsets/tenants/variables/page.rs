//! Builds a page of a tenant's variables within a size limit.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::TenantVariable;
use crate::{
    octopus::PageRange,
    text::step_counter,
    tool::{Context, Error},
    toolsets::tenants::variable_type::VariableType,
};

/// A page of a tenant's variables.
#[derive(Debug, Default)]
pub(in crate::toolsets::tenants) struct VariablesPage {
    /// Variables with a value, from the requested position.
    pub(in crate::toolsets::tenants) with_value: Vec<TenantVariable>,
    /// Total number of variables with a value.
    pub(in crate::toolsets::tenants) total: usize,
    /// Variables without a value.
    pub(in crate::toolsets::tenants) missing: Vec<TenantVariable>,
    /// Number of omitted variables without a value.
    pub(in crate::toolsets::tenants) missing_omitted: usize,
}

impl VariablesPage {
    /// Removes variables of projects or environments that the policy denies to read. Returns their
    /// number.
    ///
    /// # Errors
    ///
    /// The errors of [`Context::readable_documents`].
    pub(in crate::toolsets::tenants) async fn remove_denied(
        &mut self,
        cx: &Context,
    ) -> Result<usize, Error> {
        let all = self.with_value.iter().chain(&self.missing);
        let mut readable = cx
            .readable_documents(&Arc::new(all.map(TenantVariable::owner_fields).collect()))
            .await?
            .into_iter();
        let before = self.with_value.len() + self.missing.len();
        self.with_value.retain(|_| readable.next() == Some(true));
        self.missing.retain(|_| readable.next() == Some(true));
        Ok(before - self.with_value.len() - self.missing.len())
    }
}

/// The requested variables of a [`VariablesPage`].
///
/// Variables are counted first and created only for the page, because copies of values would
/// multiply by environments and templates.
#[derive(Debug, Clone, Copy)]
pub(in crate::toolsets::tenants) struct PageRequest {
    pub(in crate::toolsets::tenants) window: PageRange,
    pub(in crate::toolsets::tenants) variable_type: VariableType,
    pub(in crate::toolsets::tenants) missing: bool,
}

/// Maximum bytes of each list of variables. The last variable may exceed it.
pub(super) const MAX_PAGE_BYTES: usize = 256 * 1024;
/// Maximum number of variables without a value.
pub(super) const MAX_MISSING: usize = 1_000;

/// Builds a [`VariablesPage`].
pub(super) struct PageBuilder {
    requested: PageRequest,
    pub(super) part: VariablesPage,
    with_value_bytes: usize,
    missing_bytes: usize,
}

impl PageBuilder {
    pub(super) fn new(requested: PageRequest) -> Self {
        Self { requested, part: VariablesPage::default(), with_value_bytes: 0, missing_bytes: 0 }
    }

    /// Counts a variable with a value, and creates it if it is on the page.
    pub(super) fn add_with_value(&mut self, make: impl FnOnce() -> TenantVariable) {
        let PageRange { skip, take } = self.requested.window;
        let place = self.part.total;
        self.part.total += 1;
        let is_on_page = place >= skip as usize && self.part.with_value.len() < take as usize;
        if is_on_page && self.with_value_bytes < MAX_PAGE_BYTES {
            let variable = make();
            self.with_value_bytes += variable.size();
            self.part.with_value.push(variable);
        }
    }

    /// Counts a variable without a value, and creates it if the limits allow.
    pub(super) fn add_missing(&mut self, make: impl FnOnce() -> TenantVariable) {
        if !self.requested.missing {
            return;
        }
        if self.part.missing.len() < MAX_MISSING && self.missing_bytes < MAX_PAGE_BYTES {
            let variable = make();
            self.missing_bytes += variable.size();
            self.part.missing.push(variable);
        } else {
            self.part.missing_omitted += 1;
        }
    }
}

/// Returns the project and environments of a value as fields of an Octopus document, for policy
/// rules.
pub(in crate::toolsets::tenants) fn owner_fields<'a>(
    project: Option<&str>,
    environments: impl IntoIterator<Item = &'a str>,
) -> Map<String, Value> {
    let environments: Vec<&str> = environments.into_iter().collect();
    [("ProjectId", Value::from(project)), ("EnvironmentIds", Value::from(environments))]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

impl TenantVariable {
    /// Returns the fields that name the owners of the variable.
    fn owner_fields(&self) -> Map<String, Value> {
        owner_fields(
            self.project_id.as_deref(),
            self.environments.iter().map(|one| one.id.as_str()),
        )
    }

    /// Returns the approximate size in memory, in bytes.
    fn size(&self) -> usize {
        let texts = [
            &self.name,
            &self.label,
            &self.template_id,
            &self.project_id,
            &self.project_name,
            &self.library_variable_set_id,
            &self.library_variable_set_name,
        ];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        let values = [&self.value, &self.default_value].into_iter().flatten();
        let values: usize = values.map(|value| value.to_string().len()).sum();
        let environments: usize = self.environments.iter().map(|one| one.id.len() + 32).sum();
        let size = size_of::<Self>() + texts + values + environments;
        step_counter::add(size);
        size
    }
}
