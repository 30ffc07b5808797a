//! Timers under keys, and the one thread that sleeps until the next is due.

use crate::memory::grow::{OutOfMemory, collect, try_room};
use crate::park::{Deadline, Latch, Parker, Wait, Waiter};
use crate::sync::{Arc, Mutex, thread};
use crate::threads::fork::Process;
use crate::threads::pool::{self, Ending, Reuse};
use crossbeam_utils::CachePadded;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A set of timers under keys. Setting, removing and firing one takes a time that grows with the
/// logarithm of their number.
///
/// Dropping a `K`, and calling or dropping an `F`, may run any code: no lock is held then. `Clone`,
/// `Hash` and `Eq` of `K` run under the lock.
pub struct Service<K, F>
where
    K: Eq + Hash + Clone + Send + 'static,
    F: FnMut() + Send + 'static,
{
    shared: Arc<Shared<K, F>>,
    /// The process that its thread is in.
    process: Process,
}

struct Shared<K, F> {
    timers: Mutex<TimerQueue<K, F>>,
    /// Where its thread sleeps.
    parker: CachePadded<Parker>,
    thread: OnceLock<thread::ThreadId>,
    ended: Latch,
}

/// What the lock protects.
struct TimerQueue<K, F> {
    phase: Phase,
    /// All timers.
    by_key: HashMap<K, Timer<F>>,
    /// The keys of all timers, by due time and then by serial number.
    by_time: BTreeMap<(Instant, u64), K>,
    /// Serial number of the next timer.
    serial: u64,
    /// Models only: every timer is due.
    #[cfg(loom)]
    late: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No thread yet.
    New,
    Running,
    ShutDown,
}

struct Timer<F> {
    due: Instant,
    period: Option<Duration>,
    serial: u64,
    /// `None` while a periodic timer is firing.
    fire: Option<F>,
}

/// What was removed from the queue, to be dropped after the lock is released.
type Removed<K, F> = (Option<(K, Timer<F>)>, Option<K>);

/// What the thread is to do next.
enum Next<K, F> {
    Sleep(Deadline),
    /// `again`: the key and serial number of a periodic timer, to which `fire` is returned
    /// afterwards.
    Fire {
        fire: F,
        again: Option<(K, u64)>,
        removed: Removed<K, F>,
    },
    End,
}

impl<K, F> Service<K, F>
where
    K: Eq + Hash + Clone + Send + 'static,
    F: FnMut() + Send + 'static,
{
    pub fn new() -> Service<K, F> {
        let timers = TimerQueue {
            phase: Phase::New,
            by_key: HashMap::new(),
            by_time: BTreeMap::new(),
            serial: 0,
            #[cfg(loom)]
            late: false,
        };
        Service {
            shared: Arc::new(Shared {
                timers: Mutex::new(timers),
                parker: CachePadded::new(Parker::new()),
                thread: OnceLock::new(),
                ended: Latch::new(),
            }),
            process: Process::current(),
        }
    }

    /// Sets the timer of a key, in place of the one that it had: `fire` is called at `due` (at once
    /// if that has passed) and then, with a period, every period after `due`; missed periods are
    /// skipped. The timer that is replaced may be firing at this moment, but does not fire again.
    /// The first call starts the thread. After `shutdown` nothing is set.
    ///
    /// Errors: the thread cannot be started; out of memory (`ErrorKind::OutOfMemory`). The timer is
    /// not set.
    pub fn set(&self, key: K, due: Instant, period: Option<Duration>, fire: F) -> io::Result<()> {
        let period = period.filter(|period| !period.is_zero());
        let removed;
        let first;
        {
            let mut timers = self.shared.timers.lock();
            if timers.phase == Phase::ShutDown {
                return Ok(());
            }
            if let Err(OutOfMemory) = try_room(&mut timers.by_key, 1) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            if timers.phase == Phase::New {
                let shared = Arc::clone(&self.shared);
                let job = move |_: &Ending| {
                    shared.run();
                    // Its priority is that of whoever set the first timer.
                    Reuse::LetGo
                };
                pool::launch(Box::new(job), pool::SMALL_STACK)?;
                timers.phase = Phase::Running;
            }
            removed = timers.remove(&key);
            first = timers.insert(
                key,
                Timer {
                    due,
                    period,
                    serial: 0,
                    fire: Some(fire),
                },
            );
        }
        drop(removed);
        if first {
            self.shared.parker.unpark();
        }
        Ok(())
    }

    /// Removes the timer of a key; returns false if there is none. It may be firing at this moment,
    /// but does not fire again.
    pub fn remove(&self, key: &K) -> bool {
        let removed = self.shared.timers.lock().remove(key);
        removed.0.is_some()
    }

    /// All timers: key, next due time, period; in no order. A timer without a period is removed
    /// when it fires. Unwinds if out of memory.
    pub fn list(&self) -> Vec<(K, Instant, Option<Duration>)> {
        let timers = self.shared.timers.lock();
        let list = timers.by_key.iter();
        collect(list.map(|(key, timer)| (key.clone(), timer.due, timer.period)))
    }

    /// Models only: moves the clock by a day.
    #[cfg(loom)]
    pub fn expire(&self) {
        self.shared.timers.lock().late = true;
        self.shared.parker.expire();
    }

    /// Removes all timers, ends the thread and waits for its end. On the thread itself it does not
    /// wait: the thread ends after the timer that is firing. Does nothing in a process that was
    /// forked.
    pub fn shutdown(&self) {
        if !self.process.is_current() {
            return;
        }
        let (never_ran, by_key, by_time) = {
            let mut timers = self.shared.timers.lock();
            let never_ran = timers.phase == Phase::New;
            timers.phase = Phase::ShutDown;
            (
                never_ran,
                std::mem::take(&mut timers.by_key),
                std::mem::take(&mut timers.by_time),
            )
        };
        drop((by_key, by_time));
        if never_ran {
            self.shared.ended.open();
        }
        self.shared.parker.unpark();
        if self.shared.thread.get() != Some(&thread::current().id()) {
            let wait = Wait {
                waiter: &Waiter::new(),
                deadline: Deadline::Never,
                interrupted: None,
                sleeps: None,
            };
            // There is no deadline and no interruption, so the wait ends when the latch opens.
            let _ = self.shared.ended.wait(&wait);
        }
    }
}

