//! How much one caller, and all callers of one instance, may ask for.
//!
//! Many clients take an HTTP error for the end of the connection, so a caller who is known and asks
//! for too much is told so in HTTP 200, as an error of that one request. HTTP 429 is for those who
//! go on all the same, and for those whom nobody knows.

mod at_once;
mod failed;
mod told;

pub(super) use failed::count as count_failures;
pub(super) use told::HEADERS;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::Method;
use moka::sync::Cache;

use self::{
    at_once::{AtOnce, Place},
    failed::Failed,
    told::Told,
};
use super::{
    Gate, admit, envelope::Envelope, peer::Peer, refusal::Refusal, server::ConnectionHandle,
};
use crate::{
    callers::{Caller, Way},
    config::Limits,
    octopus::{Fingerprint, Instances},
    store::{Bucket, Key, Store, Taken},
    tool::{InstanceRate, Narrowing},
};

/// Never refused to a known caller: a client whose greeting is refused takes the server for broken,
/// or speaks an older revision from then on.
const GREETINGS: [&str; 2] = ["initialize", "server/discover"];

/// How many callers are remembered whose first request was counted, and for how long.
const MOST_SEEN: u64 = 50_000;
const SEEN_FOR: Duration = Duration::from_mins(10);

/// The limits of the settings.
#[derive(Debug)]
pub struct Rates {
    at_once: Arc<AtOnce>,
    /// Requests whose body is still to come, by address.
    unread: Arc<AtOnce>,
    caller: Option<Bucket>,
    /// For those who were told to wait and do not.
    far: Option<Bucket>,
    instance: InstanceRate,
    default_instance: String,
    /// Where a credential of Octopus is known to be good.
    instances: Option<Arc<Instances>>,
    failed: Failed,
    unproven: Option<Bucket>,
    /// Callers whose first request was counted.
    seen: Cache<Key, ()>,
}

impl Rates {
    /// The limits of the settings, counted in this store; those of instances where calls that go
    /// on to another one count as well.
    pub fn new(
        limits: &Limits,
        default_instance: Option<&str>,
        store: &Store,
        instance: InstanceRate,
    ) -> Self {
        // What is refused first takes from the bucket of the rate, so this one has the rest.
        let more = |count: u32| count.saturating_mul(limits.far_over.saturating_sub(1));
        let far = (limits.far_over > 1)
            .then(|| store.buckets("far", more(limits.caller_rate), more(limits.caller_burst)));
        Self {
            at_once: AtOnce::new(limits.concurrent_calls_per_caller as usize),
            unread: AtOnce::new(limits.unread_requests_per_address as usize),
            caller: store.buckets("caller", limits.caller_rate, limits.caller_burst),
            far: far.flatten(),
            instance,
            default_instance: default_instance.unwrap_or_default().to_owned(),
            instances: None,
            failed: Failed::new(store.buckets("failed", limits.failed_rate, limits.failed_burst)),
            unproven: store.buckets("unproven", limits.unproven_rate, limits.unproven_burst),
            seen: Cache::builder().max_capacity(MOST_SEEN).time_to_live(SEEN_FOR).build(),
        }
    }

    /// The same limits; these instances say which credentials of Octopus are good. Without them, all
    /// are.
    #[must_use]
    pub fn judged_by(self, instances: Arc<Instances>) -> Self {
        Self { instances: Some(instances), ..self }
    }
}

/// What a request is, for counting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The first of a client.
    Greeting,
    /// Something that is answered.
    Question,
    /// A stream that a client listens on.
    Stream,
    /// A ping, a notification, an answer to a question of ours, the end of a session.
    Free,
}

impl Kind {
    fn of(request: &Request) -> Self {
        let envelope = request.extensions().get::<Envelope>();
        match envelope {
            None if request.method() == Method::GET => Self::Stream,
            None => Self::Free,
            Some(envelope) if envelope.id.is_null() => Self::Free,
            Some(envelope) => match envelope.method.as_deref() {
                None | Some("ping") => Self::Free,
                Some(method) if GREETINGS.contains(&method) => Self::Greeting,
                Some(_) => Self::Question,
            },
        }
    }
}

/// Whether a request counts as one that Octopus may have to be asked for.
pub(super) fn is_question(request: &Request) -> bool {
    Kind::of(request) == Kind::Question
}

/// Serves a request, unless its caller has to wait. A connection counts as authenticated once the
/// credential of a request on it has been accepted, here or by Octopus.
pub(super) async fn limit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<ConnectionHandle>().cloned();
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
    let instance = gate.rates.instance_of(&request).to_owned();
    let response = limited(&gate.rates, &instance, request, next).await;
    if let Some(connection) = connection.filter(|_| gate.rates.is_accepted(&caller, &instance)) {
        connection.authenticated();
    }
    response
}

