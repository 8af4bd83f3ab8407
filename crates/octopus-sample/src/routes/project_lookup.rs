//! Looks up the project of a path.

use super::super::call::Call;
use super::super::database::Item;
use super::super::response::ApiError;
use super::missing;

/// Returns the project with an ID or slug.
pub(super) fn find<'a>(call: &Call<'a>, id_or_slug: &str) -> Result<&'a Item, ApiError> {
    call.database.projects.find_in(call.space_id(), id_or_slug).ok_or_else(|| missing(id_or_slug))
}
