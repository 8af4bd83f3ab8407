//! What was done not long ago: so that a call that comes twice is done once.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use moka::sync::Cache;

use crate::octopus::{Answer, Error};

/// How long a deed is remembered: longer than a question is good for.
const KEPT: Duration = Duration::from_mins(15);
/// How many deeds are remembered.
const MOST: u64 = 10_000;

/// Names a deed: whose it is, and what of.
pub(super) type Key = [u8; 32];

/// What was done not long ago.
#[derive(Debug, Clone)]
pub(super) struct Ledger(Cache<Key, Arc<Deed>>);

/// One thing that was done, or is being done.
pub(super) struct Deed {
    /// What it was done with.
    pub(super) arguments: Key,
    result: Shared<BoxFuture<'static, Result<Answer, Error>>>,
}

impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deed")
    }
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(KEPT).build())
    }

    pub(super) fn find(&self, key: &Key) -> Option<Arc<Deed>> {
        self.0.get(key)
    }

    /// Does it, unless it was done or is being done; and whether it was. It goes on when nobody
    /// waits for it any more: half a change is worse than one whose answer nobody reads.
    pub(super) async fn once(
        &self,
        key: Key,
        arguments: Key,
        work: impl Future<Output = Result<Answer, Error>> + Send + 'static,
    ) -> Result<(Answer, bool), Error> {
        let mut first = false;
        let deed = self.0.get_with(key, || {
            first = true;
            let task = tokio::spawn(work).map(|ended| match ended {
                Ok(result) => result,
                Err(error) => Err(Error::Unexpected { reason: error.to_string() }),
            });
            Arc::new(Deed { arguments, result: task.boxed().shared() })
        });
        let result = deed.result().await;
        if result.as_ref().is_err_and(Error::is_refusal) {
            // Octopus did nothing, so the next try is a first one.
            self.0.invalidate(&key);
        }
        result.map(|answer| (answer, !first))
    }
}

impl Deed {
    pub(super) async fn result(&self) -> Result<Answer, Error> {
        self.result.clone().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn answer() -> Answer {
        Answer { content_type: "application/json".to_owned(), body: bytes::Bytes::new() }
    }

    #[tokio::test]
    async fn what_comes_twice_is_done_once_even_when_nobody_waits() {
        let (ledger, count) = (Ledger::new(), Arc::new(AtomicU32::new(0)));
        let (start, started) = tokio::sync::oneshot::channel();
        let mut start = Some(start);
        let mut work = |count: Arc<AtomicU32>| {
            let start = start.take();
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                if let Some(start) = start {
                    let _ = start.send(());
                }
                tokio::task::yield_now().await;
                Ok(answer())
            }
        };
        let first = work(Arc::clone(&count));
        {
            // Whoever called gives up as soon as the work has begun.
            let call = ledger.once([1; 32], [0; 32], first);
            tokio::select! { biased; _ = started => {}, _ = call => {} }
        }
        let (_, repeated) = ledger.once([1; 32], [0; 32], work(Arc::clone(&count))).await.unwrap();
        assert!(repeated);
        let (_, repeated) = ledger.once([2; 32], [0; 32], work(Arc::clone(&count))).await.unwrap();
        assert!(!repeated);
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn what_octopus_refused_may_be_tried_again_and_what_may_have_happened_may_not() {
        let ledger = Ledger::new();
        let refused = || async { Err(Error::Rejected { status: 400, message: "no".to_owned() }) };
        let lost = || async { Err(Error::TimedOut { after: KEPT }) };
        assert!(ledger.once([1; 32], [0; 32], refused()).await.is_err());
        assert!(ledger.once([1; 32], [0; 32], async { Ok(answer()) }).await.is_ok());
        assert!(ledger.once([2; 32], [0; 32], lost()).await.is_err());
        assert!(ledger.once([2; 32], [0; 32], async { Ok(answer()) }).await.is_err());
    }
}
