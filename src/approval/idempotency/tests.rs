//! Tests of idempotency.

use std::sync::atomic::AtomicU32;

use super::*;
use crate::octopus::ChangeResponseBody;

const CALLER: KeyDigest = [9; 32];

fn reply() -> ChangeResponse {
    reply_with(bytes::Bytes::new())
}

fn reply_with(body: bytes::Bytes) -> ChangeResponse {
    let size = body.len();
    ChangeResponse::new(
        "application/json".to_owned(),
        size,
        ChangeResponseBody::Raw(body),
        Arc::default(),
    )
}

/// The key of a request that is issued now for this change.
fn approved(change: u8) -> IdempotencyKey {
    IdempotencyKey::Approved { change: [change; 32], requested: Uuid::now_v7() }
}

async fn execute(store: &IdempotencyStore, name: IdempotencyKey) -> Result<bool, NotExecuted> {
    let (result, repeated) =
        store.execute_once(CALLER, name, *name.digest(), false, async { Ok(reply()) }).await?;
    assert!(result.is_ok());
    Ok(repeated)
}

#[tokio::test]
async fn executes_repeated_change_once_after_cancellation() {
    let (store, count) = (IdempotencyStore::new(Store::in_memory()), Arc::new(AtomicU32::new(0)));
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
            Ok(reply())
        }
    };
    let name = approved(1);
    let first = work(Arc::clone(&count));
    {
        // The call is cancelled as soon as the work has started.
        let call = store.execute_once(CALLER, name, [0; 32], false, first);
        tokio::select! { biased; _ = started => {}, _ = call => {} }
    }
    let again = store.execute_once(CALLER, name, [0; 32], false, work(Arc::clone(&count))).await;
    assert!(again.unwrap().1);
    let other = store.execute_once(CALLER, name, [5; 32], false, work(Arc::clone(&count))).await;
    assert_eq!(other.unwrap_err(), NotExecuted::KeyReused);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn retries_rejected_changes_but_not_unknown_outcomes() {
    let store = IdempotencyStore::new(Store::in_memory());
    let rejected = async { Err(Error::Rejected { status: 400, message: "no".to_owned() }) };
    let lost = async { Err(Error::TimedOut { timeout: RETENTION }) };
    let (one, two) = (IdempotencyKey::Caller([1; 32]), IdempotencyKey::Caller([2; 32]));
    assert!(store.execute_once(CALLER, one, [1; 32], false, rejected).await.unwrap().0.is_err());
    assert_eq!(execute(&store, one).await, Ok(false));
    assert!(store.execute_once(CALLER, two, [2; 32], false, lost).await.unwrap().0.is_err());
    let again =
        store.execute_once(CALLER, two, [2; 32], false, async { Ok(reply()) }).await.unwrap();
    assert!(again.0.is_err() && again.1);
}

#[tokio::test]
async fn bounds_memory_of_replies() {
    let store = IdempotencyStore::new(Store::in_memory());
    let large = bytes::Bytes::from(vec![b'x'; 16 * 1024 * 1024]);
    for number in 0..10 {
        let answer = reply_with(large.clone());
        let work = async { Ok(answer) };
        let name = approved(number);
        assert!(store.execute_once(CALLER, name, [0; 32], false, work).await.unwrap().0.is_ok());
    }
    store.executions.run_pending_tasks();
    assert!(store.executions.weighted_size() <= MAX_REPLY_BYTES);
    assert!(store.executions.entry_count() <= 4);
}

/// On, off and on again are three changes, although none of them needs approval.
#[tokio::test]
async fn unapproved_call_repeats_until_another_call() {
    let store = IdempotencyStore::new(Store::in_memory());
    let (on, off) =
        (IdempotencyKey::UnapprovedCall([1; 32]), IdempotencyKey::UnapprovedCall([2; 32]));
    assert_eq!(execute(&store, on).await, Ok(false));
    assert_eq!(execute(&store, on).await, Ok(true));
    assert_eq!(execute(&store, off).await, Ok(false));
    assert_eq!(execute(&store, on).await, Ok(false));
}
#[tokio::test]
async fn does_not_repeat_changes_whose_reply_was_evicted() {
    let store = IdempotencyStore::with_capacity(1, ExecutedChanges::default());
    let names = [approved(1), IdempotencyKey::Caller([2; 32])];
    for name in names {
        assert_eq!(execute(&store, name).await, Ok(false));
        store.executions.run_pending_tasks();
        assert!(store.executions.get(name.digest()).is_none(), "too large to keep");
    }
    for name in names {
        assert_eq!(execute(&store, name).await, Err(NotExecuted::ReplyEvicted));
        let found = store.find(&CALLER, name, name.digest()).await;
        assert_eq!(found.map(|execution| execution.is_some()), Err(NotExecuted::ReplyEvicted));
        let other = store.find(&CALLER, name, &[5; 32]).await;
        assert_eq!(other.map(|execution| execution.is_some()), Err(NotExecuted::KeyReused));
    }
}

