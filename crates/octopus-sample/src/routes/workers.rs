//! Workers and their pools.

use super::super::call::Call;
use super::super::database::Item;
use super::super::page::{Pages, all};
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::{machines, missing};

const PAGES: Pages = Pages::of(
    "Worker",
    "skip,take,name,ids,partialName,isDisabled,healthStatuses,commStyles,workerPoolIds,\
     thumbprint,shellNames",
);
const POOLS: Pages = Pages::of("WorkerPool", "skip,ids,take,partialName");
const OF_POOL: Pages =
    Pages::of("Worker", "skip,take,partialName,isDisabled,healthStatuses,commStyles,shellNames");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("WorkerView")?;
    match path {
        [] => Ok(PAGES.page(call, matching(call))),
        ["all"] => Ok(all(call.database.workers.of_space(call.space_id()))),
        [id] => {
            let worker = call.database.workers.find_in(call.space_id(), id);
            Ok(ApiResponse::json(worker.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(ApiError::NoRoute),
    }
}

pub(super) fn pools(call: &Call<'_>, path: &[&str]) -> ApiResult {
    call.require("WorkerView")?;
    let pools = call.database.worker_pools.of_space(call.space_id());
    let pools = pools.filter(|pool| call.in_ids(pool) && call.matches_name(pool));
    let one = |id: &str| {
        call.database.worker_pools.find_in(call.space_id(), id).ok_or_else(|| missing(id))
    };
    match path {
        [] => Ok(POOLS.page(call, pools)),
        ["all"] => Ok(all(pools)),
        [id] => Ok(ApiResponse::json(one(id)?.json.to_string())),
        [id, "workers"] => {
            let pool = one(id)?;
            let is_inside =
                |worker: &&Item| worker.texts("WorkerPoolIds").any(|other| other == pool.id);
            Ok(OF_POOL.page(call, matching(call).filter(is_inside)))
        }
        _ => Err(ApiError::NoRoute),
    }
}

fn matching<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Item> {
    let workers = call.database.workers.of_space(call.space_id());
    workers.filter(|worker| {
        machines::common(call, worker) && call.any_of("workerPoolIds", worker, "WorkerPoolIds")
    })
}
