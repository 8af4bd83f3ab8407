//! What replicas of this server have to know of one another: how much was asked for, and small
//! values that are good for a while.
//!
//! It is kept in the memory of this process, or in a Redis that all replicas share. Nothing waits
//! long for that: while it is away, or slow, each replica counts and remembers for itself, and what
//! it remembers is written there as soon as that can be.

mod bucket;
mod kept;
mod remote;

pub use bucket::{Bucket, Taken};

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use self::{kept::Here, remote::Remote};
use crate::config::{Limits, StoreAddress};

/// What something in the store belongs to: a fingerprint, and never a secret itself.
pub type Key = [u8; 32];

/// How often what counts for nothing any more is dropped from memory.
const ROUND: Duration = Duration::from_secs(10);

/// The largest value that is kept.
const LARGEST: usize = 64 * 1024;

/// Where a value is that was put into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Where it belongs: in the store that replicas share, or in memory where there is no other.
    Shared,
    /// In the memory of this process. It is written to the store that replicas share in the
    /// background, over and over until that succeeds or the value is not good any more.
    Soon,
    /// In the memory of this process alone: too much waits to be written already.
    Here,
    /// Nowhere: it is of more than 64 KiB, or good for no time at all.
    Nowhere,
}

/// What came of claiming a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is this replica's, until its time is over or it is given up.
    Ours,
    /// It is another's, who left this value.
    Theirs(Vec<u8>),
    /// Nobody knows: the store that replicas share is away, or said nothing in time.
    Unknown,
}

/// What there is of a value whose time was to begin anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The value. It is good for that long again.
    Good(Vec<u8>),
    /// It is not there, or no longer.
    Gone,
    /// Nobody knows: the store that replicas share is away, or what belongs there is not written
    /// yet.
    Unknown,
}

/// The store, shared by everything that keeps anything in it.
#[derive(Debug)]
pub struct Store {
    buckets: std::sync::Mutex<Vec<Bucket>>,
    kept: Here,
    remote: Option<Arc<Remote>>,
}

impl Store {
    /// A store in the memory of this process, for itself.
    pub fn memory() -> Arc<Self> {
        Arc::new(Self { buckets: std::sync::Mutex::default(), kept: Here::default(), remote: None })
    }

    /// The store of the settings. One that cannot be reached is looked for in the background,
    /// until the server stops.
    pub async fn open(limits: &Limits, stop: CancellationToken) -> Result<Arc<Self>, String> {
        let remote = match &limits.store {
            StoreAddress::Memory => None,
            StoreAddress::Redis(url) => Some(Arc::new(Remote::new(url, limits)?)),
        };
        if let Some(remote) = &remote {
            remote.connect().await;
            tokio::spawn(Arc::clone(remote).keep_connected(stop.clone()));
        }
        let store =
            Arc::new(Self { buckets: std::sync::Mutex::default(), kept: Here::default(), remote });
        tokio::spawn(Arc::clone(&store).look_after(stop));
        Ok(store)
    }

    /// Buckets of this name, one for each key: `burst` tokens when full, and `rate` more a minute.
    /// `None` where the rate is 0, which is no limit.
    pub fn buckets(&self, name: &'static str, rate: u32, burst: u32) -> Option<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The same limits again are the same buckets: settings that are read again forgive nothing.
        let known = buckets.iter().position(|bucket| bucket.is_called(name));
        let known = known.map(|place| buckets.swap_remove(place));
        let bucket = match known.filter(|known| known.allows(rate, burst)) {
            Some(known) => known,
            None => Bucket::new(name, rate, burst, self.remote.clone())?,
        };
        buckets.push(bucket.clone());
        drop(buckets);
        Some(bucket)
    }

    /// Keeps a value of this kind for a while, in place of one that was there, and says where it is.
    /// It waits for the store that replicas share no longer than its time limit: what takes longer,
    /// or fails, goes there in the background. A process that ends takes with it what waits.
    pub async fn put(
        &self,
        kind: &'static str,
        key: &Key,
        value: &[u8],
        good_for: Duration,
    ) -> Written {
        if value.len() > LARGEST || good_for.is_zero() {
            return Written::Nowhere;
        }
        // Here as well, for the time when the store is away.
        self.kept.put(kind, key, value, good_for);
        match &self.remote {
            None => Written::Shared,
            Some(remote) => remote.put(kind, key, value, good_for).await,
        }
    }

    /// The value of this kind, while it is good. Where the store that replicas share is away, or
    /// was when the value came, what this process knows itself.
    pub async fn get(&self, kind: &'static str, key: &Key) -> Option<Vec<u8>> {
        if let Some(remote) = &self.remote
            && let Some(value) = remote.get(kind, key).await
        {
            return Some(value);
        }
        self.kept.get(kind, key)
    }

    /// Claims a name for a while, for one of the replicas that share a store: whoever comes first
    /// has it. What is left there is whose it is, which is as long for all and by which a replica
    /// knows its own, and something more, which is another each time. Where nobody knows whether it
    /// was claimed, it is given up in the background. Where nothing is shared, there is nobody else.
    pub async fn claim(
        &self,
        kind: &'static str,
        key: &Key,
        (whose, what): (&[u8], &[u8]),
        good_for: Duration,
    ) -> Claim {
        match &self.remote {
            None => Claim::Ours,
            Some(remote) => remote.claim(kind, key, (whose, what), good_for).await,
        }
    }

    /// Gives up what was claimed or put with this value, and would be good for that long. It waits
    /// for the store that replicas share as [`put`](Self::put) does.
    pub async fn give_up(&self, kind: &'static str, key: &Key, value: &[u8], good_for: Duration) {
        self.kept.remove(kind, key);
        if let Some(remote) = &self.remote {
            remote.give_up(kind, key, value, good_for).await;
        }
    }

    /// Replaces `old` by `new` for a while; keeps any other value that is there. What takes longer than
    /// the time limit of the shared store, or fails, is tried again in the background.
    pub async fn replace(
        &self,
        kind: &'static str,
        key: &Key,
        (old, new): (&[u8], &[u8]),
        good_for: Duration,
    ) {
        self.kept.put(kind, key, new, good_for);
        if let Some(remote) = &self.remote {
            remote.replace(kind, key, (old, new), good_for).await;
        }
    }

    /// Takes a value away that would be good for that long. It waits for the store that replicas
    /// share as [`put`](Self::put) does.
    pub async fn remove(&self, kind: &'static str, key: &Key, good_for: Duration) {
        self.kept.remove(kind, key);
        if let Some(remote) = &self.remote {
            remote.remove(kind, key, good_for).await;
        }
    }

    /// The value of this kind, which from now on is good for that long again.
    pub async fn renew(&self, kind: &'static str, key: &Key, good_for: Duration) -> Kept {
        match &self.remote {
            None => match self.kept.get(kind, key) {
                Some(value) => {
                    self.kept.put(kind, key, &value, good_for);
                    Kept::Good(value)
                }
                None => Kept::Gone,
            },
            Some(remote) => remote.renew(kind, key, good_for).await,
        }
    }

    /// How often the store that replicas share was asked and did not answer, or was not asked
    /// since it was away.
    pub fn failures(&self) -> u64 {
        self.remote.as_ref().map_or(0, |remote| remote.failures())
    }

    /// Whether the store that replicas share is away.
    pub fn is_away(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.is_away())
    }

    async fn look_after(self: Arc<Self>, stop: CancellationToken) {
        let mut round = tokio::time::interval(ROUND);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = round.tick() => {}
            }
            let buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for bucket in buckets.iter() {
                bucket.forget();
            }
        }
    }
}
