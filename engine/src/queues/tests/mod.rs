//! Every method in every outcome. Tests of parked operations wait until the operation is parked,
//! and then do what should end it.

mod at_once;
mod endings;
mod keys;
mod parked;
mod select;
mod watch;

use super::deferred::Deferred;
use super::operation::{Ticket, Work};
use super::slots::Slots;
use super::*;
use crate::memory::grow::OutOfMemory;
use crate::park::{Deadline, Refusal, Request, Wait, Waiter};
use crate::sync::Arc;
use hashbrown::Equivalent;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

#[derive(Hash, Clone, Copy)]
struct Name(&'static str);

impl Equivalent<String> for Name {
    fn equivalent(&self, key: &String) -> bool {
        self.0 == key
    }
}

impl BorrowedKey<String> for Name {
    fn make_key(&self) -> Result<String, OutOfMemory> {
        Ok(self.0.to_owned())
    }
}

const A: Name = Name("a");
const B: Name = Name("b");
const C: Name = Name("c");

impl Element for i32 {}

type Numbers = Queues<String, i32>;

/// A thread's end of some queues: calls with its own waiter and a deadline.
struct End<'a> {
    queues: &'a Numbers,
    waiter: Arc<Waiter>,
    deadline: Deadline,
}

impl<'a> End<'a> {
    fn new(queues: &'a Numbers, deadline: Deadline) -> End<'a> {
        End {
            queues,
            waiter: Waiter::new(),
            deadline,
        }
    }

    fn wait(&self) -> Wait<'_> {
        Wait {
            waiter: &self.waiter,
            deadline: self.deadline,
            interrupted: None,
            sleeps: None,
        }
    }

    fn send(&self, key: Name, values: &[i32]) -> Result<(), Refusal> {
        let values = match values {
            [value] => Values::One(*value),
            _ => Values::Many(values.to_vec()),
        };
        self.queues
            .send(&self.wait(), &key, values, &[])
            .map_err(|(refusal, _)| refusal)
    }

    fn receive(&self, keys: &[Name]) -> Result<(usize, i32), Refusal> {
        self.queues.receive(&self.wait(), keys)
    }

    fn batch(&self, key: Name, min: usize, max: usize) -> Result<Vec<i32>, Refusal> {
        self.queues.receive_batched(&self.wait(), &key, min, max)
    }

    /// Parks a receive, calls `change`, and waits. Returns how the wait ended.
    fn wait_parked(&self, change: impl FnOnce(&mut Slots<String, i32>)) -> Refusal {
        let mut slots = self.queues.slots.lock();
        let ticket = Ticket::new(&self.waiter);
        let parked = slots.park(&ticket, Work::Receive, &[A], 1, &mut Deferred::new());
        let Ok(operation) = parked else {
            panic!("out of memory")
        };
        change(&mut slots);
        let Err((refusal, _)) =
            self.queues
                .wait_for(&self.wait(), slots, operation, &ticket, false)
        else {
            panic!("nothing was sent")
        };
        refusal
    }
}

fn now(queues: &Numbers) -> End<'_> {
    End::new(queues, Deadline::Now)
}

/// Runs `operation` in a thread of its own, with its own waiter, and returns when it is parked.
fn park<'s, 'e: 's, R: Send + 's>(
    scope: &'s thread::Scope<'s, 'e>,
    queues: &'e Numbers,
    operation: impl FnOnce(&End<'e>) -> R + Send + 's,
) -> (Arc<Waiter>, ScopedJoinHandle<'s, R>) {
    let before = queues.parked();
    let end = End::new(queues, Deadline::Never);
    let waiter = Arc::clone(&end.waiter);
    let thread = scope.spawn(move || operation(&end));
    while queues.parked() == before {
        thread::yield_now();
    }
    (waiter, thread)
}

fn contents(queues: &Numbers, key: Name) -> Vec<i32> {
    queues.get(&key, usize::MAX).unwrap()
}

fn assert_tidy(queues: &Numbers) {
    assert!(queues.slots.lock().is_tidy());
}
