//! Limits the concurrent requests to an instance.
//!
//! A sender is unproven until the instance accepts its credential. Unproven senders share half of
//! the permits, and at most [`MAX_WAITING`] of their requests wait. So invented credentials can
//! occupy neither the permits of proven senders nor all concurrent requests of this server.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Concurrency limit of one instance.
#[derive(Debug)]
pub(in crate::octopus) struct RequestLimiter {
    total: Arc<Semaphore>,
    /// Streams get half of the permits at most, because they last in proportion to the size of
    /// their log.
    streams: Arc<Semaphore>,
    /// Unproven senders get half of the permits at most.
    unproven: Arc<Semaphore>,
    /// Limits the requests of unproven senders that hold a permit or wait for one.
    unproven_queue: Arc<Semaphore>,
    /// Readers that wait for memory: they keep their connection but release their permit.
    parked: Arc<Semaphore>,
    max_wait: Duration,
}

/// Maximum number of waiting requests of unproven senders. After a start all senders are unproven,
/// so it is far more than a few clients send at once, and far less than
/// `limits.concurrent_requests`.
const MAX_WAITING: usize = 128;

/// Maximum number of parked readers for each permit of an instance. Their connections are open, so
/// file descriptors are reserved for them (`app/connections.rs`).
pub const PARKED_PER_PERMIT: usize = 2;

/// Permission for one concurrent request. Dropping it releases it.
#[derive(Debug)]
pub(in crate::octopus) struct RequestPermit {
    _all: OwnedSemaphorePermit,
    _streams: Option<OwnedSemaphorePermit>,
    _unproven: Option<[OwnedSemaphorePermit; 2]>,
}

/// Duration for which a request holds its permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::octopus) enum TransferMode {
    /// Until its body is read completely.
    Buffered,
    /// Until the stream ends or is dropped.
    Stream,
}

/// Reason why a request got no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::octopus) enum LimitError {
    /// No permit was released in time.
    TimedOut,
    /// Too many requests of unproven senders are waiting.
    QueueFull,
}

impl RequestLimiter {
    /// Creates a limit of `permits` concurrent requests. Streams and unproven senders get at most
    /// half of them each. A request waits at most `max_wait` for a permit.
    pub(in crate::octopus) fn new(permits: u32, max_wait: Duration) -> Self {
        let permits = (permits.max(1) as usize).min(Semaphore::MAX_PERMITS);
        let half = (permits / 2).max(1);
        Self {
            total: Arc::new(Semaphore::new(permits)),
            streams: Arc::new(Semaphore::new(half)),
            unproven: Arc::new(Semaphore::new(half)),
            unproven_queue: Arc::new(Semaphore::new(half + MAX_WAITING)),
            parked: Arc::new(Semaphore::new(permits.saturating_mul(PARKED_PER_PERMIT))),
            max_wait,
        }
    }

    /// Waits for a permit, in the order of the calls (FIFO).
    pub(in crate::octopus) async fn acquire(
        &self,
        kind: TransferMode,
        is_proven: bool,
    ) -> Result<RequestPermit, LimitError> {
        let queued = if is_proven {
            None
        } else {
            let queue = Arc::clone(&self.unproven_queue);
            Some(queue.try_acquire_owned().map_err(|_| LimitError::QueueFull)?)
        };
        let take = async {
            let of_unproven = match queued {
                None => None,
                Some(queued) => {
                    Some([queued, Arc::clone(&self.unproven).acquire_owned().await.ok()?])
                }
            };
            let of_streams = match kind {
                TransferMode::Buffered => None,
                TransferMode::Stream => Some(Arc::clone(&self.streams).acquire_owned().await.ok()?),
            };
            let of_all = Arc::clone(&self.total).acquire_owned().await.ok()?;
            Some(RequestPermit { _all: of_all, _streams: of_streams, _unproven: of_unproven })
        };
        timeout(self.max_wait, take).await.ok().flatten().ok_or(LimitError::TimedOut)
    }

