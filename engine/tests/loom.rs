//! Models of the engine: loom runs each under every order of events that its bound on preemptions
//! allows. Build with `RUSTFLAGS="--cfg loom" cargo test -p lanes-engine --release --test loom`.
#![cfg(loom)]

#[path = "loom/alarm.rs"]
mod alarm;
#[path = "loom/asked.rs"]
mod asked;
#[path = "loom/crowd.rs"]
mod crowd;
#[path = "loom/handover.rs"]
mod handover;
#[path = "loom/latch.rs"]
mod latch;
#[path = "loom/named.rs"]
mod named;
#[path = "loom/notifier.rs"]
mod notifier;
#[path = "loom/parker.rs"]
mod parker;
#[path = "loom/pool.rs"]
mod pool;
#[path = "loom/refusals.rs"]
mod refusals;
#[path = "loom/reserved.rs"]
mod reserved;
#[path = "loom/seal.rs"]
mod seal;
#[path = "loom/select.rs"]
mod select;
#[path = "loom/timers.rs"]
mod timers;
#[path = "loom/turns.rs"]
mod turns;
#[path = "loom/watch.rs"]
mod watch;

use lanes_engine::memory::grow::OutOfMemory;
use lanes_engine::park::{Deadline, Latch, Refusal, Request, Wait, Waiter};
use lanes_engine::queues::{BorrowedKey, Found, Queues, Received, Shortcut, Values};
use lanes_engine::sync::Arc;
use loom::thread;
use std::time::Instant;

#[derive(Hash, Clone, Copy)]
struct Slot(u32);

impl hashbrown::Equivalent<u32> for Slot {
    fn equivalent(&self, key: &u32) -> bool {
        self.0 == *key
    }
}

impl BorrowedKey<u32> for Slot {
    fn make_key(&self) -> Result<u32, OutOfMemory> {
        Ok(self.0)
    }
}

const A: Slot = Slot(1);
const B: Slot = Slot(2);

type Numbers = Queues<u32, u32>;

/// Loom itself finds sleepers that nobody wakes: a model in which no thread can go on fails as a
/// deadlock.
fn model(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(body);
}

/// Waits until a latch is open.
fn wait_for(latch: &Latch) {
    let wait = Wait {
        waiter: &Waiter::new(),
        deadline: Deadline::Never,
        interrupted: None,
        sleeps: None,
    };
    latch.wait(&wait).unwrap();
}

/// Some queues and a waiter for one thread.
struct End {
    queues: Arc<Numbers>,
    waiter: Arc<Waiter>,
    deadline: Deadline,
}

impl End {
    fn new(queues: &Arc<Numbers>) -> End {
        End {
            queues: Arc::clone(queues),
            waiter: Waiter::new(),
            deadline: Deadline::Never,
        }
    }

    /// An end whose deadline passes when the waiter is told to expire.
    fn timed(queues: &Arc<Numbers>) -> End {
        End {
            deadline: Deadline::At(Instant::now()),
            ..End::new(queues)
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

    fn send(&self, slot: Slot, values: &[u32]) -> Result<(), Refusal> {
        let sent = self
            .queues
            .send(&self.wait(), &slot, Values::Many(values.to_vec()), &[]);
        sent.map_err(|(refusal, back)| {
            assert_eq!(back, Values::Many(values.to_vec()));
            refusal
        })
    }

    fn receive(&self, slots: &[Slot]) -> Result<u32, Refusal> {
        self.queues
            .receive(&self.wait(), slots)
            .map(|(_, value)| value)
    }

    fn send_one(&self, value: u32) {
        let sent = self.queues.send(&self.wait(), &A, Values::One(value), &[]);
        sent.unwrap();
    }

    /// Receives from A as one who remembers how it was last time.
    fn receive_one(&self, known: &mut Option<Shortcut<u32>>) -> Result<u32, Refusal> {
        let mut bytes = Vec::new();
        let mut received = Received::new(&mut bytes);
        let taken = known
            .as_ref()
            .map(|known| self.queues.take(&self.waiter, known, &mut received));
        if !matches!(taken, Some(Found::Element)) {
            let new = self
                .queues
                .receive_one(&self.wait(), &A, known.as_ref(), &mut received)?;
            *known = new.or(known.take());
        }
        Ok(received.whole().unwrap())
    }

    fn batch(&self, slot: Slot, min: usize, max: usize) -> Result<Vec<u32>, Refusal> {
        self.queues.receive_batched(&self.wait(), &slot, min, max)
    }
}

fn contents(queues: &Numbers, slot: Slot) -> Vec<u32> {
    queues.get(&slot, usize::MAX).unwrap()
}

fn sorted(mut values: Vec<u32>) -> Vec<u32> {
    values.sort_unstable();
    values
}

#[test]
fn one_sender_one_receiver() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let (sender, receiver) = (End::new(&queues), End::new(&queues));
        let thread = thread::spawn(move || {
            sender.send(A, &[1]).unwrap();
            sender.send(A, &[2]).unwrap();
        });
        assert_eq!(receiver.receive(&[A]), Ok(1));
        assert_eq!(receiver.receive(&[A]), Ok(2));
        thread.join().unwrap();
        assert_eq!(queues.count(&A), Some(0));
    });
}

