//! Models of watchers: calls of `tell` against changes; no wake-up is lost.

use crate::{A, End, Numbers, contents, model};
use lanes_engine::park::{Countdown, Deadline, Latch, Refusal, SharedWatcher, Wait, Waiter};
use lanes_engine::queues::WatchFor;
use lanes_engine::sync::Arc;
use loom::thread;
use std::time::Instant;

fn wait(waiter: &Arc<Waiter>, deadline: Deadline) -> Wait<'_> {
    Wait {
        waiter,
        deadline,
        interrupted: None,
        sleeps: None,
    }
}

#[test]
fn watcher_set_against_an_element() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let sender = End::new(&queues);
        let sender = thread::spawn(move || sender.send_one(1));
        let waiter = Waiter::new();
        let countdown = Countdown::new(1, &waiter);
        let watcher: SharedWatcher = countdown.clone();
        queues.watch(&A, WatchFor::Elements, &watcher).unwrap();
        let over = || countdown.is_over();
        wait(&waiter, Deadline::Never).until(over).unwrap();
        assert_eq!(contents(&queues, A), [1]);
        queues.unwatch(&A, WatchFor::Elements, &watcher);
        sender.join().unwrap();
    });
}

#[test]
fn watcher_set_against_clear() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        queues.set(&A, vec![1]).unwrap();
        let clearer = Arc::clone(&queues);
        let clearer = thread::spawn(move || {
            clearer.set(&A, vec![]).unwrap();
            clearer.set(&A, vec![2]).unwrap();
        });
        let waiter = Waiter::new();
        // It is told of 1 or of 2, and always of 2 if it still watches.
        loop {
            let countdown = Countdown::new(1, &waiter);
            let watcher: SharedWatcher = countdown.clone();
            queues.watch(&A, WatchFor::Elements, &watcher).unwrap();
            let over = || countdown.is_over();
            wait(&waiter, Deadline::Never).until(over).unwrap();
            queues.unwatch(&A, WatchFor::Elements, &watcher);
            let end = End {
                deadline: Deadline::Now,
                ..End::new(&queues)
            };
            if end.receive(&[A]) == Ok(2) {
                break;
            }
        }
        clearer.join().unwrap();
        assert_eq!(queues.counts(), [(1, 0)]);
    });
}

#[test]
fn latches_counted_down_against_the_deadline() {
    model(3, || {
        let latches = Arc::new([Latch::new(), Latch::new()]);
        let waiter = Waiter::new();
        let countdown = Countdown::new(2, &waiter);
        let watcher: SharedWatcher = countdown.clone();
        for latch in &*latches {
            assert!(latch.watch(&watcher).unwrap());
        }
        let openers = [0, 1].map(|index| {
            let latches = Arc::clone(&latches);
            thread::spawn(move || latches[index].open())
        });
        let clock = Arc::clone(&waiter);
        let clock = thread::spawn(move || clock.expire());
        let outcome = wait(&waiter, Deadline::At(Instant::now())).until(|| countdown.is_over());
        for latch in &*latches {
            latch.unwatch(&watcher);
        }
        match outcome {
            Ok(()) => assert!(latches.iter().all(Latch::is_open)),
            Err(refusal) => assert_eq!(refusal, Refusal::TimedOut),
        }
        for opener in openers {
            opener.join().unwrap();
        }
        clock.join().unwrap();
    });
}
