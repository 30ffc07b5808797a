//! Models of the cache of threads.

use crate::{model, wait_for};
use lanes_engine::park::Latch;
use lanes_engine::sync::Arc;
use lanes_engine::sync::atomic::{AtomicUsize, Ordering};
use lanes_engine::threads::pool::{Ending, Job, Pool, Reuse};
use loom::thread;
use std::time::Duration;

/// Jobs that count themselves, and a latch that opens after the last.
fn job(done: &Arc<AtomicUsize>, all: usize, latch: &Arc<Latch>) -> Job {
    let (done, latch) = (Arc::clone(done), Arc::clone(latch));
    Box::new(move |ending: &Ending| {
        ending.begin();
        if done.fetch_add(1, Ordering::AcqRel) + 1 == all {
            latch.open();
        }
        Reuse::Keep
    })
}

/// Every job runs once, whether there is an idle thread, one that is about to end, or none; and
/// every thread ends.
#[test]
fn handing_out_a_thread_against_its_leaving() {
    model(2, || {
        let pool = Pool::new(Duration::ZERO);
        let (done, latch) = (Arc::new(AtomicUsize::new(0)), Arc::new(Latch::new()));
        pool.launch(job(&done, 2, &latch), 0).unwrap();
        let clock = {
            let pool = pool.clone();
            thread::spawn(move || pool.expire())
        };
        pool.launch(job(&done, 2, &latch), 0).unwrap();
        wait_for(&latch);
        assert_eq!(done.load(Ordering::Acquire), 2);
        clock.join().unwrap();
    });
}

#[test]
fn two_launchers_never_get_the_same_thread() {
    model(2, || {
        let pool = Pool::new(Duration::ZERO);
        let (done, latch) = (Arc::new(AtomicUsize::new(0)), Arc::new(Latch::new()));
        pool.launch(job(&done, 3, &latch), 0).unwrap();
        let other = {
            let (pool, job) = (pool.clone(), job(&done, 3, &latch));
            thread::spawn(move || pool.launch(job, 0).unwrap())
        };
        pool.launch(job(&done, 3, &latch), 0).unwrap();
        wait_for(&latch);
        other.join().unwrap();
        pool.expire();
    });
}

/// No job is lost with a thread that is let go, whenever the job comes.
#[test]
fn handing_out_a_thread_against_its_being_let_go() {
    model(2, || {
        let pool = Pool::new(Duration::ZERO);
        let (done, latch) = (Arc::new(AtomicUsize::new(0)), Arc::new(Latch::new()));
        let first = job(&done, 2, &latch);
        let let_go = move |ending: &Ending| {
            first(ending);
            Reuse::LetGo
        };
        pool.launch(Box::new(let_go), 0).unwrap();
        pool.launch(job(&done, 2, &latch), 0).unwrap();
        wait_for(&latch);
        assert_eq!(done.load(Ordering::Acquire), 2);
        pool.expire();
    });
}

/// Jobs with different stacks, whose threads become idle in any order: each job runs once,
/// whichever threads are idle.
#[test]
fn threads_with_different_stacks() {
    model(2, || {
        let pool = Pool::new(Duration::ZERO);
        let (done, latch) = (Arc::new(AtomicUsize::new(0)), Arc::new(Latch::new()));
        pool.launch(job(&done, 3, &latch), 0).unwrap();
        pool.launch(job(&done, 3, &latch), 1).unwrap();
        pool.launch(job(&done, 3, &latch), 0).unwrap();
        wait_for(&latch);
        assert_eq!(done.load(Ordering::Acquire), 3);
        pool.expire();
    });
}
