//! What was done not long ago: so that a call that comes twice is done once.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use moka::{
    ops::compute::{CompResult, Op},
    sync::Cache,
};

use crate::octopus::{Answer, Error};

/// How long a deed is remembered: longer than a question is good for.
const KEPT: Duration = Duration::from_mins(15);
/// How many bytes of answers are remembered, for all callers.
const KEPT_BYTES: u64 = 64 * 1024 * 1024;
/// What a deed takes beside its answer.
const DEED_BYTES: u32 = 1024;
/// How many callers' last deeds are known.
const CALLERS: u64 = 10_000;
/// How long after its end a call that nobody was asked about counts as the same one: as long as a
/// client takes to give up and call again.
const AGAIN: Duration = Duration::from_mins(1);

/// A digest that names something.
pub(super) type Key = [u8; 32];

/// What a deed is remembered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// The key that the caller chose.
    Given(Key),
    /// The question that was answered with yes.
    Asked(Key),
    /// The call itself. People make the same change again, so this counts for a moment, and only
    /// until they make another.
    Call(Key),
}

/// What was done not long ago.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    deeds: Cache<Key, Arc<Deed>>,
    /// The last deed of each caller at each instance.
    last: Cache<Key, Key>,
    count: Arc<AtomicU64>,
}

/// One thing that was done, or is being done.
pub(super) struct Deed {
    number: u64,
    /// What it was done with.
    pub(super) arguments: Key,
    ended: Arc<OnceLock<Ended>>,
    result: Shared<BoxFuture<'static, Result<Answer, Error>>>,
}

/// How a deed ended.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at: Instant,
    /// How large the answer was.
    bytes: u32,
}

/// That a name stands for another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OtherCall;

impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deed {}", self.number)
    }
}

impl Ledger {
    pub(super) fn new() -> Self {
        let deeds = Cache::builder()
            .max_capacity(KEPT_BYTES)
            .weigher(|_, deed: &Arc<Deed>| deed.weight())
            .time_to_live(KEPT)
            .build();
        let last = Cache::builder().max_capacity(CALLERS).time_to_live(KEPT).build();
        Self { deeds, last, count: Arc::default() }
    }

    /// The deed with this name, where it counts.
    pub(super) fn find(&self, whose: &Key, name: Name) -> Option<Arc<Deed>> {
        self.deeds.get(name.key()).filter(|deed| self.counts(whose, name, deed))
    }

    fn counts(&self, whose: &Key, name: Name, deed: &Deed) -> bool {
        let Name::Call(key) = name else { return true };
        match deed.ended.get() {
            None => true,
            Some(ended) => ended.at.elapsed() < AGAIN && self.last.get(whose) == Some(key),
        }
    }

    /// Does it, unless it was done or is being done; and whether it was. It goes on when nobody
    /// waits for it any more: half a change is worse than one whose answer nobody reads.
    pub(super) async fn once(
        &self,
        whose: Key,
        name: Name,
        arguments: Key,
        work: impl Future<Output = Result<Answer, Error>> + Send + 'static,
    ) -> Result<(Result<Answer, Error>, bool), OtherCall> {
        let mut first = false;
        let entry = self.deeds.entry(*name.key()).and_compute_with(|known| match known {
            Some(known) if self.counts(&whose, name, known.value()) => Op::Nop,
            _ => {
                first = true;
                Op::Put(self.begin(name, arguments, work))
            }
        });
        let (CompResult::Inserted(entry)
        | CompResult::ReplacedWith(entry)
        | CompResult::Unchanged(entry)) = entry
        else {
            return Err(OtherCall);
        };
        let deed = entry.into_value();
        if first {
            self.last.insert(whose, *name.key());
        } else if deed.arguments != arguments {
            return Err(OtherCall);
        }
        Ok((deed.result().await, !first))
    }

