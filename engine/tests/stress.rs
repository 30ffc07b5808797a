//! Many threads on the same queues at once: every message arrives once, in order, and none is
//! leaked.

use hashbrown::Equivalent;
use lanes_engine::memory::grow::OutOfMemory;
use lanes_engine::park::{Deadline, Refusal, Request, Wait, Waiter};
use lanes_engine::queues::{
    BorrowedKey, Case, Element, Found, Happened, Queues, Received, Shortcut, Values, Who, select,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Hash, Clone, Copy)]
struct Slot(u32);

impl Equivalent<u32> for Slot {
    fn equivalent(&self, key: &u32) -> bool {
        self.0 == *key
    }
}

impl BorrowedKey<u32> for Slot {
    fn make_key(&self) -> Result<u32, OutOfMemory> {
        Ok(self.0)
    }
}

/// A message with its sender, its number there, and a counter of messages that are alive.
struct Message {
    sender: usize,
    serial: usize,
    alive: Arc<AtomicUsize>,
}

impl Message {
    fn new(sender: usize, serial: usize, alive: &Arc<AtomicUsize>) -> Message {
        alive.fetch_add(1, Ordering::Relaxed);
        Message {
            sender,
            serial,
            alive: Arc::clone(alive),
        }
    }
}

impl Element for Message {}

impl Drop for Message {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

type Messages = Queues<u32, Message>;

/// Pseudo-random numbers, the same in every run of the program.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }

    fn deadline(&mut self) -> Deadline {
        match self.below(4) {
            0 => Deadline::Now,
            1 => Deadline::At(Instant::now() + Duration::from_micros(self.below(5))),
            2 => Deadline::At(Instant::now() + Duration::from_micros(self.below(300))),
            _ => Deadline::At(Instant::now() + Duration::from_millis(3)),
        }
    }
}

const SLOTS: u32 = 3;

/// Sends `count` messages, alone and in batches, to the slot of this sender. A send that is refused
/// is repeated.
fn produce(
    queues: &Messages,
    waiter: &Arc<Waiter>,
    sender: usize,
    count: usize,
    alive: &Arc<AtomicUsize>,
) {
    let mut random = Random(sender as u64);
    let mut serial = 0;
    while serial < count {
        let size = 1 + random.below(3) as usize;
        let size = size.min(count - serial);
        let mut messages: Vec<Message> = (serial..serial + size)
            .map(|serial| Message::new(sender, serial, alive))
            .collect();
        let mut values = if size == 1 {
            Values::One(messages.remove(0))
        } else {
            Values::Many(messages)
        };
        serial += size;
        let slot = Slot(sender as u32 % SLOTS);
        loop {
            let wait = Wait {
                waiter,
                deadline: random.deadline(),
                interrupted: None,
                sleeps: None,
            };
            match queues.send(&wait, &slot, values, &[]) {
                Ok(()) => break,
                Err((_, refused)) => values = refused,
            }
        }
    }
}

/// Receives in every way, until `stop` is set and nothing is left.
fn consume(
    queues: &Messages,
    waiter: &Arc<Waiter>,
    seed: u64,
    stop: &AtomicBool,
) -> Vec<(usize, usize)> {
    let mut random = Random(seed);
    let mut received = Vec::new();
    let mut last: HashMap<usize, usize> = HashMap::new();
    let mut known: [Option<Shortcut<Message>>; SLOTS as usize] = [const { None }; SLOTS as usize];
    loop {
        // Read before the attempt, which then sees everything that was sent before the stop.
        let stopping = stop.load(Ordering::Acquire);
        let wait = Wait {
            waiter,
            deadline: random.deadline(),
            interrupted: None,
            sleeps: None,
        };
        let first = random.below(u64::from(SLOTS)) as u32;
        let keys = [
            Slot(first),
            Slot((first + 1) % SLOTS),
            Slot((first + 2) % SLOTS),
        ];
        let shortcut = &mut known[first as usize];
        let messages = match random.below(4) {
            0 => {
                let mut bytes = Vec::new();
                let mut received = Received::new(&mut bytes);
                let taken = shortcut
                    .as_ref()
                    .map(|known| queues.take(waiter, known, &mut received));
                let outcome = match taken {
                    Some(Found::Element) => Ok(()),
                    _ => queues
                        .receive_one(&wait, &keys[0], shortcut.as_ref(), &mut received)
                        .map(|new| *shortcut = new.or(shortcut.take())),
                };
                outcome.map(|()| received.whole().into_iter().collect())
            }
            1 => {
                let min = 1 + random.below(3) as usize;
                queues.receive_batched(&wait, &keys[0], min, min + random.below(3) as usize)
            }
            _ => queues
                .receive(&wait, &keys)
                .map(|(_, message)| vec![message]),
        };
        match messages {
            Ok(messages) => {
                for message in messages {
                    let before = last.insert(message.sender, message.serial);
                    assert!(before < Some(message.serial), "in order");
                    received.push((message.sender, message.serial));
                }
            }
            Err(Refusal::TimedOut)
                if stopping && queues.counts().iter().all(|(_, count)| *count == 0) =>
            {
                break;
            }
            Err(_) => {}
        }
    }
    received
}

