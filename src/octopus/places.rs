//! How many requests to an instance may be under way at once.
//!
//! Senders whose credential the instance has not accepted yet share half of the places, and only so many
//! of their requests wait ([`MAX_WAITING`]): invented credentials take neither the places of proven
//! senders nor all requests that this server serves at once.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// The places for requests to one instance.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    /// A stream takes as long as its log is large, so streams never have all places.
    streams: Arc<Semaphore>,
    /// Unproven senders never have all places.
    unproven: Arc<Semaphore>,
    /// How many requests of unproven senders may hold a place or wait for one.
    unproven_queue: Arc<Semaphore>,
    /// Readers that wait for memory: they hold a connection and no place.
    aside: Arc<Semaphore>,
    patience: Duration,
}

/// How many requests of unproven senders wait for a place. After a start all senders are unproven, so it
/// is far more than a few clients send at once, and far less than `limits.concurrent_requests`.
const MAX_WAITING: usize = 128;

/// How many times its places an instance has for readers that wait for memory. Their connections are
/// open, so file descriptors are reserved for them (`app/connections.rs`).
pub const SET_ASIDE: usize = 2;

/// A place among the requests that are under way. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    _all: OwnedSemaphorePermit,
    _streams: Option<OwnedSemaphorePermit>,
    _unproven: Option<[OwnedSemaphorePermit; 2]>,
}

/// How long a request keeps its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Until its answer is here as a whole.
    Whole,
    /// Until the stream ends or its reader drops it.
    Stream,
}

/// Why a request got no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// None came free in time.
    TimedOut,
    /// Too many requests of unproven senders wait already.
    QueueFull,
}

impl Places {
    /// Creates this number of places. Streams get at most half of them, and so do unproven senders. A
    /// request waits for a place for at most `patience`.
    pub(super) fn new(places: u32, patience: Duration) -> Self {
        let places = (places.max(1) as usize).min(Semaphore::MAX_PERMITS);
        let half = (places / 2).max(1);
        Self {
            all: Arc::new(Semaphore::new(places)),
            streams: Arc::new(Semaphore::new(half)),
            unproven: Arc::new(Semaphore::new(half)),
            unproven_queue: Arc::new(Semaphore::new(half + MAX_WAITING)),
            aside: Arc::new(Semaphore::new(places.saturating_mul(SET_ASIDE))),
            patience,
        }
    }

    /// Takes a place, in the order of asking.
    pub(super) async fn take(&self, kind: Kind, is_proven: bool) -> Result<Place, NoPlace> {
        let queued = if is_proven {
            None
        } else {
            let queue = Arc::clone(&self.unproven_queue);
            Some(queue.try_acquire_owned().map_err(|_| NoPlace::QueueFull)?)
        };
        let take = async {
            let of_unproven = match queued {
                None => None,
                Some(queued) => {
                    Some([queued, Arc::clone(&self.unproven).acquire_owned().await.ok()?])
                }
            };
            let of_streams = match kind {
                Kind::Whole => None,
                Kind::Stream => Some(Arc::clone(&self.streams).acquire_owned().await.ok()?),
            };
            let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Place { _all: of_all, _streams: of_streams, _unproven: of_unproven })
        };
        timeout(self.patience, take).await.ok().flatten().ok_or(NoPlace::TimedOut)
    }

    /// Makes a place free for other requests while its reader waits for memory. The reader keeps its
    /// connection, so at most [`SET_ASIDE`] readers for each place do this: with more, the connections
    /// would need more file descriptors than `app/connections.rs` reserves. Others keep their place.
    pub(super) fn set_aside(&self, place: Place) -> Place {
        match Arc::clone(&self.aside).try_acquire_owned() {
            Ok(aside) => Place { _all: aside, _streams: None, _unproven: None },
            Err(_) => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_place_that_is_given_back_is_the_next_ones() {
        let places = Places::new(1, SOON);
        let first = places.take(Kind::Whole, true).await.unwrap();
        assert_eq!(places.take(Kind::Whole, true).await.unwrap_err(), NoPlace::TimedOut);
        drop(first);
        assert!(places.take(Kind::Whole, true).await.is_ok());
    }

    #[tokio::test]
    async fn streams_leave_half_of_the_places_to_small_reads() {
        let places = Places::new(4, SOON);
        let streams =
            [places.take(Kind::Stream, true).await, places.take(Kind::Stream, true).await];
        assert!(streams.iter().all(Result::is_ok));
        assert!(places.take(Kind::Stream, true).await.is_err(), "a third stream waits");
        assert!(places.take(Kind::Whole, true).await.is_ok(), "a small read does not");
        drop(streams);
        assert!(places.take(Kind::Stream, true).await.is_ok());
    }

    #[tokio::test]
    async fn unproven_senders_leave_half_of_the_places_to_proven_ones() {
        let places = Places::new(4, SOON);
        let held = [places.take(Kind::Whole, false).await, places.take(Kind::Whole, false).await];
        assert!(held.iter().all(Result::is_ok));
        assert!(places.take(Kind::Whole, false).await.is_err(), "a third unproven request waits");
        let proven = [places.take(Kind::Whole, true).await, places.take(Kind::Stream, true).await];
        assert!(proven.iter().all(Result::is_ok));
        drop((held, proven));
        assert!(places.take(Kind::Whole, false).await.is_ok());
    }

    #[tokio::test]
    async fn only_so_many_unproven_requests_wait() {
        let places = Places::new(4, Duration::from_mins(5));
        let held = [places.take(Kind::Whole, false).await, places.take(Kind::Whole, false).await];
        let take = || Box::pin(places.take(Kind::Whole, false));
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| take()).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one).is_pending());
        }
        // The next one is refused at once.
        assert_eq!(places.take(Kind::Whole, false).await.unwrap_err(), NoPlace::QueueFull);
        assert!(places.take(Kind::Whole, true).await.is_ok());
        drop((held, waiting));
    }

    #[tokio::test]
    async fn twice_as_many_readers_as_places_are_set_aside() {
        let places = Places::new(2, SOON);
        let mut aside = Vec::new();
        for _ in 0..2 * SET_ASIDE {
            let place = places.take(Kind::Whole, true).await.unwrap();
            aside.push(places.set_aside(place));
        }
        let kept = [(); 2].map(|()| places.take(Kind::Whole, true));
        let mut kept = futures::future::try_join_all(kept).await.unwrap();
        let last = kept.pop().unwrap();
        kept.push(places.set_aside(last));
        assert!(places.take(Kind::Whole, true).await.is_err(), "one more reader keeps its place");
        drop(aside);
        let last = kept.pop().unwrap();
        kept.push(places.set_aside(last));
        assert!(places.take(Kind::Whole, true).await.is_ok());
    }
}
