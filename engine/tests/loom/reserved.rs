//! Models of a thread that is taken before there is a job for it.

use crate::model;
use crate::wait_for;
use lanes_engine::park::{Deadline, Latch, Request, Wait, Waiter};
use lanes_engine::sync::Arc;
use lanes_engine::sync::atomic::{AtomicUsize, Ordering};
use lanes_engine::threads::pool::{Pool, Reuse};
use lanes_engine::threads::reserved::Reserved;
use loom::thread;
use std::time::Duration;

fn take(pool: &Pool) -> Reserved {
    Reserved::take(|job| pool.launch(job, 0), || Reuse::Keep).unwrap()
}

/// Calls are made one after the other, then the job; the owner sees what each call did.
#[test]
fn calls_then_the_job() {
    model(2, || {
        let pool = Pool::new(Duration::ZERO);
        let reserved = take(&pool);
        let waiter = Waiter::new();
        let wait = Wait {
            waiter: &waiter,
            deadline: Deadline::Never,
            interrupted: None,
            sleeps: None,
        };
        let count = Arc::new(AtomicUsize::new(0));
        for number in 0..2 {
            let there = Arc::clone(&count);
            let before = reserved.call(
                &wait,
                || true,
                move || there.fetch_add(1, Ordering::Relaxed),
            );
            assert_eq!(before.unwrap(), number);
        }
        assert_eq!(count.load(Ordering::Relaxed), 2);
        let (latch, there) = (Arc::new(Latch::new()), Arc::clone(&count));
        let opened = Arc::clone(&latch);
        reserved.finish(Box::new(move |_| {
            there.fetch_add(1, Ordering::Relaxed);
            opened.open();
            Reuse::Keep
        }));
        wait_for(&latch);
        assert_eq!(count.load(Ordering::Relaxed), 3);
        pool.expire();
    });
}

/// The owner gets a request at any moment: `asked` is called at most once, and the wait goes on to
/// the end of the call.
#[test]
fn a_call_against_a_request_to_the_caller() {
    model(2, || {
        let pool = Pool::new(Duration::ZERO);
        let reserved = take(&pool);
        let waiter = Waiter::new();
        let canceller = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || waiter.cancel(Request::Hard, true))
        };
        let hard = || waiter.request() == Request::Hard;
        let wait = Wait {
            waiter: &waiter,
            deadline: Deadline::Never,
            interrupted: Some(&hard),
            sleeps: None,
        };
        let mut told = 0;
        let asked = || {
            told += 1;
            true
        };
        assert_eq!(reserved.call(&wait, asked, || 42).unwrap(), 42);
        assert!(told <= 1);
        canceller.join().unwrap();
        drop(reserved);
        pool.expire();
    });
}
