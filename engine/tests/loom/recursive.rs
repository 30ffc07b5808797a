//! Models of the lock that its thread may take again.

use crate::model;
use lanes_engine::park::recursive::RecursiveLock;
use lanes_engine::park::{Deadline, Refusal, Request, Wait, Waiter};
use lanes_engine::sync::Arc;
use lanes_engine::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// What several threads contend for, and how many are inside.
#[derive(Clone)]
struct Contended {
    lock: Arc<RecursiveLock>,
    inside: Arc<AtomicUsize>,
}

impl Contended {
    fn new() -> Contended {
        Contended {
            lock: Arc::new(RecursiveLock::new()),
            inside: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// Takes the lock, sees that nobody else is inside, and gives it back.
    fn visit(&self, waiter: &Arc<Waiter>) -> Result<(), Refusal> {
        self.lock.lock(&Wait {
            waiter,
            deadline: Deadline::Never,
            interrupted: None,
        })?;
        assert_eq!(self.inside.fetch_add(1, Ordering::Relaxed), 0);
        assert_eq!(self.inside.fetch_sub(1, Ordering::Relaxed), 1);
        self.lock.unlock();
        Ok(())
    }
}

#[test]
fn everybody_gets_the_lock_alone() {
    model(3, || {
        let contended = Contended::new();
        let others: Vec<_> = (0..2)
            .map(|_| {
                let contended = contended.clone();
                thread::spawn(move || contended.visit(&Waiter::new()))
            })
            .collect();
        assert_eq!(contended.visit(&Waiter::new()), Ok(()));
        for other in others {
            assert_eq!(other.join().unwrap(), Ok(()));
        }
    });
}

#[test]
fn a_request_against_handing_over() {
    model(3, || {
        let contended = Contended::new();
        let waiter = Waiter::new();
        let asked = {
            let (contended, waiter) = (contended.clone(), Arc::clone(&waiter));
            thread::spawn(move || contended.visit(&waiter))
        };
        let canceller = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || waiter.cancel(Request::Hard, true))
        };
        assert_eq!(contended.visit(&Waiter::new()), Ok(()));
        let outcome = asked.join().unwrap();
        assert!(outcome.is_ok() || outcome == Err(Refusal::Request(Request::Hard)));
        canceller.join().unwrap();
        // Whoever gave up does not have it.
        assert_eq!(contended.visit(&Waiter::new()), Ok(()));
    });
}