#[test]
fn several_senders_and_receivers() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let receivers: Vec<_> = (0..2)
            .map(|_| {
                let end = End::new(&queues);
                thread::spawn(move || end.receive(&[A]).unwrap())
            })
            .collect();
        let end = End::new(&queues);
        let sender = thread::spawn(move || end.send(A, &[1]).unwrap());
        End::new(&queues).send(A, &[2]).unwrap();
        sender.join().unwrap();
        let received = receivers
            .into_iter()
            .map(|receiver| receiver.join().unwrap())
            .collect();
        assert_eq!(sorted(received), [1, 2]);
        assert_eq!(queues.count(&A), Some(0));
    });
}

#[test]
fn a_limit_of_one_hands_over_in_order() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        queues.limit(&A, Some(1)).unwrap();
        let (sender, receiver) = (End::new(&queues), End::new(&queues));
        let thread = thread::spawn(move || {
            for value in 1..=3 {
                sender.send(A, &[value]).unwrap();
            }
        });
        for value in 1..=3 {
            assert_eq!(receiver.receive(&[A]), Ok(value));
        }
        thread.join().unwrap();
    });
}

#[test]
fn two_senders_before_a_limit() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        queues.limit(&A, Some(1)).unwrap();
        let senders: Vec<_> = [[1, 2], [3, 4]]
            .into_iter()
            .map(|values| {
                let end = End::new(&queues);
                thread::spawn(move || {
                    values
                        .iter()
                        .for_each(|value| end.send(A, &[*value]).unwrap())
                })
            })
            .collect();
        let end = End::new(&queues);
        let received: Vec<u32> = (0..4).map(|_| end.receive(&[A]).unwrap()).collect();
        for sender in senders {
            sender.join().unwrap();
        }
        let place = |value| received.iter().position(|other| *other == value).unwrap();
        assert!(place(1) < place(2) && place(3) < place(4));
        assert_eq!(sorted(received), [1, 2, 3, 4]);
    });
}

#[test]
fn raising_the_limit_releases_the_sender() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        queues.limit(&A, Some(0)).unwrap();
        let end = End::new(&queues);
        let sender = thread::spawn(move || end.send(A, &[1, 2]).unwrap());
        queues.limit(&A, Some(1)).unwrap();
        queues.limit(&A, None).unwrap();
        sender.join().unwrap();
        assert_eq!(contents(&queues, A), [1, 2]);
    });
}

#[test]
fn a_batch_and_a_single_receiver_share() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let (one, two) = (End::new(&queues), End::new(&queues));
        let batch = thread::spawn(move || one.batch(A, 2, 2).unwrap());
        let single = thread::spawn(move || two.receive(&[A]).unwrap());
        let end = End::new(&queues);
        for value in 1..=3 {
            end.send(A, &[value]).unwrap();
        }
        let mut received = batch.join().unwrap();
        assert!(received[0] < received[1]);
        received.push(single.join().unwrap());
        assert_eq!(sorted(received), [1, 2, 3]);
    });
}

