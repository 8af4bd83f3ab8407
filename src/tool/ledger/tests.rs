//! Tests of idempotency.

use std::sync::atomic::AtomicU32;

use super::*;
use crate::octopus::ReplyBody;

const ME: Key = [9; 32];

fn answer() -> Reply {
    answer_of(bytes::Bytes::new())
}

fn answer_of(body: bytes::Bytes) -> Reply {
    let size = body.len();
    Reply::new("application/json".to_owned(), size, ReplyBody::Raw(body), Arc::default())
}

/// The key of a request that is issued now for this change.
fn asked(change: u8) -> Name {
    Name::Asked { change: [change; 32], asked: Uuid::now_v7() }
}

async fn done(ledger: &Ledger, name: Name) -> Result<bool, Undone> {
    let (result, repeated) =
        ledger.once(ME, name, *name.key(), false, async { Ok(answer()) }).await?;
    assert!(result.is_ok());
    Ok(repeated)
}

#[tokio::test]
async fn what_comes_twice_is_done_once_even_when_nobody_waits() {
    let (ledger, count) = (Ledger::new(Store::memory()), Arc::new(AtomicU32::new(0)));
    let (start, started) = tokio::sync::oneshot::channel();
    let mut start = Some(start);
    let mut work = |count: Arc<AtomicU32>| {
        let start = start.take();
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            if let Some(start) = start {
                let _ = start.send(());
            }
            tokio::task::yield_now().await;
            Ok(answer())
        }
    };
    let name = asked(1);
    let first = work(Arc::clone(&count));
    {
        // The caller gives up as soon as the work has begun.
        let call = ledger.once(ME, name, [0; 32], false, first);
        tokio::select! { biased; _ = started => {}, _ = call => {} }
    }
    let again = ledger.once(ME, name, [0; 32], false, work(Arc::clone(&count))).await;
    assert!(again.unwrap().1);
    let other = ledger.once(ME, name, [5; 32], false, work(Arc::clone(&count))).await;
    assert_eq!(other.unwrap_err(), Undone::OtherCall);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_octopus_refused_may_be_tried_again_and_what_may_have_happened_may_not() {
    let ledger = Ledger::new(Store::memory());
    let refused = async { Err(Error::Rejected { status: 400, message: "no".to_owned() }) };
    let lost = async { Err(Error::TimedOut { after: KEPT }) };
    let (one, two) = (Name::Given([1; 32]), Name::Given([2; 32]));
    assert!(ledger.once(ME, one, [1; 32], false, refused).await.unwrap().0.is_err());
    assert_eq!(done(&ledger, one).await, Ok(false));
    assert!(ledger.once(ME, two, [2; 32], false, lost).await.unwrap().0.is_err());
    let again = ledger.once(ME, two, [2; 32], false, async { Ok(answer()) }).await.unwrap();
    assert!(again.0.is_err() && again.1);
}

#[tokio::test]
async fn large_answers_are_not_kept_without_end() {
    let ledger = Ledger::new(Store::memory());
    let large = bytes::Bytes::from(vec![b'x'; 16 * 1024 * 1024]);
    for number in 0..10 {
        let answer = answer_of(large.clone());
        let work = async { Ok(answer) };
        let name = asked(number);
        assert!(ledger.once(ME, name, [0; 32], false, work).await.unwrap().0.is_ok());
    }
    ledger.deeds.run_pending_tasks();
    assert!(ledger.deeds.weighted_size() <= KEPT_BYTES);
    assert!(ledger.deeds.entry_count() <= 4);
}

/// On, off and on again are three changes, although none of them needs approval.
#[tokio::test]
async fn a_call_is_the_same_until_its_caller_makes_another() {
    let ledger = Ledger::new(Store::memory());
    let (on, off) = (Name::Call([1; 32]), Name::Call([2; 32]));
    assert_eq!(done(&ledger, on).await, Ok(false));
    assert_eq!(done(&ledger, on).await, Ok(true));
    assert_eq!(done(&ledger, off).await, Ok(false));
    assert_eq!(done(&ledger, on).await, Ok(false));
}
#[tokio::test]
async fn what_was_done_is_not_done_again_when_its_answer_is_forgotten() {
    let ledger = Ledger::of(1, Done::default());
    let names = [asked(1), Name::Given([2; 32])];
    for name in names {
        assert_eq!(done(&ledger, name).await, Ok(false));
        ledger.deeds.run_pending_tasks();
        assert!(ledger.deeds.get(name.key()).is_none(), "too large to keep");
    }
    for name in names {
        assert_eq!(done(&ledger, name).await, Err(Undone::Forgotten));
        let found = ledger.find(&ME, name, name.key()).await;
        assert_eq!(found.map(|deed| deed.is_some()), Err(Undone::Forgotten));
        let other = ledger.find(&ME, name, &[5; 32]).await;
        assert_eq!(other.map(|deed| deed.is_some()), Err(Undone::OtherCall));
    }
}