#[tokio::test]
async fn rejects_keyed_changes_beyond_capacity() {
    let store = IdempotencyStore::with_capacity(MAX_REPLY_BYTES, ExecutedChanges::with_capacity(2));
    for (name, expected) in [
        (approved(1), Ok(false)),
        (IdempotencyKey::Caller([2; 32]), Ok(false)),
        (approved(3), Err(NotExecuted::CapacityReached)),
        (IdempotencyKey::Caller([2; 32]), Ok(true)),
        (IdempotencyKey::UnapprovedCall([4; 32]), Ok(false)),
    ] {
        assert_eq!(execute(&store, name).await, expected, "{name:?}");
    }
    let rejected = async { Err(Error::Rejected { status: 400, message: String::new() }) };
    let store = IdempotencyStore::with_capacity(MAX_REPLY_BYTES, ExecutedChanges::with_capacity(1));
    let name = approved(1);
    assert!(
        store
            .execute_once(CALLER, name, *name.digest(), false, rejected)
            .await
            .is_ok_and(|(r, _)| r.is_err())
    );
    assert_eq!(execute(&store, name).await, Ok(false), "a rejected change was not executed");
}

/// Two approval requests for one change: the first approval sends it, and the second gets its
/// outcome, also when the reply was evicted.
#[tokio::test]
async fn two_approvals_of_one_change_execute_it_once() {
    for store in [
        IdempotencyStore::new(Store::in_memory()),
        IdempotencyStore::with_capacity(1, ExecutedChanges::default()),
    ] {
        let (first, second) = (approved(1), approved(1));
        assert_eq!(execute(&store, second).await, Ok(false));
        store.executions.run_pending_tasks();
        let kept = store.executions.get(first.digest()).is_some();
        for again in [first, second] {
            let expected = if kept { Ok(true) } else { Err(NotExecuted::ReplyEvicted) };
            assert_eq!(execute(&store, again).await, expected, "{again:?}");
            let found = store
                .find(&CALLER, again, again.digest())
                .await
                .map(|execution| execution.is_some());
            assert_eq!(found, if kept { Ok(true) } else { Err(NotExecuted::ReplyEvicted) });
        }
        // A request that is issued now is for a new, equal change, and the old requests are over.
        let third = approved(1);
        assert!(matches!(store.find(&CALLER, third, third.digest()).await, Ok(None)));
        assert_eq!(execute(&store, third).await, Ok(false));
        store.executions.run_pending_tasks();
        for again in [first, second, third] {
            let expected = if kept { Ok(true) } else { Err(NotExecuted::ReplyEvicted) };
            assert_eq!(execute(&store, again).await, expected, "{again:?}");
        }
    }
}

/// An approval request that is issued while the change is running is for that change.
#[tokio::test]
async fn approval_during_execution_joins_it() {
    let store = IdempotencyStore::new(Store::in_memory());
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let work = async {
        let _ = finished.await;
        Ok(reply())
    };
    let first = approved(1);
    let one = store.execute_once(CALLER, first, *first.digest(), false, work);
    let two = async {
        let second = approved(1);
        let two = store
            .execute_once(CALLER, second, *second.digest(), false, async { panic!("sent again") });
        let (two, ()) = tokio::join!(two, async { finish.send(()).unwrap() });
        two
    };
    let (one, two) = tokio::join!(one, two);
    assert!(!one.unwrap().1);
    assert!(two.unwrap().1);
}

/// Octopus rejects an equal change that is requested later. Requests from before the first
/// execution still get the outcome of that execution.
#[tokio::test]
async fn rejected_equal_change_keeps_the_previous_one() {
    for store in [
        IdempotencyStore::new(Store::in_memory()),
        IdempotencyStore::with_capacity(1, ExecutedChanges::default()),
    ] {
        let (first, second) = (approved(1), approved(1));
        assert_eq!(execute(&store, first).await, Ok(false));
        store.executions.run_pending_tasks();
        let kept = store.executions.get(first.digest()).is_some();
        let expected = if kept { Ok(true) } else { Err(NotExecuted::ReplyEvicted) };
        for _ in 0..2 {
            let third = approved(1);
            let rejected = async { Err(Error::Rejected { status: 400, message: String::new() }) };
            let rejected =
                store.execute_once(CALLER, third, *third.digest(), false, rejected).await;
            assert!(rejected.is_ok_and(|(result, repeated)| result.is_err() && !repeated));
            store.executions.run_pending_tasks();
            assert_eq!(execute(&store, second).await, expected);
        }
        assert_eq!(execute(&store, approved(1)).await, Ok(false));
    }
}

#[tokio::test]
async fn panic_does_not_block_later_requests() {
    let store = IdempotencyStore::new(Store::in_memory());
    let (first, second) = (approved(1), approved(1));
    let panics = async { panic!("in the middle") };
    let (result, _) =
        store.execute_once(CALLER, first, *first.digest(), false, panics).await.unwrap();
    assert!(result.is_err_and(|error| !error.is_rejection()));
    let again =
        store.execute_once(CALLER, second, *second.digest(), false, async { Ok(reply()) }).await;
    assert!(
        again.is_ok_and(|(result, repeated)| result.is_err() && repeated),
        "the outcome is unknown"
    );
    assert_eq!(execute(&store, approved(1)).await, Ok(false));
}
