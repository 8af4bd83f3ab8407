use futures::FutureExt;
use proptest::prelude::*;

use super::*;

fn limits(total: usize, per_address: usize) -> Arc<OpenConnections> {
    let trusted_proxies = Networks(vec!["10.0.0.0/8".parse().unwrap()]);
    OpenConnections::new(ConnectionLimits {
        total,
        per_address,
        trusted_proxies,
        authenticates: true,
    })
}

fn from(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn is_evicted(slot: &Slot) -> bool {
    slot.0.evicted.is_cancelled()
}

fn authenticate(slot: &Slot) {
    let request = slot.handle().request();
    slot.handle().authenticated();
    drop(request);
}

#[test]
fn evicts_longest_idle_connection_at_the_limit() {
    let open = limits(2, 2);
    let (first, second) = (open.admit(from(1)).unwrap(), open.admit(from(2)).unwrap());
    let third = open.admit(from(3)).unwrap();
    assert!(is_evicted(&first) && !is_evicted(&second));
    // A request resets the idle time of its connection.
    drop(second.handle().request());
    let fourth = open.admit(from(4)).unwrap();
    assert!(is_evicted(&third) && !is_evicted(&second) && !is_evicted(&fourth));
}

#[test]
fn evicts_unauthenticated_then_authenticated_then_proxy_connections() {
    let open = limits(3, 3);
    let proxy = open.admit(IpAddr::from([10, 0, 0, 1])).unwrap();
    let authenticated = open.admit(from(1)).unwrap();
    authenticate(&authenticated);
    for number in 0..20 {
        let unauthenticated = open.admit(from(number)).unwrap();
        assert!(!is_evicted(&unauthenticated));
        assert!(!is_evicted(&authenticated) && !is_evicted(&proxy));
        std::mem::forget(unauthenticated);
    }
    // The first connection evicts the unauthenticated one, the second the authenticated one.
    let active = open.admit(from(30)).unwrap();
    let _request = active.handle().request();
    let next = open.admit(from(31)).unwrap();
    let _other = next.handle().request();
    assert!(is_evicted(&authenticated) && !is_evicted(&proxy));
}

#[test]
fn never_evicts_connection_with_active_request() {
    let open = limits(2, 2);
    let slots = [open.admit(from(1)).unwrap(), open.admit(from(2)).unwrap()];
    let requests = slots.each_ref().map(|slot| slot.handle().request());
    assert!(open.admit(from(3)).is_none() && !open.evict_one());
    drop(requests);
    assert!(open.admit(from(3)).is_some());
}

#[test]
fn evicts_only_connections_of_an_address_at_its_limit() {
    let open = limits(10, 3);
    let other = open.admit(from(1)).unwrap();
    let own: Vec<_> = (0..6).map(|_| open.admit(from(2)).unwrap()).collect();
    assert_eq!(own.iter().filter(|slot| is_evicted(slot)).count(), 3);
    assert!(!is_evicted(&other));
    let requests: Vec<_> = own.iter().skip(3).map(|slot| slot.handle().request()).collect();
    assert!(open.admit(from(2)).is_none() && open.admit(from(3)).is_some());
    drop(requests);
    let network = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 1, 2, 3, last]);
    let of_network: Vec<_> = (0..4).map(|last| open.admit(network(last)).unwrap()).collect();
    assert!(is_evicted(&of_network[0]), "the key of an IPv6 address is its /64 network");
    // The limit per address does not apply to trusted proxies.
    let open = limits(10, 1);
    let proxied: Vec<_> =
        (0..5).map(|_| open.admit(IpAddr::from([10, 0, 0, 1])).unwrap()).collect();
    assert!(proxied.iter().all(|slot| !is_evicted(slot)));
}

#[test]
fn releases_slots_and_removes_all_state() {
    let open = limits(2, 1);
    let slot = open.admit(from(1)).unwrap();
    let (request, handle) = (slot.handle().request(), slot.handle());
    drop(slot);
    drop(request);
    handle.authenticated();
    drop(handle.request());
    let state = format!("{:?}", *open.locked());
    assert!(state.contains("open: {}, idle: {}, by_address: {}"), "{state}");
}