#[test]
fn a_batch_against_its_deadline() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let end = End::timed(&queues);
        let waiter = Arc::clone(&end.waiter);
        let receiver = thread::spawn(move || end.batch(A, 2, 3));
        let clock = thread::spawn(move || waiter.expire());
        let end = End::new(&queues);
        end.send(A, &[1]).unwrap();
        end.send(A, &[2]).unwrap();
        clock.join().unwrap();
        match receiver.join().unwrap() {
            Ok(values) => {
                assert_eq!(values, [1, 2]);
                assert_eq!(contents(&queues, A), []);
            }
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TimedOut);
                assert_eq!(contents(&queues, A), [1, 2]);
            }
        }
    });
}

#[test]
fn a_batch_that_is_cancelled_leaves_everything_to_others() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let (one, two) = (End::new(&queues), End::new(&queues));
        let waiter = Arc::clone(&one.waiter);
        let batch = thread::spawn(move || one.batch(A, 2, 2));
        let single = thread::spawn(move || two.receive(&[A]).unwrap());
        End::new(&queues).send(A, &[1, 2]).unwrap();
        waiter.cancel(Request::Hard, true);
        // The single receiver gets the first one that the batch has not taken, which may be one
        // that comes now.
        End::new(&queues).send(A, &[3]).unwrap();
        let mut received = vec![single.join().unwrap()];
        match batch.join().unwrap() {
            Ok(values) => {
                assert!(values[0] < values[1]);
                received.extend(values);
            }
            Err(refusal) => assert_eq!(refusal, Refusal::Request(Request::Hard)),
        }
        received.extend(contents(&queues, A));
        assert_eq!(sorted(received), [1, 2, 3]);
    });
}

#[test]
fn values_sent_together_stay_together_before_a_limit() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        queues.limit(&A, Some(2)).unwrap();
        let senders: Vec<_> = [[1, 2], [3, 4]]
            .into_iter()
            .map(|values| {
                let end = End::new(&queues);
                thread::spawn(move || end.send(A, &values).unwrap())
            })
            .collect();
        let end = End::new(&queues);
        let mut received = end.batch(A, 2, 2).unwrap();
        received.push(end.receive(&[A]).unwrap());
        received.push(end.receive(&[A]).unwrap());
        for sender in senders {
            sender.join().unwrap();
        }
        assert!(received == [1, 2, 3, 4] || received == [3, 4, 1, 2]);
    });
}

#[test]
fn emptying_a_slot_releases_the_sender() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        queues.set(&A, vec![1]).unwrap();
        queues.limit(&A, Some(1)).unwrap();
        let end = End::new(&queues);
        let sender = thread::spawn(move || end.send(A, &[2]).unwrap());
        queues.set(&A, vec![]).unwrap();
        sender.join().unwrap();
        assert_eq!(contents(&queues, A), [2]);
    });
}

#[test]
fn several_keys_deliver_once() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let end = End::new(&queues);
        let receiver = thread::spawn(move || end.receive(&[A, B, A]).unwrap());
        let end = End::new(&queues);
        let sender = thread::spawn(move || end.send(B, &[2]).unwrap());
        End::new(&queues).send(A, &[1]).unwrap();
        sender.join().unwrap();
        let mut values = vec![receiver.join().unwrap()];
        values.extend(contents(&queues, A));
        values.extend(contents(&queues, B));
        assert_eq!(sorted(values), [1, 2]);
    });
}

#[test]
fn set_and_put_back_serve_receivers() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let (one, two) = (End::new(&queues), End::new(&queues));
        let first = thread::spawn(move || one.receive(&[A]).unwrap());
        let second = thread::spawn(move || two.receive(&[B, A]).unwrap());
        queues.set(&B, vec![1]).unwrap();
        queues.put_back(&A, vec![2]);
        assert_eq!(second.join().unwrap(), 1);
        assert_eq!(first.join().unwrap(), 2);
    });
}
