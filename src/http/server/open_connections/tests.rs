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

fn authenticated(slot: &Slot) {
    let request = slot.handle().request();
    slot.handle().authenticated();
    drop(request);
}

#[test]
fn at_the_limit_the_longest_idle_connection_gives_way() {
    let open = limits(2, 2);
    let (first, second) = (open.admit(from(1)).unwrap(), open.admit(from(2)).unwrap());
    let third = open.admit(from(3)).unwrap();
    assert!(is_evicted(&first) && !is_evicted(&second));
    // One that had a request since is idle for less long.
    drop(second.handle().request());
    let fourth = open.admit(from(4)).unwrap();
    assert!(is_evicted(&third) && !is_evicted(&second) && !is_evicted(&fourth));
}

#[test]
fn unauthenticated_connections_give_way_before_authenticated_ones_and_proxies_last() {
    let open = limits(3, 3);
    let proxy = open.admit(IpAddr::from([10, 0, 0, 1])).unwrap();
    let known = open.admit(from(1)).unwrap();
    authenticated(&known);
    for number in 0..20 {
        let silent = open.admit(from(number)).unwrap();
        assert!(!is_evicted(&silent) && !is_evicted(&known) && !is_evicted(&proxy));
        std::mem::forget(silent);
    }
    // Two at once: the first takes the place of the silent one, the second of the known one.
    let busy = open.admit(from(30)).unwrap();
    let _request = busy.handle().request();
    let next = open.admit(from(31)).unwrap();
    let _other = next.handle().request();
    assert!(is_evicted(&known) && !is_evicted(&proxy));
}

#[test]
fn a_connection_with_a_request_under_way_never_gives_way() {
    let open = limits(2, 2);
    let slots = [open.admit(from(1)).unwrap(), open.admit(from(2)).unwrap()];
    let requests = slots.each_ref().map(|slot| slot.handle().request());
    assert!(open.admit(from(3)).is_none() && !open.evict_one());
    drop(requests);
    assert!(open.admit(from(3)).is_some());
}

#[test]
fn one_address_displaces_only_its_own() {
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
    assert!(is_evicted(&of_network[0]), "an IPv6 address counts as its /64");
    // A trusted proxy has the connections of many clients.
    let open = limits(10, 1);
    let proxied: Vec<_> =
        (0..5).map(|_| open.admit(IpAddr::from([10, 0, 0, 1])).unwrap()).collect();
    assert!(proxied.iter().all(|slot| !is_evicted(slot)));
}

#[test]
fn slots_come_back_and_nothing_is_left() {
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
async fn an_idle_connection_ends_sooner_where_no_request_was_authenticated() {
    let (now, long) = (Duration::ZERO, Duration::from_hours(1));
    let open = limits(2, 2);
    let slot = open.admit(from(1)).unwrap();
    assert!(slot.idle_for(long, now).now_or_never().is_none());
    slot.idle_for(now, long).await;
    // A connection with a request in progress is not idle.
    let request = slot.handle().request();
    assert!(slot.idle_for(now, now).now_or_never().is_none());
    slot.handle().authenticated();
    drop(request);
    assert!(slot.idle_for(now, long).now_or_never().is_none());
    slot.idle_for(long, now).await;
}

#[tokio::test]
async fn a_request_whose_client_takes_nothing_is_released() {
    let (now, long) = (Duration::ZERO, Duration::from_hours(1));
    let open = limits(1, 1);
    let slot = open.admit(from(1)).unwrap();
    let mut stalled = slot.handle().request();
    stalled.wait_for_client();
    assert!(open.admit(from(2)).is_none());
    slot.idle_for(now, long).await;
    // The client takes something after all, and then the response ends.
    stalled.taken();
    assert!(open.admit(from(2)).is_none(), "it is in progress again");
    drop(stalled);
    assert!(open.admit(from(2)).is_some() && is_evicted(&slot));
}

#[tokio::test]
async fn a_stalled_request_does_not_end_the_others() {
    let now = Duration::ZERO;
    let open = limits(1, 1);
    let slot = open.admit(from(1)).unwrap();
    let (mut stalled, mut other) = (slot.handle().request(), slot.handle().request());
    stalled.wait_for_client();
    other.wait_for_client();
    // This one waits for the server.
    other.taken();
    assert!(slot.idle_for(now, now).now_or_never().is_none());
    slot.0.release_stalled(now);
    drop(stalled);
    assert!(open.admit(from(2)).is_none(), "the other one is in progress");
    drop(other);
    assert!(open.admit(from(2)).is_some());
}

#[test]
fn an_idle_connection_that_becomes_authenticated_is_ranked_again() {
    let open = limits(2, 2);
    let known = open.admit(from(1)).unwrap();
    known.handle().authenticated();
    let silent = open.admit(from(2)).unwrap();
    let next = open.admit(from(3)).unwrap();
    assert!(is_evicted(&silent) && !is_evicted(&known));
    drop((known, silent, next));
    let state = format!("{:?}", *open.locked());
    assert!(state.contains("open: {}, idle: {}, by_address: {}"), "{state}");
}

#[derive(Debug, Clone)]
enum Step {
    Connect(u8),
    Close(usize),
    Request(usize),
    Answer(usize),
    Authenticate(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u8..4).prop_map(Step::Connect),
        1 => any::<usize>().prop_map(Step::Close),
        2 => any::<usize>().prop_map(Step::Request),
        2 => any::<usize>().prop_map(Step::Answer),
        1 => any::<usize>().prop_map(Step::Authenticate),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn the_limits_hold_and_no_request_is_cut(steps in steps()) {
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
                Step::Answer(at) if !slots.is_empty() => drop(slots[at % count].2.pop()),
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
                assert!(!is_evicted(slot) || requests.is_empty(), "a request was cut");
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
