use proptest::prelude::*;

use super::{failure_streak::TRIAL_WAIT, *};

const PAUSE: Duration = Duration::from_secs(10);

fn sender(name: &str) -> Requester {
    Requester { fingerprint: Fingerprint::of([name.as_bytes()]), is_configured: false }
}

/// Creates a breaker at which these senders are proven.
fn breaker(after: u32, proven: &[&str]) -> (Breaker, Instant) {
    let (breaker, now) = (Breaker::new(after, PAUSE), Instant::now());
    for name in proven {
        respond(&breaker, name, CredentialVerdict::Accepted, now);
    }
    (breaker, now)
}

fn fail(breaker: &Breaker, name: &str, now: Instant) {
    breaker.acquire_at(sender(name), now).unwrap().record_failure_at(now);
}

fn respond(breaker: &Breaker, name: &str, verdict: CredentialVerdict, now: Instant) {
    breaker.acquire_at(sender(name), now).unwrap().record_response(verdict);
}

fn is_admitted(breaker: &Breaker, name: &str, now: Instant) -> bool {
    breaker.acquire_at(sender(name), now).is_ok()
}

#[test]
fn opens_after_consecutive_failures_and_resets_on_a_response() {
    let (breaker, now) = breaker(3, &["a", "b"]);
    for _ in 0..5 {
        fail(&breaker, "a", now);
        fail(&breaker, "b", now);
        respond(&breaker, "a", CredentialVerdict::Unknown, now);
    }
    for name in ["a", "b", "a"] {
        fail(&breaker, name, now);
    }
    assert_eq!(breaker.acquire_at(sender("c"), now).unwrap_err(), PAUSE);
    assert_eq!(breaker.acquire_at(sender("c"), now + PAUSE / 2).unwrap_err(), PAUSE / 2);
}

#[test]
fn failures_of_one_sender_block_only_that_sender() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fail(&breaker, "a", now);
    fail(&breaker, "a", now);
    assert!(!is_admitted(&breaker, "a", now));
    assert!(is_admitted(&breaker, "b", now));
    // A second sender fails too, so the breaker opens for all.
    fail(&breaker, "b", now);
    assert!(!is_admitted(&breaker, "b", now) && !is_admitted(&breaker, "c", now));
}

#[test]
fn sends_one_trial_after_the_pause() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fail(&breaker, "a", now);
    fail(&breaker, "b", now);
    let later = now + PAUSE;
    let tries = breaker.acquire_at(sender("a"), later).unwrap();
    assert_eq!(breaker.acquire_at(sender("b"), later).unwrap_err(), TRIAL_WAIT);
    tries.record_failure_at(later);
    assert_eq!(breaker.acquire_at(sender("b"), later).unwrap_err(), PAUSE);
    respond(&breaker, "b", CredentialVerdict::Unknown, later + PAUSE);
    assert!(is_admitted(&breaker, "a", later + PAUSE));
    fail(&breaker, "a", later + PAUSE);
    assert!(is_admitted(&breaker, "b", later + PAUSE), "the response reset the streak");
}

#[test]
fn abandoned_trial_passes_to_the_next_request() {
    let (breaker, now) = breaker(1, &["a", "b"]);
    fail(&breaker, "a", now);
    fail(&breaker, "b", now);
    let later = now + PAUSE;
    drop(breaker.acquire_at(sender("a"), later).unwrap());
    assert!(is_admitted(&breaker, "b", later));
}

#[test]
fn late_failures_do_not_extend_the_pause() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    let late: Vec<_> = (0..8).map(|_| breaker.acquire_at(sender("a"), now).unwrap()).collect();
    fail(&breaker, "a", now);
    fail(&breaker, "b", now);
    for pass in late {
        pass.record_failure_at(now + PAUSE / 2);
    }
    assert_eq!(breaker.remaining_pause(sender("b")).map(|wait| wait <= PAUSE), Some(true));
    assert!(is_admitted(&breaker, "b", now + PAUSE));
}

#[test]
fn threshold_zero_disables_the_breaker() {
    let (breaker, now) = breaker(0, &["a", "b"]);
    for name in ["a", "b"].repeat(20) {
        fail(&breaker, name, now);
    }
    assert!(is_admitted(&breaker, "a", now));
}

