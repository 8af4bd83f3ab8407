//! Tests of fairness, cancellation, budgets and panics. They use channels instead of clocks.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{Budget, CallerKey, ComputeError, ComputePool};

const LONG: Duration = Duration::from_hours(1);

fn caller(number: u8) -> CallerKey {
    CallerKey::new([number; 32])
}

/// Enqueues a job; fails if the job is already done.
fn enqueue<F: Future>(job: std::pin::Pin<&mut F>) {
    let polled = job.poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
}

/// A job that reports its start and then runs until it is released.
fn blocking_job() -> (impl FnOnce() + Send + 'static, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (started_sender, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let job = move || {
        started_sender.send(()).unwrap();
        let _ = released.recv();
    };
    (job, has_started, release)
}

#[tokio::test]
async fn busy_caller_delays_another_by_one_job() {
    let pool = ComputePool::new(1, LONG);
    // A job of a third caller holds the slot until both callers have queued theirs.
    let (block, has_started, release) = blocking_job();
    let mut holding = Box::pin(pool.run(caller(0), move |_| {
        block();
        Ok(())
    }));
    enqueue(holding.as_mut());
    has_started.recv().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let log = |name: &'static str| {
        let order = Arc::clone(&order);
        move |_: &Budget| {
            order.lock().unwrap().push(name);
            Ok(())
        }
    };
    let mut flood: Vec<_> = (0..64).map(|_| Box::pin(pool.run(caller(1), log("flood")))).collect();
    for job in &mut flood {
        enqueue(job.as_mut());
    }
    let mut small = Box::pin(pool.run(caller(2), log("small")));
    enqueue(small.as_mut());
    drop(release);
    holding.await.unwrap();
    // All futures are polled together: a job that has its slot but is not polled would keep it.
    let (flood, small) = futures::join!(futures::future::join_all(flood), small);
    small.unwrap();
    assert!(flood.into_iter().all(|done| done.is_ok()));
    let order = std::mem::take(&mut *order.lock().unwrap());
    assert_eq!(order[..3], ["flood", "small", "flood"]);
    assert_eq!((order.len(), pool.caller_count()), (65, 0));
}

#[tokio::test]
async fn one_caller_uses_at_most_half_the_slots() {
    let pool = ComputePool::new(4, LONG);
    let (started, starts) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let mut jobs: Vec<_> = (0..8)
        .map(|number| {
            let (started, released) = (started.clone(), Arc::clone(&released));
            Box::pin(pool.run(caller(1), move |_| {
                started.send(number).unwrap();
                // Ends for every job when the sender is dropped.
                let _ = released.lock().unwrap().recv();
                Ok(())
            }))
        })
        .collect();
    for job in &mut jobs {
        enqueue(job.as_mut());
    }
    let mut first = [starts.recv().unwrap(), starts.recv().unwrap()];
    first.sort_unstable();
    assert_eq!(first, [0, 1]);
    // The other slots are free: a job of another caller runs at once, and no third job has started.
    pool.run(caller(2), |_| Ok(())).await.unwrap();
    assert!(starts.try_recv().is_err());
    drop(release);
    for job in jobs {
        job.await.unwrap();
    }
}

#[tokio::test]
async fn dropping_the_future_cancels_a_running_job() {
    let pool = ComputePool::new(1, LONG);
    let (started_sender, has_started) = mpsc::channel();
    let (ended, end) = mpsc::channel();
    let mut job = Box::pin(pool.run(caller(1), move |budget| {
        started_sender.send(()).unwrap();
        let stopped = loop {
            if let Err(stopped) = budget.check() {
                break stopped;
            }
            std::thread::yield_now();
        };
        ended.send(stopped).unwrap();
        Ok(())
    }));
    enqueue(job.as_mut());
    has_started.recv().unwrap();
    drop(job);
    assert_eq!(end.recv().unwrap(), super::JobStopped::Cancelled);
    pool.run(caller(1), |_| Ok(())).await.unwrap();
    assert_eq!(pool.caller_count(), 0);
}

#[tokio::test]
async fn dropped_future_leaves_the_queue() {
    let pool = ComputePool::new(1, LONG);
    let (block, has_started, release) = blocking_job();
    let mut first = Box::pin(pool.run(caller(1), move |_| {
        block();
        Ok(())
    }));
    enqueue(first.as_mut());
    has_started.recv().unwrap();
    for number in [1, 2] {
        let mut waiting = Box::pin(
            pool.run(caller(number), |_| -> Result<(), _> { panic!("the job must not run") }),
        );
        enqueue(waiting.as_mut());
        drop(waiting);
    }
    assert_eq!(pool.caller_count(), 1);
    drop(release);
    first.await.unwrap();
    pool.run(caller(2), |_| Ok(())).await.unwrap();
    assert_eq!(pool.caller_count(), 0);
}

#[tokio::test]
async fn panic_becomes_an_error_and_frees_the_slot() {
    let pool = ComputePool::new(1, LONG);
    for _ in 0..3 {
        let failed = pool.run(caller(1), |_| -> Result<(), _> { panic!("on purpose") }).await;
        assert_eq!(failed, Err(ComputeError::Panicked));
    }
    assert_eq!(pool.run(caller(1), |_| Ok(7)).await, Ok(7));
    assert_eq!(pool.caller_count(), 0);
}

#[tokio::test]
async fn jobs_of_one_call_share_its_budget() {
    let pool = ComputePool::new(1, Duration::from_millis(1));
    let call = pool.scope(caller(1));
    let endless = |budget: &Budget| -> Result<(), ComputeError> {
        loop {
            budget.check()?;
            std::thread::yield_now();
        }
    };
    let spent = ComputeError::BudgetSpent(Duration::from_millis(1));
    assert_eq!(call.run(endless).await, Err(spent));
    assert_eq!(call.run(|_| Ok(())).await, Err(spent));
    // Another call has its own budget.
    let other = pool.with_call_time(LONG).scope(caller(1));
    assert_eq!(other.run(|_| Ok(())).await, Ok(()));
}

#[test]
fn small_work_runs_inline() {
    let pool = ComputePool::new(1, LONG);
    let call = pool.scope(caller(1));
    // Without a runtime there are no blocking threads.
    let small = pin!(call.run_sized(super::INLINE_BYTES, || 7));
    let polled = small.poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(Ok(7)));
}
