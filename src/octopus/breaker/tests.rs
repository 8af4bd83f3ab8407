use proptest::prelude::*;

use super::{row::TRIAL_WAIT, *};

const PAUSE: Duration = Duration::from_secs(10);

fn sender(name: &str) -> Requester {
    Requester { fingerprint: Fingerprint::of([name.as_bytes()]), is_configured: false }
}

/// Creates a breaker at which these senders are proven.
fn breaker(after: u32, proven: &[&str]) -> (Breaker, Instant) {
    let (breaker, now) = (Breaker::new(after, PAUSE), Instant::now());
    for name in proven {
        answered(&breaker, name, Verdict::Accepted, now);
    }
    (breaker, now)
}

fn fails(breaker: &Breaker, name: &str, now: Instant) {
    breaker.enter_at(sender(name), now).unwrap().failed_at(now);
}

fn answered(breaker: &Breaker, name: &str, verdict: Verdict, now: Instant) {
    breaker.enter_at(sender(name), now).unwrap().answered(verdict);
}

fn is_let_in(breaker: &Breaker, name: &str, now: Instant) -> bool {
    breaker.enter_at(sender(name), now).is_ok()
}

#[test]
fn it_opens_after_so_many_in_a_row_and_an_answer_begins_the_row_anew() {
    let (breaker, now) = breaker(3, &["a", "b"]);
    for _ in 0..5 {
        fails(&breaker, "a", now);
        fails(&breaker, "b", now);
        answered(&breaker, "a", Verdict::Unknown, now);
    }
    for name in ["a", "b", "a"] {
        fails(&breaker, name, now);
    }
    assert_eq!(breaker.enter_at(sender("c"), now).unwrap_err(), PAUSE);
    assert_eq!(breaker.enter_at(sender("c"), now + PAUSE / 2).unwrap_err(), PAUSE / 2);
}

#[test]
fn what_one_caller_asks_for_in_vain_holds_up_that_caller_alone() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fails(&breaker, "a", now);
    fails(&breaker, "a", now);
    assert!(!is_let_in(&breaker, "a", now));
    assert!(is_let_in(&breaker, "b", now));
    // A second sender fails too, so the breaker opens for all.
    fails(&breaker, "b", now);
    assert!(!is_let_in(&breaker, "b", now) && !is_let_in(&breaker, "c", now));
}

#[test]
fn after_the_pause_one_tries_and_the_others_wait_for_what_comes_of_it() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fails(&breaker, "a", now);
    fails(&breaker, "b", now);
    let later = now + PAUSE;
    let tries = breaker.enter_at(sender("a"), later).unwrap();
    assert_eq!(breaker.enter_at(sender("b"), later).unwrap_err(), TRIAL_WAIT);
    tries.failed_at(later);
    assert_eq!(breaker.enter_at(sender("b"), later).unwrap_err(), PAUSE);
    answered(&breaker, "b", Verdict::Unknown, later + PAUSE);
    assert!(is_let_in(&breaker, "a", later + PAUSE));
    fails(&breaker, "a", later + PAUSE);
    assert!(is_let_in(&breaker, "b", later + PAUSE), "the response reset the streak");
}

#[test]
fn one_who_gives_up_trying_leaves_the_try_to_the_next() {
    let (breaker, now) = breaker(1, &["a", "b"]);
    fails(&breaker, "a", now);
    fails(&breaker, "b", now);
    let later = now + PAUSE;
    drop(breaker.enter_at(sender("a"), later).unwrap());
    assert!(is_let_in(&breaker, "b", later));
}

#[test]
fn what_was_sent_before_the_pause_makes_it_no_longer() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    let late: Vec<_> = (0..8).map(|_| breaker.enter_at(sender("a"), now).unwrap()).collect();
    fails(&breaker, "a", now);
    fails(&breaker, "b", now);
    for pass in late {
        pass.failed_at(now + PAUSE / 2);
    }
    assert_eq!(breaker.refuses(sender("b")).map(|wait| wait <= PAUSE), Some(true));
    assert!(is_let_in(&breaker, "b", now + PAUSE));
}

#[test]
fn none_in_a_row_means_never() {
    let (breaker, now) = breaker(0, &["a", "b"]);
    for name in ["a", "b"].repeat(20) {
        fails(&breaker, name, now);
    }
    assert!(is_let_in(&breaker, "a", now));
}