impl<K, F> Drop for Service<K, F>
where
    K: Eq + Hash + Clone + Send + 'static,
    F: FnMut() + Send + 'static,
{
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl<K: Eq + Hash + Clone, F> TimerQueue<K, F> {
    /// Adds a timer, for which there is room. Returns true if it is the next one that is due.
    fn insert(&mut self, key: K, timer: Timer<F>) -> bool {
        let serial = self.serial;
        self.serial += 1;
        let place = (timer.due, serial);
        self.by_time.insert(place, key.clone());
        self.by_key.insert(key, Timer { serial, ..timer });
        self.by_time
            .first_key_value()
            .is_some_and(|(first, _)| *first == place)
    }

    /// Removes the timer of a key, if there is one.
    fn remove(&mut self, key: &K) -> Removed<K, F> {
        let removed = self.by_key.remove_entry(key);
        let queued = removed
            .as_ref()
            .and_then(|(_, timer)| self.by_time.remove(&(timer.due, timer.serial)));
        (removed, queued)
    }

    #[cfg(not(loom))]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[cfg(loom)]
    fn now(&self) -> Instant {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        Instant::now() + if self.late { DAY } else { Duration::ZERO }
    }

    /// What is to be done now. A timer that is to be fired is removed, or set to its next due time.
    fn next(&mut self) -> Next<K, F> {
        if self.phase == Phase::ShutDown {
            return Next::End;
        }
        let now = self.now();
        let Some(first) = self.by_time.first_entry() else {
            return Next::Sleep(Deadline::Never);
        };
        let due = first.key().0;
        if due > now {
            return Next::Sleep(Deadline::At(due));
        }
        let (place, key) = first.remove_entry();
        let timer = self
            .by_key
            .get_mut(&key)
            .expect("a timer for every due time");
        let fire = timer
            .fire
            .take()
            .expect("fire is missing only while it is called");
        match timer.period.and_then(|period| following(due, period, now)) {
            Some(due) => {
                timer.due = due;
                self.by_time.insert((due, place.1), key.clone());
                Next::Fire {
                    fire,
                    again: Some((key, place.1)),
                    removed: (None, None),
                }
            }
            None => {
                let removed = (self.by_key.remove_entry(&key), Some(key));
                Next::Fire {
                    fire,
                    again: None,
                    removed,
                }
            }
        }
    }
}

/// The first time after `now` that is a whole number of periods after `due`; `None` if the clock
/// cannot express it.
fn following(due: Instant, period: Duration, now: Instant) -> Option<Instant> {
    const NANOS: u128 = 1_000_000_000;
    let into = (now - due).as_nanos() % period.as_nanos();
    let into = Duration::new((into / NANOS) as u64, (into % NANOS) as u32);
    now.checked_add(period - into)
}

impl<K: Eq + Hash + Clone, F: FnMut()> Shared<K, F> {
    /// What the thread does.
    fn run(&self) {
        let _ = self.thread.set(thread::current().id());
        loop {
            let next = self.timers.lock().next();
            match next {
                Next::Sleep(deadline) => {
                    self.parker.park(deadline, None);
                }
                Next::Fire {
                    mut fire,
                    again,
                    removed,
                } => {
                    drop(removed);
                    // A panic has been reported by its hook; it ends this timer, and no other. If
                    // out of memory the timer misses this period.
                    let panicked = catch_unwind(AssertUnwindSafe(&mut fire))
                        .is_err_and(|end| !end.is::<OutOfMemory>());
                    if let Some((key, serial)) = again {
                        self.give_back(&key, serial, fire, panicked);
                    }
                }
                Next::End => break,
            }
        }
        self.ended.open();
    }

    /// Ends the firing of a periodic timer, which may have been removed or replaced in the
    /// meantime.
    fn give_back(&self, key: &K, serial: u64, fire: F, panicked: bool) {
        let mut fire = Some(fire);
        let removed;
        {
            let mut timers = self.timers.lock();
            match timers.by_key.get_mut(key) {
                Some(timer) if timer.serial == serial && !panicked => {
                    timer.fire = fire.take();
                    removed = (None, None);
                }
                Some(timer) if timer.serial == serial => removed = timers.remove(key),
                _ => removed = (None, None),
            }
        }
        drop((fire, removed));
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
