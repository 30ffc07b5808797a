//! Models of the locks that have names.

use crate::model;
use lanes_engine::park::named::{Locks, Party, Refused};
use lanes_engine::park::{Deadline, Refusal, Request, Wait, Waiter};
use lanes_engine::sync::Arc;
use lanes_engine::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Takes a lock for the owner of this waiter.
fn take(locks: &Locks, waiter: &Arc<Waiter>, name: &[u8]) -> Result<(), Refused> {
    let wait = Wait {
        waiter,
        deadline: Deadline::Never,
        interrupted: None,
        sleeps: None,
    };
    locks.lock(Party::of(waiter), name, &wait)
}

/// A lock that several threads take, and how many hold it.
#[derive(Clone)]
struct Contended {
    locks: Arc<Locks>,
    inside: Arc<AtomicUsize>,
}

impl Contended {
    fn new() -> Contended {
        Contended {
            locks: Arc::new(Locks::default()),
            inside: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// Takes the lock, checks that no other thread holds it, and releases it.
    fn visit(&self, waiter: &Arc<Waiter>) -> Result<(), Refused> {
        take(&self.locks, waiter, b"a")?;
        assert_eq!(self.inside.fetch_add(1, Ordering::Relaxed), 0);
        assert_eq!(self.inside.fetch_sub(1, Ordering::Relaxed), 1);
        self.locks.unlock(Party::of(waiter), b"a");
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
        assert!(outcome.is_ok() || outcome == Err(Refused::Wait(Refusal::Request(Request::Hard))));
        canceller.join().unwrap();
        // The thread whose wait ended does not hold it.
        assert_eq!(contended.visit(&Waiter::new()), Ok(()));
    });
}

#[test]
fn locks_taken_in_both_orders_are_had_by_both() {
    model(3, || {
        let locks = Arc::new(Locks::default());
        let both = |locks: &Locks, first: &[u8], second: &[u8]| {
            let waiter = Waiter::new();
            assert_eq!(take(locks, &waiter, first), Ok(()));
            assert_eq!(take(locks, &waiter, second), Ok(()));
            locks.unlock(Party::of(&waiter), second);
            locks.unlock(Party::of(&waiter), first);
        };
        let other = {
            let locks = Arc::clone(&locks);
            thread::spawn(move || both(&locks, b"b", b"a"))
        };
        both(&locks, b"a", b"b");
        other.join().unwrap();
    });
}

#[test]
fn a_wait_for_somebody_who_waits_for_the_lock_is_refused() {
    model(3, || {
        let locks = Arc::new(Locks::default());
        let (main, lane) = (Waiter::new(), Waiter::new());
        assert_eq!(take(&locks, &main, b"a"), Ok(()));
        let refused = {
            let (locks, lane) = (Arc::clone(&locks), Arc::clone(&lane));
            thread::spawn(move || take(&locks, &lane, b"a"))
        };
        // Before or after the other one began to wait.
        let noted = locks.waits(Party::of(&main), Party::of(&lane), false);
        assert!(noted.is_ok());
        assert!(matches!(refused.join().unwrap(), Err(Refused::Never(_))));
        locks.ended(Party::of(&main), Party::of(&lane), false);
        locks.unlock(Party::of(&main), b"a");
        assert_eq!(take(&locks, &lane, b"a"), Ok(()));
    });
}