#[test]
fn invented_credentials_pause_only_their_own_sender() {
    let (breaker, now) = breaker(2, &["a"]);
    for number in 0..500 {
        let name = format!("invented {number}");
        fails(&breaker, &name, now);
        fails(&breaker, &name, now);
        assert!(!is_let_in(&breaker, &name, now), "its own requests are rejected");
    }
    for name in ["a", "a new sender"] {
        assert!(is_let_in(&breaker, name, now), "{name}");
    }
    // One failure of a proven sender does not add to the failures of unproven ones.
    fails(&breaker, "a", now);
    assert!(is_let_in(&breaker, "a", now) && !breaker.refuses_all());
}

#[test]
fn a_configured_credential_counts_without_proof() {
    let (breaker, now) = breaker(2, &[]);
    for name in ["a", "b"] {
        let requester = Requester { is_configured: true, ..sender(name) };
        breaker.enter_at(requester, now).unwrap().failed_at(now);
    }
    assert!(breaker.refuses_all());
}

#[test]
fn a_401_to_an_invented_credential_does_not_close_the_breaker() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fails(&breaker, "a", now);
    let sent_before = breaker.enter_at(sender("invented"), now).unwrap();
    answered(&breaker, "invented", Verdict::Refused, now);
    fails(&breaker, "b", now);
    assert!(breaker.refuses_all(), "the failures of both senders are still consecutive");
    sent_before.answered(Verdict::Refused);
    assert!(breaker.refuses_all());
    assert!(!is_let_in(&breaker, "invented", now), "the pause applies to all senders");
}

#[test]
fn an_invented_credential_does_not_hold_the_trial() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fails(&breaker, "a", now);
    fails(&breaker, "b", now);
    let later = now + PAUSE;
    let held: Vec<_> = (0..50)
        .map(|number| breaker.enter_at(sender(&format!("invented {number}")), later).unwrap())
        .collect();
    let trial = breaker.enter_at(sender("a"), later).unwrap();
    for pass in held {
        pass.failed_at(later);
    }
    assert!(is_let_in(&breaker, "new", later), "failures of unproven senders start no new pause");
    trial.answered(Verdict::Unknown);
    assert!(is_let_in(&breaker, "b", later));
}

#[test]
fn a_new_sender_whose_credential_is_accepted_after_the_pause_ends_it_for_all() {
    let (breaker, now) = breaker(2, &["a", "b"]);
    fails(&breaker, "a", now);
    fails(&breaker, "b", now);
    answered(&breaker, "new", Verdict::Accepted, now + PAUSE);
    let entered: Vec<_> =
        ["a", "b", "new"].iter().map(|name| breaker.enter_at(sender(name), now + PAUSE)).collect();
    assert!(entered.iter().all(Result::is_ok));
}

#[test]
fn a_credential_that_is_refused_is_no_longer_proven() {
    let (breaker, now) = breaker(1, &["a", "b"]);
    answered(&breaker, "a", Verdict::Refused, now);
    fails(&breaker, "a", now);
    fails(&breaker, "b", now);
    assert!(!breaker.refuses_all(), "only one proven sender failed");
}

/// Actions of senders without a valid credential.
fn hostile() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0_u8..40, 0_u8..4), 0..200)
}

proptest! {
    /// Requests of unproven senders do not change how the breaker treats proven senders, in any
    /// order of the two.
    #[test]
    fn unproven_senders_change_nothing_for_proven_ones(
        steps in hostile(),
        proven in proptest::collection::vec((0_u8..3, any::<bool>()), 1..40),
    ) {
        let names = ["a", "b", "c"];
        let (attacked, now) = breaker(3, &names);
        let (calm, _) = breaker(3, &names);
        let mut steps = steps.into_iter();
        let mut held = Vec::new();
        for (number, (who, fail)) in proven.into_iter().enumerate() {
            let at = now + Duration::from_secs(number as u64);
            for (hostile, act) in steps.by_ref().take(6) {
                let requester = sender(&format!("invented {hostile}"));
                let Ok(pass) = attacked.enter_at(requester, at) else { continue };
                match act {
                    0 => pass.failed_at(at),
                    1 => pass.answered(Verdict::Refused),
                    2 => pass.answered(Verdict::Unknown),
                    _ => held.push(pass),
                }
            }
            let name = names[usize::from(who)];
            let (here, there) = (attacked.enter_at(sender(name), at), calm.enter_at(sender(name), at));
            prop_assert_eq!(here.as_ref().err(), there.as_ref().err());
            let (Ok(here), Ok(there)) = (here, there) else { continue };
            for pass in [here, there] {
                if fail { pass.failed_at(at) } else { pass.answered(Verdict::Unknown) }
            }
        }
    }
}