#[tokio::test]
async fn unauthenticated_connections_have_shorter_idle_timeout() {
    let (now, long) = (Duration::ZERO, Duration::from_hours(1));
    let open = limits(2, 2);
    let slot = open.admit(from(1)).unwrap();
    assert!(slot.idle_for(long, now).now_or_never().is_none());
    slot.idle_for(now, long).await;
    // A connection with an active request is not idle.
    let request = slot.handle().request();
    assert!(slot.idle_for(now, now).now_or_never().is_none());
    slot.handle().authenticated();
    drop(request);
    assert!(slot.idle_for(now, long).now_or_never().is_none());
    slot.idle_for(long, now).await;
}

#[tokio::test]
async fn releases_stalled_requests() {
    let (now, long) = (Duration::ZERO, Duration::from_hours(1));
    let open = limits(1, 1);
    let slot = open.admit(from(1)).unwrap();
    let mut stalled = slot.handle().request();
    stalled.wait_for_client();
    assert!(open.admit(from(2)).is_none());
    slot.idle_for(now, long).await;
    // The client continues to read, and then the response ends.
    stalled.client_has_read();
    assert!(open.admit(from(2)).is_none(), "the request is active again");
    drop(stalled);
    assert!(open.admit(from(2)).is_some() && is_evicted(&slot));
}

#[tokio::test]
async fn stalled_request_does_not_release_other_requests() {
    let now = Duration::ZERO;
    let open = limits(1, 1);
    let slot = open.admit(from(1)).unwrap();
    let (mut stalled, mut other) = (slot.handle().request(), slot.handle().request());
    stalled.wait_for_client();
    other.wait_for_client();
    // This request waits for the server.
    other.client_has_read();
    assert!(slot.idle_for(now, now).now_or_never().is_none());
    slot.0.release_stalled(now);
    drop(stalled);
    assert!(open.admit(from(2)).is_none(), "the other request is active");
    drop(other);
    assert!(open.admit(from(2)).is_some());
}

#[test]
fn authentication_changes_the_rank_of_an_idle_connection() {
    let open = limits(2, 2);
    let authenticated = open.admit(from(1)).unwrap();
    authenticated.handle().authenticated();
    let unauthenticated = open.admit(from(2)).unwrap();
    let next = open.admit(from(3)).unwrap();
    assert!(is_evicted(&unauthenticated) && !is_evicted(&authenticated));
    drop((authenticated, unauthenticated, next));
    let state = format!("{:?}", *open.locked());
    assert!(state.contains("open: {}, idle: {}, by_address: {}"), "{state}");
}

#[derive(Debug, Clone)]
enum Step {
    Connect(u8),
    Close(usize),
    Request(usize),
    Respond(usize),
    Authenticate(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u8..4).prop_map(Step::Connect),
        1 => any::<usize>().prop_map(Step::Close),
        2 => any::<usize>().prop_map(Step::Request),
        2 => any::<usize>().prop_map(Step::Respond),
        1 => any::<usize>().prop_map(Step::Authenticate),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn limits_hold_without_interrupting_requests(steps in steps()) {
        let open = limits(6, 3);
        let mut slots: Vec<(u8, Slot, Vec<ActiveRequest>)> = Vec::new();
        for step in steps {
            let count = slots.len().max(1);
            match step {
                Step::Connect(last) => {
                    if let Some(slot) = open.admit(from(last)) {
                        slots.push((last, slot, Vec::new()));
                    }
                }
                Step::Close(at) if !slots.is_empty() => drop(slots.remove(at % count)),
                Step::Request(at) if !slots.is_empty() => {
                    let (_, slot, requests) = &mut slots[at % count];
                    requests.push(slot.handle().request());
                }
                Step::Respond(at) if !slots.is_empty() => drop(slots[at % count].2.pop()),
                Step::Authenticate(at) if !slots.is_empty() => {
                    let (_, slot, requests) = &slots[at % count];
                    if !requests.is_empty() {
                        slot.handle().authenticated();
                    }
                }
                _ => {}
            }
            // The requests of a connection end with it.
            slots.retain(|(_, slot, requests)| {
                assert!(!is_evicted(slot) || requests.is_empty(), "a request was interrupted");
                !is_evicted(slot)
            });
            prop_assert!(slots.len() <= 6);
            for last in 0..4 {
                prop_assert!(slots.iter().filter(|(from, ..)| *from == last).count() <= 3);
            }
        }
        drop(slots);
        let state = format!("{:?}", *open.locked());
        prop_assert!(state.contains("open: {}, idle: {}, by_address: {}"), "{}", state);
    }
}
