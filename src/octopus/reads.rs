//! Reads that are under way: a caller who asks for the same thing again meanwhile gets the same
//! answer.
//!
//! Nothing is kept once the answer is here. A cache with single flight, such as moka's, would keep
//! large answers for a while and begin anew where the first caller gives up; a shared future goes
//! on for as long as anybody waits for it.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

use super::{Answer, Error, Fingerprint};
use crate::telemetry::Metrics;

type Come = Result<Answer, Error>;
/// Whose session, and the path and query.
type Key = (Fingerprint, String);

/// Which limit of size a read has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// `response_limit`: documents of which named fields are read.
    Response,
    /// `execute_limit`: documents of any form.
    Execute,
}

/// The reads of all callers that are under way, each found by its own caller alone.
#[derive(Clone, Default)]
pub(super) struct Reads(Arc<Inner>);

#[derive(Default)]
struct Inner {
    under_way: Mutex<HashMap<Key, Known>>,
    count: AtomicU64,
    metrics: Metrics,
}

struct Known {
    number: u64,
    read: WeakShared<BoxFuture<'static, Come>>,
}

/// Takes a read out of the table when it ends, in whatever way.
struct Leave {
    reads: Reads,
    key: Key,
    number: u64,
}

/// How many are known at once. What is beyond is read by itself.
const KNOWN: usize = 10_000;

impl Reads {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self(Arc::new(Inner { metrics: metrics.clone(), ..Inner::default() }))
    }

    /// Joins the same read of the same caller, or begins it.
    pub(super) async fn share(
        &self,
        whose: Fingerprint,
        path: String,
        read: BoxFuture<'static, Come>,
    ) -> Come {
        let shared = self.join((whose, path), read);
        shared.await
    }

    fn join(&self, key: Key, read: BoxFuture<'static, Come>) -> Shared<BoxFuture<'static, Come>> {
        let number = self.0.count.fetch_add(1, Ordering::Relaxed);
        let leave = Leave { reads: self.clone(), key: key.clone(), number };
        let mut under_way = self.locked();
        let joined = under_way.get(&key).and_then(|known| known.read.upgrade());
        self.0.metrics.looked_up("reads", joined.is_some());
        if let Some(shared) = joined {
            drop(under_way);
            return shared;
        }
        let read = async move {
            let _leave = leave;
            read.await
        };
        let shared = read.boxed().shared();
        if under_way.len() < KNOWN
            && let Some(read) = shared.downgrade()
        {
            under_way.insert(key, Known { number, read });
        }
        shared
    }

    /// Lets nobody join what a caller reads now: they have changed something since.
    pub(super) fn forget(&self, whose: Fingerprint) {
        self.locked().retain(|(other, _), _| *other != whose);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Key, Known>> {
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        let mut under_way = self.reads.locked();
        if under_way.get(&self.key).is_some_and(|known| known.number == self.number) {
            under_way.remove(&self.key);
        }
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} reads", self.locked().len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::oneshot;

    use super::*;

    fn me() -> Fingerprint {
        Fingerprint::of([b"me".as_slice()])
    }

    fn answer() -> Answer {
        Answer { content_type: String::new(), body: bytes::Bytes::new() }
    }

    /// A read that is counted when it begins and ends when it is let.
    fn read(
        begun: &Arc<AtomicUsize>,
        come: Come,
    ) -> (oneshot::Sender<()>, BoxFuture<'static, Come>) {
        let (end, ended) = oneshot::channel::<()>();
        let begun = Arc::clone(begun);
        let read = async move {
            begun.fetch_add(1, Ordering::SeqCst);
            let _ = ended.await;
            come
        };
        (end, read.boxed())
    }

    #[tokio::test]
    async fn the_same_read_of_the_same_caller_is_sent_once_and_kept_by_nobody() {
        let (reads, begun) = (Reads::default(), Arc::new(AtomicUsize::new(0)));
        for come in [Ok(answer()), Err(Error::TooLarge { limit: 1 })] {
            let before = begun.load(Ordering::SeqCst);
            let (end, first) = read(&begun, come.clone());
            let first = reads.share(me(), "/a".to_owned(), first);
            let second = reads.share(me(), "/a".to_owned(), read(&begun, Ok(answer())).1);
            let (first, second, ()) = tokio::join!(first, second, async {
                end.send(()).unwrap();
            });
            assert_eq!(first.is_ok(), come.is_ok());
            assert_eq!(first.is_ok(), second.is_ok(), "what went wrong is shared as well");
            assert_eq!(begun.load(Ordering::SeqCst), before + 1);
            assert!(reads.locked().is_empty());
        }
    }

    #[tokio::test]
    async fn another_caller_and_another_path_are_read_for_themselves() {
        let (reads, begun) = (Reads::default(), Arc::new(AtomicUsize::new(0)));
        let other = Fingerprint::of([b"other".as_slice()]);
        let mut all = Vec::new();
        let mut ends = Vec::new();
        for (whose, path) in [(me(), "/a"), (other, "/a"), (me(), "/a?b")] {
            let (end, read) = read(&begun, Ok(answer()));
            ends.push(end);
            all.push(reads.join((whose, path.to_owned()), read));
        }
        drop(ends);
        futures::future::join_all(all).await;
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn whoever_asked_first_may_give_up_and_the_others_get_their_answer() {
        let (reads, begun) = (Reads::default(), Arc::new(AtomicUsize::new(0)));
        let (end, read_once) = read(&begun, Ok(answer()));
        let mut first = Box::pin(reads.share(me(), "/a".to_owned(), read_once));
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = Box::pin(reads.share(me(), "/a".to_owned(), read(&begun, Ok(answer())).1));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        end.send(()).unwrap();
        assert!(second.await.is_ok());
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        // Where all give up, nothing goes on and nothing is left.
        let (end, alone) = read(&begun, Ok(answer()));
        let mut alone = Box::pin(reads.share(me(), "/a".to_owned(), alone));
        assert!(futures::poll!(&mut alone).is_pending());
        drop(alone);
        assert!(end.is_closed() && reads.locked().is_empty());
    }

    #[tokio::test]
    async fn after_a_change_nobody_joins_a_read_from_before() {
        let (reads, begun) = (Reads::default(), Arc::new(AtomicUsize::new(0)));
        let (end, before) = read(&begun, Ok(answer()));
        let before = reads.join((me(), "/a".to_owned()), before);
        reads.forget(me());
        let (end_after, after) = read(&begun, Ok(answer()));
        let after = reads.join((me(), "/a".to_owned()), after);
        drop((end, end_after));
        let (before, after) = tokio::join!(before, after);
        assert!(before.is_ok() && after.is_ok());
        assert_eq!(begun.load(Ordering::SeqCst), 2);
        assert!(reads.locked().is_empty());
    }
}