    fn begin(
        &self,
        name: Name,
        arguments: Key,
        work: impl Future<Output = Result<Answer, Error>> + Send + 'static,
    ) -> Arc<Deed> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let ended = Arc::new(OnceLock::new());
        let (deeds, end) = (self.deeds.clone(), Arc::clone(&ended));
        let task = tokio::spawn(async move {
            let result = work.await;
            let bytes = result.as_ref().map_or(0, |answer| answer.body.len());
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let _ = end.set(Ended { at: Instant::now(), bytes });
            let refused = result.as_ref().is_err_and(Error::is_refusal);
            deeds.entry(*name.key()).and_compute_with(|known| match known {
                Some(known) if known.value().number != number => Op::Nop,
                // Octopus did nothing, so the next try is a first one.
                Some(_) if refused => Op::Remove,
                // Now it is known how much it weighs.
                Some(known) => Op::Put(known.into_value()),
                None => Op::Nop,
            });
            result
        });
        let result = task.map(|ended| match ended {
            Ok(result) => result,
            Err(error) => Err(Error::Unexpected { reason: error.to_string() }),
        });
        Arc::new(Deed { number, arguments, ended, result: result.boxed().shared() })
    }
}

impl Name {
    fn key(&self) -> &Key {
        match self {
            Self::Given(key) | Self::Asked(key) | Self::Call(key) => key,
        }
    }
}

impl Deed {
    fn weight(&self) -> u32 {
        self.ended.get().map_or(0, |ended| ended.bytes).saturating_add(DEED_BYTES)
    }

    pub(super) async fn result(&self) -> Result<Answer, Error> {
        self.result.clone().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    const ME: Key = [9; 32];

    fn answer() -> Answer {
        Answer { content_type: "application/json".to_owned(), body: bytes::Bytes::new() }
    }

    async fn done(ledger: &Ledger, name: Name) -> Result<bool, OtherCall> {
        let (result, repeated) = ledger.once(ME, name, *name.key(), async { Ok(answer()) }).await?;
        assert!(result.is_ok());
        Ok(repeated)
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
        let name = Name::Asked([1; 32]);
        let first = work(Arc::clone(&count));
        {
            // Whoever called gives up as soon as the work has begun.
            let call = ledger.once(ME, name, [0; 32], first);
            tokio::select! { biased; _ = started => {}, _ = call => {} }
        }
        let again = ledger.once(ME, name, [0; 32], work(Arc::clone(&count))).await;
        assert!(again.unwrap().1);
        let other = ledger.once(ME, name, [5; 32], work(Arc::clone(&count))).await;
        assert_eq!(other.unwrap_err(), OtherCall);
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_octopus_refused_may_be_tried_again_and_what_may_have_happened_may_not() {
        let ledger = Ledger::new();
        let refused = async { Err(Error::Rejected { status: 400, message: "no".to_owned() }) };
        let lost = async { Err(Error::TimedOut { after: KEPT }) };
        let (one, two) = (Name::Given([1; 32]), Name::Given([2; 32]));
        assert!(ledger.once(ME, one, [1; 32], refused).await.unwrap().0.is_err());
        assert_eq!(done(&ledger, one).await, Ok(false));
        assert!(ledger.once(ME, two, [2; 32], lost).await.unwrap().0.is_err());
        let again = ledger.once(ME, two, [2; 32], async { Ok(answer()) }).await.unwrap();
        assert!(again.0.is_err() && again.1);
    }

    #[tokio::test]
    async fn large_answers_are_not_kept_without_end() {
        let ledger = Ledger::new();
        let large = bytes::Bytes::from(vec![b'x'; 16 * 1024 * 1024]);
        for number in 0..10 {
            let body = large.clone();
            let work = async { Ok(Answer { body, ..answer() }) };
            let name = Name::Asked([number; 32]);
            assert!(ledger.once(ME, name, [0; 32], work).await.unwrap().0.is_ok());
        }
        ledger.deeds.run_pending_tasks();
        assert!(ledger.deeds.weighted_size() <= KEPT_BYTES);
        assert!(ledger.deeds.entry_count() <= 4);
    }

    /// On, off and on again are three changes, although nobody was asked about any of them.
    #[tokio::test]
    async fn a_call_is_the_same_until_its_caller_makes_another() {
        let ledger = Ledger::new();
        let (on, off) = (Name::Call([1; 32]), Name::Call([2; 32]));
        assert_eq!(done(&ledger, on).await, Ok(false));
        assert_eq!(done(&ledger, on).await, Ok(true));
        assert_eq!(done(&ledger, off).await, Ok(false));
        assert_eq!(done(&ledger, on).await, Ok(false));
    }
}
