//! Tests of the locks that have names.

use super::*;
use crate::park::Deadline;
use crate::sync::thread;
use std::sync::atomic::{AtomicUsize, Ordering};

fn wait(waiter: &Arc<Waiter>) -> Wait<'_> {
    Wait {
        waiter,
        deadline: Deadline::Never,
        interrupted: None,
        sleeps: None,
    }
}

/// Takes a lock for the owner of this waiter.
fn take(locks: &Locks, waiter: &Arc<Waiter>, name: &str) -> Result<(), Refused> {
    locks.lock(Party::of(waiter), name.as_bytes(), &wait(waiter))
}

fn give(locks: &Locks, waiter: &Arc<Waiter>, name: &str) {
    locks.unlock(Party::of(waiter), name.as_bytes());
}

fn waits(locks: &Locks, from: &Arc<Waiter>, to: &Arc<Waiter>, lends: bool) {
    locks.waits(Party::of(from), Party::of(to), lends).unwrap();
}

fn until_waiting(locks: &Locks, count: usize) {
    while locks.0.lock().queue.len() < count {
        thread::yield_now();
    }
}

fn step(waiter: &Arc<Waiter>, lock: Option<&str>) -> Step {
    Step {
        party: Party::of(waiter),
        lock: lock.map(|name| name.as_bytes().to_vec()),
    }
}

fn is_empty(locks: &Locks) -> bool {
    let table = locks.0.lock();
    table.held.is_empty() && table.queue.is_empty()
}

#[test]
fn one_party_at_a_time_as_often_as_it_likes() {
    let (locks, inside) = (Locks::default(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let waiter = Waiter::new();
                for _ in 0..1000 {
                    assert_eq!(take(&locks, &waiter, "a"), Ok(()));
                    assert_eq!(take(&locks, &waiter, "a"), Ok(()));
                    assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                    give(&locks, &waiter, "a");
                    assert_eq!(inside.fetch_sub(1, Ordering::Relaxed), 1);
                    give(&locks, &waiter, "a");
                }
            });
        }
    });
    assert!(is_empty(&locks));
}

#[test]
fn other_names_are_other_locks() {
    let (locks, here, there) = (Locks::default(), Waiter::new(), Waiter::new());
    assert_eq!(take(&locks, &here, "a"), Ok(()));
    assert_eq!(take(&locks, &there, "b"), Ok(()));
    assert_eq!(take(&locks, &there, ""), Ok(()));
}

#[test]
fn locks_taken_in_both_orders_are_lent() {
    let (locks, here, there) = (Locks::default(), Waiter::new(), Waiter::new());
    for _ in 0..100 {
        assert_eq!(take(&locks, &here, "a"), Ok(()));
        assert_eq!(take(&locks, &there, "b"), Ok(()));
        thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(take(&locks, &there, "a"), Ok(()));
                give(&locks, &there, "a");
                give(&locks, &there, "b");
            });
            assert_eq!(take(&locks, &here, "b"), Ok(()));
            give(&locks, &here, "b");
            give(&locks, &here, "a");
        });
        assert!(is_empty(&locks));
    }
}

#[test]
fn a_wait_that_lends_lends_and_another_one_is_an_error() {
    let (locks, main, lane) = (Locks::default(), Waiter::new(), Waiter::new());
    assert_eq!(take(&locks, &main, "a"), Ok(()));
    waits(&locks, &main, &lane, true);
    assert_eq!(take(&locks, &lane, "a"), Ok(()));
    give(&locks, &lane, "a");
    locks.ended(Party::of(&main), Party::of(&lane), true);
    waits(&locks, &main, &lane, false);
    let never = Refused::Never(vec![step(&main, None)]);
    assert_eq!(take(&locks, &lane, "a"), Err(never));
    assert_eq!(take(&locks, &lane, "b"), Ok(()));
}