/// Runs producers and consumers while `disturb` is called again and again, and checks that every
/// message arrives once.
fn exchange(limit: Option<usize>, disturb: impl Fn(&Messages, &[Arc<Waiter>], u64) + Sync) {
    const PRODUCERS: usize = 4;
    const CONSUMERS: usize = 3;
    const MESSAGES: usize = 4000;
    let queues = Messages::new();
    for slot in 0..SLOTS {
        queues.limit(&Slot(slot), limit).unwrap();
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let waiters: Vec<Arc<Waiter>> = (0..PRODUCERS + CONSUMERS).map(|_| Waiter::new()).collect();
    let (stop, quiet) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut received = thread::scope(|scope| {
        let disturber = scope.spawn(|| {
            for round in 0.. {
                if quiet.load(Ordering::Acquire) {
                    break;
                }
                disturb(&queues, &waiters, round);
                thread::yield_now();
            }
            queues.cancel(Who::None);
            for waiter in &waiters {
                waiter.cancel(Request::None, false);
            }
        });
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|sender| {
                let (queues, waiter, alive) = (&queues, &waiters[sender], &alive);
                scope.spawn(move || produce(queues, waiter, sender, MESSAGES, alive))
            })
            .collect();
        let consumers: Vec<_> = (0..CONSUMERS)
            .map(|number| {
                let (queues, waiter, stop) = (&queues, &waiters[PRODUCERS + number], &stop);
                scope.spawn(move || consume(queues, waiter, 100 + number as u64, stop))
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        quiet.store(true, Ordering::Release);
        disturber.join().unwrap();
        stop.store(true, Ordering::Release);
        let received = consumers
            .into_iter()
            .flat_map(|consumer| consumer.join().unwrap());
        received.collect::<Vec<_>>()
    });
    received.sort_unstable();
    let sent = (0..PRODUCERS).flat_map(|sender| (0..MESSAGES).map(move |serial| (sender, serial)));
    assert!(received.into_iter().eq(sent), "every message once");
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn undisturbed() {
    exchange(None, |_, _, _| thread::sleep(Duration::from_millis(1)));
}

#[test]
fn with_limits() {
    exchange(Some(4), |_, _, _| thread::sleep(Duration::from_millis(1)));
}

fn patient(waiter: &Arc<Waiter>) -> Wait<'_> {
    Wait {
        waiter,
        deadline: Deadline::Never,
        interrupted: None,
        sleeps: None,
    }
}

/// There are no deadlines here: a lost wake-up would hang.
#[test]
fn without_deadlines() {
    const EACH: usize = 6000;
    // A limit of 3 could be a deadlock: two elements, no room for two more, and a batch that needs
    // three.
    for limit in [None, Some(4), Some(7)] {
        let queues = Messages::new();
        let alive = Arc::new(AtomicUsize::new(0));
        for slot in 0..SLOTS {
            queues.limit(&Slot(slot), limit).unwrap();
        }
        thread::scope(|scope| {
            for sender in 0..2 * SLOTS as usize {
                let (queues, alive) = (&queues, &alive);
                scope.spawn(move || {
                    let waiter = Waiter::new();
                    let slot = Slot(sender as u32 % SLOTS);
                    for serial in 0..EACH / 3 {
                        let message = || Message::new(sender, serial, alive);
                        queues
                            .send(&patient(&waiter), &slot, Values::One(message()), &[])
                            .ok()
                            .unwrap();
                        let two = Values::Many(vec![message(), message()]);
                        queues
                            .send(&patient(&waiter), &slot, two, &[])
                            .ok()
                            .unwrap();
                    }
                });
            }
            for slot in 0..SLOTS {
                let queues = &queues;
                scope.spawn(move || {
                    let waiter = Waiter::new();
                    for _ in 0..EACH / 3 {
                        queues
                            .receive_batched(&patient(&waiter), &Slot(slot), 3, 3)
                            .ok()
                            .unwrap();
                    }
                });
                scope.spawn(move || {
                    let waiter = Waiter::new();
                    let keys = [Slot(slot + 100), Slot(slot), Slot(99), Slot(slot)];
                    for _ in 0..EACH {
                        queues.receive(&patient(&waiter), &keys).ok().unwrap();
                    }
                });
            }
        });
        assert!(queues.counts().iter().all(|(_, count)| *count == 0));
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
}

/// Senders and receivers that select, on two lindas, beside a sender and a receiver that do not.
/// There are no deadlines here: a lost wake-up would hang, and so would an element that is received
/// by nobody.
#[test]
fn selecting() {
    const EACH: usize = 4000;
    const SELECTING: usize = 3;
    const SENDERS: usize = SELECTING + 1;
    for limit in [None, Some(1), Some(5)] {
        let lindas = [Messages::new(), Messages::new()];
        let [one, two] = &lindas;
        let alive = Arc::new(AtomicUsize::new(0));
        for linda in &lindas {
            for slot in 0..SLOTS {
                linda.limit(&Slot(slot), limit).unwrap();
            }
        }
        let mut received: Vec<(usize, usize)> = thread::scope(|scope| {
            for sender in 0..SENDERS {
                let alive = &alive;
                scope.spawn(move || {
                    let waiter = Waiter::new();
                    let message = |serial| Values::One(Message::new(sender, serial, alive));
                    for serial in 0..EACH {
                        if sender == SELECTING {
                            let sent = one.send(&patient(&waiter), &Slot(0), message(serial), &[]);
                            sent.ok().unwrap();
                            continue;
                        }
                        let key = Slot(serial as u32 % SLOTS);
                        let mut cases: [Case<u32, Message, Slot>; 2] = [
                            Case::Send(one, key, Some(message(serial))),
                            Case::Send(two, key, Some(message(serial))),
                        ];
                        select(&patient(&waiter), &mut cases).ok().unwrap();
                    }
                });
            }
            let selecting = (0..SELECTING).map(|number| {
                scope.spawn(move || {
                    let waiter = Waiter::new();
                    let keys = || (0..SLOTS).map(Slot).collect();
                    let lindas = if number % 2 == 0 {
                        [one, two]
                    } else {
                        [two, one]
                    };
                    let mut received = Vec::new();
                    while received.len() < EACH {
                        let mut cases = lindas.map(|linda| Case::Receive(linda, keys()));
                        let (_, happened) = select(&patient(&waiter), &mut cases).ok().unwrap();
                        let Happened::Received(_, message) = happened else {
                            panic!("a receive has happened");
                        };
                        received.push((message.sender, message.serial));
                    }
                    received
                })
            });
            let selecting: Vec<_> = selecting.collect();
            let other = scope.spawn(|| {
                let waiter = Waiter::new();
                let mut received = Vec::new();
                // It takes what there is in this linda, until all have been received.
                while received.len() < EACH {
                    let mut cases: [Case<u32, Message, Slot>; 2] = [
                        Case::Receive(one, vec![Slot(1), Slot(0), Slot(2)]),
                        Case::Receive(two, vec![Slot(2), Slot(1), Slot(0)]),
                    ];
                    match one.receive(
                        &Wait {
                            deadline: Deadline::Now,
                            ..patient(&waiter)
                        },
                        &[Slot(0)],
                    ) {
                        Ok((_, message)) => received.push((message.sender, message.serial)),
                        Err(_) => {
                            let waited = Wait {
                                deadline: Deadline::At(Instant::now() + Duration::from_micros(100)),
                                ..patient(&waiter)
                            };
                            if let Ok((_, Happened::Received(_, message))) =
                                select(&waited, &mut cases)
                            {
                                received.push((message.sender, message.serial));
                            }
                        }
                    }
                }
                received
            });
            let mut received = other.join().unwrap();
            for thread in selecting {
                received.extend(thread.join().unwrap());
            }
            received
        });
        received.sort_unstable();
        let expected: Vec<_> = (0..SENDERS)
            .flat_map(|sender| (0..EACH).map(move |serial| (sender, serial)))
            .collect();
        assert!(received == expected);
        for linda in &lindas {
            assert!(linda.counts().iter().all(|(_, count)| *count == 0));
        }
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn while_waiters_are_asked_to_stop_and_go_on() {
    exchange(Some(3), |_, waiters, round| {
        let waiter = &waiters[round as usize % waiters.len()];
        waiter.cancel(
            if round % 2 == 0 {
                Request::Soft
            } else {
                Request::Hard
            },
            true,
        );
        thread::yield_now();
        waiter.cancel(Request::None, round % 3 == 0);
    });
}

#[test]
fn while_the_linda_is_cancelled_and_taken_back() {
    exchange(Some(3), |queues, _, round| {
        queues.cancel([Who::Both, Who::Read, Who::Write][round as usize % 3]);
        thread::yield_now();
        queues.cancel(Who::None);
        thread::sleep(Duration::from_micros(50));
    });
}

#[test]
fn while_limits_change() {
    exchange(Some(3), |queues, _, round| {
        let limit = [Some(3), None, Some(0), Some(5)][round as usize % 4];
        queues.limit(&Slot(round as u32 % SLOTS), limit).unwrap();
        thread::yield_now();
        queues.limit(&Slot(round as u32 % SLOTS), Some(3)).unwrap();
    });
}

#[test]
fn contents_are_dropped_with_the_queues_and_by_clear_and_set() {
    let alive = Arc::new(AtomicUsize::new(0));
    let make = |count| {
        (0..count)
            .map(|serial| Message::new(0, serial, &alive))
            .collect()
    };
    let queues = Messages::new();
    queues.set(&Slot(1), make(10)).unwrap();
    queues.set(&Slot(1), make(5)).unwrap();
    assert_eq!(alive.load(Ordering::Relaxed), 5);
    queues.set(&Slot(2), make(3)).unwrap();
    queues.clear();
    assert_eq!(alive.load(Ordering::Relaxed), 0);
    queues.set(&Slot(1), make(7)).unwrap();
    drop(queues);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

/// A message and a key that use their own queues when they are dropped.
struct Nosy(Arc<Queues<NosyKey, Nosy>>);

impl Element for Nosy {}

#[derive(Clone)]
struct NosyKey(u32, Option<Arc<Queues<NosyKey, Nosy>>>);

struct NosyRef<'a>(u32, &'a Arc<Queues<NosyKey, Nosy>>);

impl std::hash::Hash for NosyRef<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<NosyKey> for NosyRef<'_> {
    fn equivalent(&self, key: &NosyKey) -> bool {
        self.0 == key.0
    }
}

impl BorrowedKey<NosyKey> for NosyRef<'_> {
    fn make_key(&self) -> Result<NosyKey, OutOfMemory> {
        Ok(NosyKey(self.0, Some(Arc::clone(self.1))))
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.0.count(&NosyRef(0, &self.0));
    }
}

impl Drop for NosyKey {
    fn drop(&mut self) {
        if let Some(queues) = &self.1 {
            queues.count(&NosyRef(0, queues));
        }
    }
}

#[test]
fn dropping_keys_and_messages_may_use_the_queues() {
    let queues = Arc::new(Queues::new());
    let waiter = Waiter::new();
    let wait = |deadline| Wait {
        waiter: &waiter,
        deadline,
        interrupted: None,
        sleeps: None,
    };
    let key = |number| NosyRef(number, &queues);
    let message = || Nosy(Arc::clone(&queues));
    let soon = || Deadline::At(Instant::now() + Duration::from_millis(1));
    queues.set(&key(1), vec![message(), message()]).unwrap();
    queues.set(&key(1), vec![message()]).unwrap();
    queues.limit(&key(1), Some(1)).unwrap();
    assert!(
        queues
            .send(&wait(soon()), &key(1), Values::One(message()), &[])
            .is_err()
    );
    assert!(
        queues
            .send(
                &wait(Deadline::Now),
                &key(1),
                Values::Many(vec![message(), message()]),
                &[]
            )
            .is_err()
    );
    drop(queues.receive(&wait(Deadline::Now), &[key(1)]));
    assert!(
        queues
            .receive(&wait(soon()), &[key(2), key(3), key(2)])
            .is_err()
    );
    assert!(
        queues
            .receive_batched(&wait(soon()), &key(2), 2, 2)
            .is_err()
    );
    queues.put_back(&key(4), vec![message()]);
    queues.set(&key(4), vec![]).unwrap();
    queues.set(&key(1), vec![message()]).unwrap();
    queues.cancel(Who::Both);
    assert!(queues.set(&key(1), vec![message()]).is_err());
    assert!(
        queues
            .send(&wait(Deadline::Now), &key(1), Values::One(message()), &[])
            .is_err()
    );
    drop(queues.counts());
    queues.clear();
    assert_eq!(queues.counts().len(), 0);
}
