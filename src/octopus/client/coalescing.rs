//! Request coalescing: identical concurrent reads of one caller share one request.
//!
//! Nothing is kept after the response. A cache with single flight, such as moka's, would keep large
//! responses, and would restart the request if the first caller disconnects. A shared future
//! continues while any caller waits for it.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use parking_lot::{Mutex, MutexGuard};

use super::{credentials::Fingerprint, error::Error, response::RawResponse};
use crate::telemetry::Metrics;

type ReadResult = Result<RawResponse, Error>;
/// Fingerprint of the session, and the path and query.
type ReadKey = (Fingerprint, String);

/// Setting that limits the size of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::octopus) enum SizeLimit {
    /// `response_limit`: documents with typed fields.
    Response,
    /// `execute_limit`: documents of any form.
    Execute,
}

/// Shares identical concurrent reads. A read is shared within one caller only.
#[derive(Clone, Default)]
pub(in crate::octopus) struct RequestCoalescer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    in_flight: Mutex<HashMap<ReadKey, InFlightRead>>,
    count: AtomicU64,
    metrics: Metrics,
}

struct InFlightRead {
    number: u64,
    read: WeakShared<BoxFuture<'static, ReadResult>>,
}

/// Removes a read from the table when it ends or is dropped.
struct RemoveOnDrop {
    coalescer: RequestCoalescer,
    key: ReadKey,
    number: u64,
}

/// Maximum number of shared reads. Further reads are not shared.
const MAX_IN_FLIGHT: usize = 10_000;

impl RequestCoalescer {
    pub(in crate::octopus) fn new(metrics: &Metrics) -> Self {
        Self(Arc::new(Inner { metrics: metrics.clone(), ..Inner::default() }))
    }

    /// Joins an identical read of the same caller, or starts it.
    pub(in crate::octopus) async fn run(
        &self,
        fingerprint: Fingerprint,
        path: String,
        read: BoxFuture<'static, ReadResult>,
    ) -> ReadResult {
        let shared = self.join_or_start((fingerprint, path), read);
        shared.await
    }

    fn join_or_start(
        &self,
        key: ReadKey,
        read: BoxFuture<'static, ReadResult>,
    ) -> Shared<BoxFuture<'static, ReadResult>> {
        let number = self.0.count.fetch_add(1, Ordering::Relaxed);
        let guard = RemoveOnDrop { coalescer: self.clone(), key: key.clone(), number };
        let mut in_flight = self.lock();
        let joined = in_flight.get(&key).and_then(|entry| entry.read.upgrade());
        self.0.metrics.record_cache_lookup("reads", joined.is_some());
        if let Some(shared) = joined {
            drop(in_flight);
            return shared;
        }
        let read = async move {
            let _guard = guard;
            read.await
        };
        let shared = read.boxed().shared();
        if in_flight.len() < MAX_IN_FLIGHT
            && let Some(read) = shared.downgrade()
        {
            in_flight.insert(key, InFlightRead { number, read });
        }
        shared
    }

    /// Detaches the caller's in-flight reads, so that no later read joins them. Call this after a
    /// change.
    pub(in crate::octopus) fn invalidate(&self, fingerprint: Fingerprint) {
        self.lock().retain(|(other, _), _| *other != fingerprint);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ReadKey, InFlightRead>> {
        self.0.in_flight.lock()
    }
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        let mut in_flight = self.coalescer.lock();
        if in_flight.get(&self.key).is_some_and(|entry| entry.number == self.number) {
            in_flight.remove(&self.key);
        }
    }
}

impl fmt::Debug for RequestCoalescer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} reads", self.lock().len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::oneshot;

    use super::*;

    fn caller() -> Fingerprint {
        Fingerprint::of([b"me".as_slice()])
    }

    fn response() -> RawResponse {
        RawResponse { content_type: String::new(), body: bytes::Bytes::new() }
    }

    /// Creates a read that counts its start and ends when the sender fires or is dropped.
    fn read(
        started: &Arc<AtomicUsize>,
        result: ReadResult,
    ) -> (oneshot::Sender<()>, BoxFuture<'static, ReadResult>) {
        let (end, ended) = oneshot::channel::<()>();
        let started = Arc::clone(started);
        let read = async move {
            started.fetch_add(1, Ordering::SeqCst);
            let _ = ended.await;
            result
        };
        (end, read.boxed())
    }

    #[tokio::test]
    async fn identical_concurrent_reads_send_one_request() {
        let (reads, started) = (RequestCoalescer::default(), Arc::new(AtomicUsize::new(0)));
        for result in [Ok(response()), Err(Error::TooLarge { limit: 1 })] {
            let before = started.load(Ordering::SeqCst);
            let (end, first) = read(&started, result.clone());
            let first = reads.run(caller(), "/a".to_owned(), first);
            let second = reads.run(caller(), "/a".to_owned(), read(&started, Ok(response())).1);
            let (first, second, ()) = tokio::join!(first, second, async {
                end.send(()).unwrap();
            });
            assert_eq!(first.is_ok(), result.is_ok());
            assert_eq!(first.is_ok(), second.is_ok(), "errors are shared as well");
            assert_eq!(started.load(Ordering::SeqCst), before + 1);
            assert!(reads.lock().is_empty());
        }
    }

    #[tokio::test]
    async fn reads_of_other_callers_and_paths_are_not_shared() {
        let (reads, started) = (RequestCoalescer::default(), Arc::new(AtomicUsize::new(0)));
        let other = Fingerprint::of([b"other".as_slice()]);
        let mut all = Vec::new();
        let mut ends = Vec::new();
        for (fingerprint, path) in [(caller(), "/a"), (other, "/a"), (caller(), "/a?b")] {
            let (end, read) = read(&started, Ok(response()));
            ends.push(end);
            all.push(reads.join_or_start((fingerprint, path.to_owned()), read));
        }
        drop(ends);
        futures::future::join_all(all).await;
        assert_eq!(started.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn shared_read_survives_cancellation_of_its_first_caller() {
        let (reads, started) = (RequestCoalescer::default(), Arc::new(AtomicUsize::new(0)));
        let (end, read_once) = read(&started, Ok(response()));
        let mut first = Box::pin(reads.run(caller(), "/a".to_owned(), read_once));
        assert!(futures::poll!(&mut first).is_pending());
        let mut second =
            Box::pin(reads.run(caller(), "/a".to_owned(), read(&started, Ok(response())).1));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        end.send(()).unwrap();
        assert!(second.await.is_ok());
        assert_eq!(started.load(Ordering::SeqCst), 1);
        // Without any waiting caller, the read is dropped and the table is empty.
        let (end, alone) = read(&started, Ok(response()));
        let mut alone = Box::pin(reads.run(caller(), "/a".to_owned(), alone));
        assert!(futures::poll!(&mut alone).is_pending());
        drop(alone);
        assert!(end.is_closed() && reads.lock().is_empty());
    }

    #[tokio::test]
    async fn reads_after_a_change_do_not_join_earlier_reads() {
        let (reads, started) = (RequestCoalescer::default(), Arc::new(AtomicUsize::new(0)));
        let (end, before) = read(&started, Ok(response()));
        let before = reads.join_or_start((caller(), "/a".to_owned()), before);
        reads.invalidate(caller());
        let (end_after, after) = read(&started, Ok(response()));
        let after = reads.join_or_start((caller(), "/a".to_owned()), after);
        drop((end, end_after));
        let (before, after) = tokio::join!(before, after);
        assert!(before.is_ok() && after.is_ok());
        assert_eq!(started.load(Ordering::SeqCst), 2);
        assert!(reads.lock().is_empty());
    }
}