#[test]
fn a_circle_is_found_whoever_comes_last() {
    let (locks, main) = (Locks::default(), Waiter::new());
    let (one, two) = (Waiter::new(), Waiter::new());
    // main has a and joins one; one has b and waits for c; two has c and waits for a.
    assert_eq!(take(&locks, &main, "a"), Ok(()));
    assert_eq!(take(&locks, &one, "b"), Ok(()));
    assert_eq!(take(&locks, &two, "c"), Ok(()));
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| {
            let outcome = take(&locks, &one, "c");
            give(&locks, &one, "c");
            give(&locks, &one, "b");
            locks.ended(Party::of(&main), Party::of(&one), false);
            give(&locks, &main, "a");
            outcome
        });
        until_waiting(&locks, 1);
        let second = scope.spawn(|| {
            let outcome = take(&locks, &two, "a");
            give(&locks, &two, "a");
            give(&locks, &two, "c");
            outcome
        });
        until_waiting(&locks, 2);
        waits(&locks, &main, &one, false);
        (first.join().unwrap(), second.join().unwrap())
    });
    let circle = vec![step(&two, Some("a")), step(&main, None)];
    let other = vec![step(&main, None), step(&one, Some("c"))];
    // Either party may be refused first; the other one can go on.
    match (first, second) {
        (Err(refused), Ok(())) => assert_eq!(refused, Refused::Never(circle)),
        (Ok(()), Err(refused)) => assert_eq!(refused, Refused::Never(other)),
        outcomes => panic!("{outcomes:?}"),
    }
    assert!(is_empty(&locks));
}

#[test]
fn a_lock_is_lent_so_often() {
    let locks = Locks::default();
    let parties: Vec<_> = (0..=MOST_HOLDERS).map(|_| Waiter::new()).collect();
    for (place, party) in parties.iter().enumerate() {
        if place > 0 {
            waits(&locks, &parties[place - 1], party, true);
        }
        let outcome = take(&locks, party, "a");
        assert_eq!(
            outcome,
            if place < MOST_HOLDERS {
                Ok(())
            } else {
                Err(Refused::Lent)
            }
        );
    }
    // In any order.
    for party in &parties {
        give(&locks, party, "a");
    }
    assert!(is_empty(&locks));
}

#[test]
fn a_hard_request_ends_the_wait_and_a_soft_one_does_not() {
    let (locks, here, there) = (Locks::default(), Waiter::new(), Waiter::new());
    assert_eq!(take(&locks, &here, "a"), Ok(()));
    thread::scope(|scope| {
        let thread = scope.spawn(|| take(&locks, &there, "a"));
        until_waiting(&locks, 1);
        there.cancel(Request::Soft, true);
        there.cancel(Request::Hard, true);
        let refused = Refused::Wait(Refusal::Request(Request::Hard));
        assert_eq!(thread.join().unwrap(), Err(refused));
    });
    assert!(locks.0.lock().queue.is_empty());
    thread::scope(|scope| {
        there.cancel(Request::Soft, true);
        let thread = scope.spawn(|| take(&locks, &there, "a"));
        until_waiting(&locks, 1);
        give(&locks, &here, "a");
        assert_eq!(thread.join().unwrap(), Ok(()));
    });
}

#[test]
fn an_interruption_ends_the_wait() {
    let (locks, here, there) = (Locks::default(), Waiter::new(), Waiter::new());
    assert_eq!(take(&locks, &here, "a"), Ok(()));
    let interrupted = || true;
    let refused = locks.lock(
        Party::of(&there),
        b"a",
        &Wait {
            waiter: &there,
            deadline: Deadline::Never,
            interrupted: Some(&interrupted),
            sleeps: None,
        },
    );
    assert_eq!(refused, Err(Refused::Wait(Refusal::Interrupted)));
    assert!(locks.0.lock().queue.is_empty());
}

#[test]
fn giving_back_what_one_does_not_have_is_nothing() {
    let (locks, here) = (Locks::default(), Waiter::new());
    give(&locks, &here, "a");
    locks.ended(Party::of(&here), Party::of(&here), true);
    assert!(is_empty(&locks));
}
