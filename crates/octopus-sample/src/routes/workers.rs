//! Workers and their pools.

use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::page::{Pages, all};
use super::super::world::Item;
use super::{machines, missing};

const PAGES: Pages = Pages::of(
    "Worker",
    "skip,take,name,ids,partialName,isDisabled,healthStatuses,commStyles,workerPoolIds,\
     thumbprint,shellNames",
);
const POOLS: Pages = Pages::of("WorkerPool", "skip,ids,take,partialName");
const OF_POOL: Pages =
    Pages::of("Worker", "skip,take,partialName,isDisabled,healthStatuses,commStyles,shellNames");

pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("WorkerView")?;
    match path {
        [] => Ok(PAGES.page(call, matching(call))),
        ["all"] => Ok(all(call.world.workers.of_space(call.space_id()))),
        [id] => {
            let worker = call.world.workers.find_in(call.space_id(), id);
            Ok(Answer::json(worker.ok_or_else(|| missing(id))?.json.to_string()))
        }
        _ => Err(Refusal::NoRoute),
    }
}

pub(super) fn pools(call: &Call<'_>, path: &[&str]) -> Answered {
    call.need("WorkerView")?;
    let pools = call.world.worker_pools.of_space(call.space_id());
    let pools = pools.filter(|pool| call.among_ids(pool) && call.named(pool));
    let one =
        |id: &str| call.world.worker_pools.find_in(call.space_id(), id).ok_or_else(|| missing(id));
    match path {
        [] => Ok(POOLS.page(call, pools)),
        ["all"] => Ok(all(pools)),
        [id] => Ok(Answer::json(one(id)?.json.to_string())),
        [id, "workers"] => {
            let pool = one(id)?;
            let is_inside =
                |worker: &&Item| worker.texts("WorkerPoolIds").any(|other| other == pool.id);
            Ok(OF_POOL.page(call, matching(call).filter(is_inside)))
        }
        _ => Err(Refusal::NoRoute),
    }
}

fn matching<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Item> {
    let workers = call.world.workers.of_space(call.space_id());
    workers.filter(|worker| {
        machines::common(call, worker) && call.meets("workerPoolIds", worker, "WorkerPoolIds")
    })
}