    /// Releases the permit while its reader waits for memory. The reader keeps its connection, so
    /// at most [`PARKED_PER_PERMIT`] readers per permit can do this: more connections would need
    /// more file descriptors than `app/connections.rs` reserves. Further readers keep their permit.
    pub(in crate::octopus) fn park(&self, permit: RequestPermit) -> RequestPermit {
        match Arc::clone(&self.parked).try_acquire_owned() {
            Ok(aside) => RequestPermit { _all: aside, _streams: None, _unproven: None },
            Err(_) => permit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn released_permit_goes_to_the_next_request() {
        let limiter = RequestLimiter::new(1, SOON);
        let first = limiter.acquire(TransferMode::Buffered, true).await.unwrap();
        assert_eq!(
            limiter.acquire(TransferMode::Buffered, true).await.unwrap_err(),
            LimitError::TimedOut
        );
        drop(first);
        assert!(limiter.acquire(TransferMode::Buffered, true).await.is_ok());
    }

    #[tokio::test]
    async fn streams_use_at_most_half_of_the_permits() {
        let limiter = RequestLimiter::new(4, SOON);
        let streams = [
            limiter.acquire(TransferMode::Stream, true).await,
            limiter.acquire(TransferMode::Stream, true).await,
        ];
        assert!(streams.iter().all(Result::is_ok));
        assert!(
            limiter.acquire(TransferMode::Stream, true).await.is_err(),
            "a third stream has to wait"
        );
        assert!(
            limiter.acquire(TransferMode::Buffered, true).await.is_ok(),
            "a small read does not have to wait"
        );
        drop(streams);
        assert!(limiter.acquire(TransferMode::Stream, true).await.is_ok());
    }

    #[tokio::test]
    async fn unproven_senders_use_at_most_half_of_the_permits() {
        let limiter = RequestLimiter::new(4, SOON);
        let held = [
            limiter.acquire(TransferMode::Buffered, false).await,
            limiter.acquire(TransferMode::Buffered, false).await,
        ];
        assert!(held.iter().all(Result::is_ok));
        assert!(
            limiter.acquire(TransferMode::Buffered, false).await.is_err(),
            "a third unproven request has to wait"
        );
        let proven = [
            limiter.acquire(TransferMode::Buffered, true).await,
            limiter.acquire(TransferMode::Stream, true).await,
        ];
        assert!(proven.iter().all(Result::is_ok));
        drop((held, proven));
        assert!(limiter.acquire(TransferMode::Buffered, false).await.is_ok());
    }

    #[tokio::test]
    async fn queue_of_unproven_requests_is_bounded() {
        let limiter = RequestLimiter::new(4, Duration::from_mins(5));
        let held = [
            limiter.acquire(TransferMode::Buffered, false).await,
            limiter.acquire(TransferMode::Buffered, false).await,
        ];
        let take = || Box::pin(limiter.acquire(TransferMode::Buffered, false));
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| take()).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one).is_pending());
        }
        // The next request is rejected immediately.
        assert_eq!(
            limiter.acquire(TransferMode::Buffered, false).await.unwrap_err(),
            LimitError::QueueFull
        );
        assert!(limiter.acquire(TransferMode::Buffered, true).await.is_ok());
        drop((held, waiting));
    }

    #[tokio::test]
    async fn number_of_parked_readers_is_bounded() {
        let limiter = RequestLimiter::new(2, SOON);
        let mut aside = Vec::new();
        for _ in 0..2 * PARKED_PER_PERMIT {
            let permit = limiter.acquire(TransferMode::Buffered, true).await.unwrap();
            aside.push(limiter.park(permit));
        }
        let kept = [(); 2].map(|()| limiter.acquire(TransferMode::Buffered, true));
        let mut kept = futures::future::try_join_all(kept).await.unwrap();
        let last = kept.pop().unwrap();
        kept.push(limiter.park(last));
        assert!(
            limiter.acquire(TransferMode::Buffered, true).await.is_err(),
            "one more reader keeps its permit"
        );
        drop(aside);
        let last = kept.pop().unwrap();
        kept.push(limiter.park(last));
        assert!(limiter.acquire(TransferMode::Buffered, true).await.is_ok());
    }
}