#[test]
fn invented_credentials_pause_only_their_own_sender() {
    let (breaker, now) = breaker(2, &["a"]);
    for number in 0..500 {
        let name = format!("invented {number}");
        fail(&breaker, &name, now);
        fail(&breaker, &name, now);
        assert!(!is_admitted(&breaker, &name, now), "its own requests are rejected");
    }
    for name in ["a", "a new sender"] {
        assert!(is_admitted(&breaker, name, now), "{name}");
    }
    // One failure of a proven sender does not add to the failures of unproven ones.
    fail(&breaker, "a", now);
    assert!(is_admitted(&breaker, "a", now) && !breaker.is_open_for_all());
}

#[test]
fn configured_credential_is_proven_without_response() {
    let (breaker, now) = breaker(2, &[]);
    for name in ["a", "b"] {
        let requester = Requester { is_configured: true, ..sender(name) };
        breaker.acquire_at(requester, now).unwrap().record_failure_at(now);
    }
    assert!(breaker.is_open_for_all());
}

#[test]
fn response_401_to_unproven_sender_does_not_close_the_breaker() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fail(&breaker, "a", now);
    let sent_before = breaker.acquire_at(sender("invented"), now).unwrap();
    respond(&breaker, "invented", CredentialVerdict::Rejected, now);
    fail(&breaker, "b", now);
    assert!(breaker.is_open_for_all(), "the failures of both senders are still consecutive");
    sent_before.record_response(CredentialVerdict::Rejected);
    assert!(breaker.is_open_for_all());
    assert!(!is_admitted(&breaker, "invented", now), "the pause applies to all senders");
}

#[test]
fn unproven_sender_never_occupies_the_trial() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fail(&breaker, "a", now);
    fail(&breaker, "b", now);
    let later = now + PAUSE;
    let held: Vec<_> = (0..50)
        .map(|number| breaker.acquire_at(sender(&format!("invented {number}")), later).unwrap())
        .collect();
    let trial = breaker.acquire_at(sender("a"), later).unwrap();
    for pass in held {
        pass.record_failure_at(later);
    }
    assert!(is_admitted(&breaker, "new", later), "failures of unproven senders start no new pause");
    trial.record_response(CredentialVerdict::Unknown);
    assert!(is_admitted(&breaker, "b", later));
}

#[test]
fn accepted_new_credential_closes_the_breaker_for_all() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fail(&breaker, "a", now);
    fail(&breaker, "b", now);
    respond(&breaker, "new", CredentialVerdict::Accepted, now + PAUSE);
    let entered: Vec<_> = ["a", "b", "new"]
        .iter()
        .map(|name| breaker.acquire_at(sender(name), now + PAUSE))
        .collect();
    assert!(entered.iter().all(Result::is_ok));
}

#[test]
fn rejected_credential_is_no_longer_proven() {
    let (breaker, now) = breaker(1, &["a", "b"]);
    respond(&breaker, "a", CredentialVerdict::Rejected, now);
    fail(&breaker, "a", now);
    fail(&breaker, "b", now);
    assert!(!breaker.is_open_for_all(), "only one proven sender failed");
}

/// Actions of senders without a valid credential.
fn hostile() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0_u8..40, 0_u8..4), 0..200)
}

proptest! {
    /// Requests of unproven senders do not change how the breaker treats proven senders, in any
    /// order of the two.
    #[test]
    fn unproven_senders_do_not_affect_proven_ones(
        steps in hostile(),
        proven in proptest::collection::vec((0_u8..3, any::<bool>()), 1..40),
    ) {
        let names = ["a", "b", "c"];
        let (attacked, now) = breaker(3, &names);
        let (calm, _) = breaker(3, &names);
        let mut steps = steps.into_iter();
        let mut held = Vec::new();
        for (number, (sender_index, fail)) in proven.into_iter().enumerate() {
            let at = now + Duration::from_secs(number as u64);
            for (hostile, act) in steps.by_ref().take(6) {
                let requester = sender(&format!("invented {hostile}"));
                let Ok(pass) = attacked.acquire_at(requester, at) else { continue };
                match act {
                    0 => pass.record_failure_at(at),
                    1 => pass.record_response(CredentialVerdict::Rejected),
                    2 => pass.record_response(CredentialVerdict::Unknown),
                    _ => held.push(pass),
                }
            }
            let name = names[usize::from(sender_index)];
            let (here, there) = (attacked.acquire_at(sender(name), at), calm.acquire_at(sender(name), at));
            prop_assert_eq!(here.as_ref().err(), there.as_ref().err());
            let (Ok(here), Ok(there)) = (here, there) else { continue };
            for pass in [here, there] {
                if fail { pass.record_failure_at(at) } else { pass.record_response(CredentialVerdict::Unknown) }
            }
        }
    }
}
