//! Models of notifiers: set by elements and requests, against the clear of a loop that finds
//! nothing. The model of the descriptor fails if one change takes two writes, or two reads.

use crate::{A, B, End, Numbers, model};
use lanes_engine::park::{Notifier, Refusal, Request, SharedWatcher, Waiter};
use lanes_engine::queues::{WatchFor, Who};
use lanes_engine::sync::Arc;
use loom::thread;

/// An event loop: a notifier that watches A and B, and the state to which it belongs.
struct Loop {
    queues: Arc<Numbers>,
    waiter: Arc<Waiter>,
    notifier: std::sync::Arc<Notifier>,
    watcher: SharedWatcher,
}

impl Loop {
    fn new(queues: &Arc<Numbers>) -> Loop {
        let notifier = Notifier::new().unwrap();
        let watcher: SharedWatcher = notifier.clone();
        for key in [A, B] {
            queues.watch(&key, WatchFor::Elements, &watcher).unwrap();
        }
        let waiter = Waiter::new();
        waiter.watch(&watcher).unwrap();
        Loop {
            queues: Arc::clone(queues),
            waiter,
            notifier,
            watcher,
        }
    }

    /// Waits until the descriptor is readable, and receives all that is there.
    fn turn(&self, received: &mut Vec<u32>) -> Refusal {
        self.notifier.wait();
        loop {
            let (waiter, notifier) = (&self.waiter, &self.notifier);
            match self.queues.receive_or_clear(waiter, &[A, B], notifier) {
                Ok((_, value)) => received.push(value),
                Err(refusal) => return refusal,
            }
        }
    }

    fn end(self) {
        for key in [A, B] {
            self.queues.unwatch(&key, WatchFor::Elements, &self.watcher);
        }
        self.waiter.unwatch(&self.watcher);
        self.notifier.close();
    }
}

#[test]
fn notifier_set_against_clear() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let loop_ = Loop::new(&queues);
        let senders = [(A, 1), (B, 2)].map(|(key, value)| {
            let end = End::new(&queues);
            thread::spawn(move || end.send(key, &[value]).unwrap())
        });
        let mut received = Vec::new();
        while received.len() < 2 {
            assert_eq!(loop_.turn(&mut received), Refusal::TimedOut);
        }
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        loop_.end();
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

#[test]
fn notifier_cleared_against_a_request() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let loop_ = Loop::new(&queues);
        let waiter = Arc::clone(&loop_.waiter);
        let sender = End::new(&queues);
        let other = thread::spawn(move || {
            sender.send(A, &[1]).unwrap();
            waiter.cancel(Request::Soft, false);
        });
        let mut received = Vec::new();
        while loop_.turn(&mut received) == Refusal::TimedOut {}
        // It stays readable.
        assert_eq!(loop_.turn(&mut received), Refusal::Request(Request::Soft));
        loop_.end();
        other.join().unwrap();
    });
}

#[test]
fn notifier_cleared_against_a_cancelled_linda() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let loop_ = Loop::new(&queues);
        let other = Arc::clone(&queues);
        let other = thread::spawn(move || other.cancel(Who::Write));
        let mut received = Vec::new();
        while loop_.turn(&mut received) == Refusal::TimedOut {}
        assert_eq!(loop_.turn(&mut received), Refusal::LindaCancelled);
        loop_.end();
        other.join().unwrap();
    });
}