#[tokio::test]
async fn while_more_was_done_than_can_be_known_nothing_with_a_name_is_done() {
    let ledger = Ledger::of(KEPT_BYTES, Done::of(2));
    for (name, comes_to) in [
        (asked(1), Ok(false)),
        (Name::Given([2; 32]), Ok(false)),
        (asked(3), Err(Undone::Full)),
        (Name::Given([2; 32]), Ok(true)),
        (Name::Call([4; 32]), Ok(false)),
    ] {
        assert_eq!(done(&ledger, name).await, comes_to, "{name:?}");
    }
    let refused = async { Err(Error::Rejected { status: 400, message: String::new() }) };
    let ledger = Ledger::of(KEPT_BYTES, Done::of(1));
    let name = asked(1);
    assert!(
        ledger.once(ME, name, *name.key(), false, refused).await.is_ok_and(|(r, _)| r.is_err())
    );
    assert_eq!(done(&ledger, name).await, Ok(false), "a refused change was not executed");
}

/// Two approval requests for one change: the first approval sends it, and the second gets its
/// outcome, also when the reply was evicted.
#[tokio::test]
async fn change_that_was_asked_for_twice_before_it_was_made_is_made_once() {
    for ledger in [Ledger::new(Store::memory()), Ledger::of(1, Done::default())] {
        let (first, second) = (asked(1), asked(1));
        assert_eq!(done(&ledger, second).await, Ok(false));
        ledger.deeds.run_pending_tasks();
        let kept = ledger.deeds.get(first.key()).is_some();
        for again in [first, second] {
            let comes_to = if kept { Ok(true) } else { Err(Undone::Forgotten) };
            assert_eq!(done(&ledger, again).await, comes_to, "{again:?}");
            let found = ledger.find(&ME, again, again.key()).await.map(|deed| deed.is_some());
            assert_eq!(found, if kept { Ok(true) } else { Err(Undone::Forgotten) });
        }
        // A request that is issued now is for a new, equal change, and the old requests are over.
        let third = asked(1);
        assert!(matches!(ledger.find(&ME, third, third.key()).await, Ok(None)));
        assert_eq!(done(&ledger, third).await, Ok(false));
        ledger.deeds.run_pending_tasks();
        for again in [first, second, third] {
            let comes_to = if kept { Ok(true) } else { Err(Undone::Forgotten) };
            assert_eq!(done(&ledger, again).await, comes_to, "{again:?}");
        }
    }
}

/// An approval request that is issued while the change is running is for that change.
#[tokio::test]
async fn question_asked_during_the_change_joins_it() {
    let ledger = Ledger::new(Store::memory());
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let work = async {
        let _ = finished.await;
        Ok(answer())
    };
    let first = asked(1);
    let one = ledger.once(ME, first, *first.key(), false, work);
    let two = async {
        let second = asked(1);
        let two = ledger.once(ME, second, *second.key(), false, async { panic!("sent again") });
        let (two, ()) = tokio::join!(two, async { finish.send(()).unwrap() });
        two
    };
    let (one, two) = tokio::join!(one, two);
    assert!(!one.unwrap().1);
    assert!(two.unwrap().1);
}

/// Octopus refuses an equal change that is requested later. Requests from before the first
/// execution still get its outcome.
#[tokio::test]
async fn refused_equal_change_does_not_erase_the_one_before() {
    for ledger in [Ledger::new(Store::memory()), Ledger::of(1, Done::default())] {
        let (first, second) = (asked(1), asked(1));
        assert_eq!(done(&ledger, first).await, Ok(false));
        ledger.deeds.run_pending_tasks();
        let kept = ledger.deeds.get(first.key()).is_some();
        let comes_to = if kept { Ok(true) } else { Err(Undone::Forgotten) };
        for _ in 0..2 {
            let third = asked(1);
            let refused = async { Err(Error::Rejected { status: 400, message: String::new() }) };
            let refused = ledger.once(ME, third, *third.key(), false, refused).await;
            assert!(refused.is_ok_and(|(result, repeated)| result.is_err() && !repeated));
            ledger.deeds.run_pending_tasks();
            assert_eq!(done(&ledger, second).await, comes_to);
        }
        assert_eq!(done(&ledger, asked(1)).await, Ok(false));
    }
}

#[tokio::test]
async fn panic_during_a_change_does_not_block_the_next_question() {
    let ledger = Ledger::new(Store::memory());
    let (first, second) = (asked(1), asked(1));
    let panics = async { panic!("in the middle") };
    let (result, _) = ledger.once(ME, first, *first.key(), false, panics).await.unwrap();
    assert!(result.is_err_and(|error| !error.is_refusal()));
    let again = ledger.once(ME, second, *second.key(), false, async { Ok(answer()) }).await;
    assert!(
        again.is_ok_and(|(result, repeated)| result.is_err() && repeated),
        "the outcome is unknown"
    );
    assert_eq!(done(&ledger, asked(1)).await, Ok(false));
}
