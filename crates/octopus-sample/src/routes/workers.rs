//! Filters of workers, and the workers of a pool.

use super::super::call::Call;
use super::super::page::Pages;
use super::super::response::{ApiError, ApiResult};
use super::filters::{Filter, matches};
use super::machines::{COMM_STYLES, HEALTH_STATUSES, IS_DISABLED, SHELL_NAMES, THUMBPRINT};
use super::missing;

const OF_POOL: Pages =
    Pages::of("Worker", "skip,take,partialName,isDisabled,healthStatuses,commStyles,shellNames");

/// The parameters in the template link of `/workers`.
pub(super) const PARAMETERS: &str = "skip,take,name,ids,partialName,isDisabled,healthStatuses,\
    commStyles,workerPoolIds,thumbprint,shellNames";

/// The filters of `/workers` and `/workerpools/{id}/workers`.
pub(super) const FILTERS: &[Filter] = &[
    Filter::Ids,
    Filter::Name,
    IS_DISABLED,
    HEALTH_STATUSES,
    COMM_STYLES,
    SHELL_NAMES,
    THUMBPRINT,
    Filter::AnyOf("workerPoolIds", "WorkerPoolIds"),
];

/// Answers `/workerpools/{id}/workers`.
pub(super) fn below_pool(call: &Call<'_>, path: &[&str]) -> ApiResult {
    let [id, "workers"] = path else { return Err(ApiError::NoRoute) };
    let pool = call.database.worker_pools.find_in(call.space_id(), id);
    let pool = pool.ok_or_else(|| missing(id))?;
    let workers = call.database.workers.of_space(call.space_id()).filter(|worker| {
        worker.texts("WorkerPoolIds").any(|other| other == pool.id)
            && matches(FILTERS, call, worker)
    });
    Ok(OF_POOL.page(call, workers))
}
