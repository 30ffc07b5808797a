//! Models of latches: the end of a lane, and threads that wait for it.

use crate::{model, wait_for};
use lanes_engine::park::{Deadline, Latch, Refusal, Request, Wait, Waiter};
use lanes_engine::sync::Arc;
use lanes_engine::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::time::Instant;

#[test]
fn join_against_finish() {
    model(4, || {
        let latch = Arc::new(Latch::new());
        let result = Arc::new(AtomicUsize::new(0));
        let joiners: Vec<_> = (0..2)
            .map(|_| {
                let (latch, result) = (Arc::clone(&latch), Arc::clone(&result));
                thread::spawn(move || {
                    wait_for(&latch);
                    assert_eq!(result.load(Ordering::Relaxed), 1);
                })
            })
            .collect();
        result.store(1, Ordering::Relaxed);
        latch.open();
        for joiner in joiners {
            joiner.join().unwrap();
        }
    });
}

#[test]
fn join_against_finish_and_deadline() {
    model(4, || {
        let latch = Arc::new(Latch::new());
        let waiter = Waiter::new();
        let joiner = {
            let (latch, waiter) = (Arc::clone(&latch), Arc::clone(&waiter));
            thread::spawn(move || {
                let wait = Wait {
                    waiter: &waiter,
                    deadline: Deadline::At(Instant::now()),
                    interrupted: None,
                    sleeps: None,
                };
                latch.wait(&wait)
            })
        };
        let clock = thread::spawn(move || {
            waiter.cancel(Request::Soft, true);
            waiter.expire();
        });
        latch.open();
        clock.join().unwrap();
        assert!(matches!(
            joiner.join().unwrap(),
            Ok(()) | Err(Refusal::TimedOut)
        ));
        assert!(latch.is_open());
    });
}
