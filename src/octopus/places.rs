//! How many requests to an instance may be under way at once.

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
    patience: Duration,
}

/// A place among the requests that are under way. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_streams: Option<OwnedSemaphorePermit>,
}

/// How long a request keeps its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Until its answer is here as a whole.
    Whole,
    /// Until whoever reads the stream has enough.
    Stream,
}

impl Places {
    /// So many places, half of which streams may have. Whoever finds none waits for one so long.
    pub(super) fn new(places: u32, patience: Duration) -> Self {
        let places = (places.max(1) as usize).min(Semaphore::MAX_PERMITS);
        Self {
            all: Arc::new(Semaphore::new(places)),
            streams: Arc::new(Semaphore::new((places / 2).max(1))),
            patience,
        }
    }

    /// Takes a place, in the order of asking. `None`: none came free in time.
    pub(super) async fn take(&self, kind: Kind) -> Option<Place> {
        let take = async {
            let of_streams = match kind {
                Kind::Whole => None,
                Kind::Stream => Some(Arc::clone(&self.streams).acquire_owned().await.ok()?),
            };
            let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Place { _of_all: of_all, _of_streams: of_streams })
        };
        timeout(self.patience, take).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_place_that_is_given_back_is_the_next_ones() {
        let places = Places::new(1, SOON);
        let first = places.take(Kind::Whole).await.unwrap();
        assert!(places.take(Kind::Whole).await.is_none());
        drop(first);
        assert!(places.take(Kind::Whole).await.is_some());
    }

    #[tokio::test]
    async fn streams_leave_half_of_the_places_to_small_reads() {
        let places = Places::new(4, SOON);
        let streams = [places.take(Kind::Stream).await, places.take(Kind::Stream).await];
        assert!(streams.iter().all(Option::is_some));
        assert!(places.take(Kind::Stream).await.is_none(), "a third stream waits");
        assert!(places.take(Kind::Whole).await.is_some(), "a small read does not");
        drop(streams);
        assert!(places.take(Kind::Stream).await.is_some());
    }
}