async fn limited(rates: &Rates, instance: &str, request: Request, next: Next) -> Response {
    let kind = Kind::of(&request);
    let id = Envelope::id_of(&request);
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
    let address = address(&request);
    let key = key(&caller, &address);
    if let Err(refusal) = rates.unproven(&caller, kind, &key, &address).await {
        return refusal.to(&id);
    }
    rates.failed.was_good(&request);
    match kind {
        Kind::Greeting | Kind::Free => next.run(request).await,
        Kind::Stream => match rates.caller(&key, Told::Refused).await {
            Ok(_) => next.run(request).await,
            Err(refusal) => refusal.to(&id),
        },
        Kind::Question => {
            let Some(place) = rates.at_once.enter(key) else {
                return told::at_once(rates.at_once.most()).to(&id);
            };
            let taken = match rates.caller(&key, Told::Answered).await {
                Ok(taken) => taken,
                Err(refusal) => return refusal.to(&id),
            };
            let is_accepted = rates.is_accepted(&caller, instance);
            if let Err(refusal) = rates.instance(instance, is_accepted).await {
                return refusal.to(&id);
            }
            let mut response = next.run(request).await;
            if let Some(taken) = taken {
                response.headers_mut().extend(told::headers(&taken));
            }
            admit::held(response, place)
        }
    }
}

/// The place of a request whose body is still to come, until it is dropped.
#[derive(Debug, Clone)]
pub(super) struct Unread(#[expect(dead_code, reason = "it is held")] Arc<Place>);

impl Rates {
    /// A place for a request from this address, until its body has come.
    pub(super) fn unread(&self, address: Key) -> Result<Unread, Refusal> {
        let place = self.unread.enter(address);
        let place = place.ok_or_else(|| told::unread(self.unread.most()))?;
        Ok(Unread(Arc::new(place)))
    }

    /// A credential that only Octopus can judge costs nothing to make up, so the address counts
    /// that it comes from: when it is new, and whenever it greets.
    async fn unproven(
        &self,
        caller: &Caller,
        kind: Kind,
        key: &Key,
        address: &Key,
    ) -> Result<(), Refusal> {
        let is_proven = match caller.who.way {
            Way::Octopus => false,
            Way::Nobody => caller.own.is_none() && kind != Kind::Greeting,
            Way::Token | Way::Oauth | Way::Proxy | Way::Certificate => return Ok(()),
        };
        let Some(bucket) = self.unproven.as_ref().filter(|_| !is_proven) else { return Ok(()) };
        if kind != Kind::Greeting && self.seen.contains_key(key) {
            return Ok(());
        }
        let taken = bucket.take(address).await;
        if !taken.allowed {
            return Err(told::unproven(&taken));
        }
        self.seen.insert(*key, ());
        Ok(())
    }

    /// The instance that a request is for.
    fn instance_of<'a>(&'a self, request: &'a Request) -> &'a str {
        let narrowing = request.extensions().get::<Narrowing>();
        let instance = narrowing.and_then(|narrowing| narrowing.instance.as_deref());
        instance.unwrap_or(&self.default_instance)
    }

    /// Whether a caller has proved who they are: to this server, or with a credential that the
    /// instance accepted a while ago. Where nobody has to, everybody without a credential has.
    fn is_accepted(&self, caller: &Caller, instance: &str) -> bool {
        match (caller.who.way, &caller.own) {
            (Way::Token | Way::Oauth | Way::Proxy | Way::Certificate, _) | (_, None) => true,
            (Way::Octopus | Way::Nobody, Some(own)) => {
                let instance = self.instances.as_ref().and_then(|all| all.get(instance));
                instance.is_none_or(|one| one.client.has_accepted(caller.who.fingerprint(), own))
            }
        }
    }

    /// Takes one of what a caller may ask for.
    async fn caller(&self, key: &Key, told: Told) -> Result<Option<Taken>, Refusal> {
        let Some(bucket) = &self.caller else { return Ok(None) };
        let taken = bucket.take(key).await;
        if taken.allowed {
            return Ok(Some(taken));
        }
        let is_far = match &self.far {
            Some(far) => !far.take(key).await.allowed,
            None => true,
        };
        Err(told::caller(&taken, if is_far { Told::Refused } else { told }))
    }

    /// Takes one of what all callers may ask of an instance. None of them is to blame alone, so
    /// none is refused with more than words.
    async fn instance(&self, name: &str, is_accepted: bool) -> Result<(), Refusal> {
        self.instance.take(name, is_accepted).await.map_err(|taken| told::instance(name, &taken))
    }
}

/// Whoever is known counts once, whatever credential acts for them; others count by where they
/// come from.
fn key(caller: &Caller, address: &Key) -> Key {
    let who = caller.who.fingerprint();
    let key = match caller.who.way {
        // What they brought tells them apart from others who come from there.
        Way::Nobody => caller.fingerprint().and(address),
        _ => who,
    };
    *key.as_bytes()
}

/// Where a request comes from. Whoever has one address of IPv6 has its whole /64.
pub(super) fn address(request: &Request) -> Key {
    let client = request.extensions().get::<Peer>().map(|peer| peer.client.to_canonical());
    let of = |bytes: &[u8]| *Fingerprint::of([b"address", bytes]).as_bytes();
    match client {
        Some(IpAddr::V4(address)) => of(&address.octets()),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments().map(u16::to_be_bytes);
            of(&[a, b, c, d].concat())
        }
        None => of(&[]),
    }
}
