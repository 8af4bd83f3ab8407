//! Subresources of environments.

use super::super::call::Call;
use super::super::response::{ApiError, ApiResult};
use super::{machines, missing};

/// Answers `/environments/{id}/machines`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let [id, "machines"] = path else { return Err(ApiError::NoRoute) };
    let environment = call.database.environments.find_in(call.space_id(), id);
    machines::of_environment(call, environment.ok_or_else(|| missing(id))?)
}
