//! Timers of a universe: each sets a slot of a linda to the time, once or periodically
//! (docs/manual/timers.md).

use crate::linda::{Key, Linda, soft_requests};
use crate::message::Message;
use lanes_engine::memory::grow;
use lanes_engine::queues::Who;
use lanes_engine::timers::Service;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock, in seconds since the epoch.
pub fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}

type Fire = Box<dyn FnMut() + Send>;

/// The timers.
pub struct Timers {
    service: Service<TimerKey, Fire>,
    /// Calls of functions of ours: they are no timers of the program.
    calls: Service<u64, Fire>,
    last_call: AtomicU64,
    /// How many are set or firing.
    armed: Arc<AtomicUsize>,
}

/// One of the timers that are set or firing.
struct Armed(Arc<AtomicUsize>);

impl Drop for Armed {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Timers {
    /// No timers. The thread is started with the first one.
    pub fn new() -> Timers {
        Timers {
            service: Service::new(),
            armed: Arc::default(),
            calls: Service::new(),
            last_call: AtomicU64::new(0),
        }
    }

    /// How many are set or firing.
    pub fn armed(&self) -> usize {
        self.armed.load(Ordering::SeqCst)
    }

    /// Sets the slot to the time at `first` (seconds since the epoch), and every `period` seconds
    /// from then on. Replaces the timer that the slot had.
    ///
    /// Errors: the thread of the timers cannot be started; out of memory
    /// (`ErrorKind::OutOfMemory`).
    pub fn set(
        &self,
        linda: &Arc<Linda>,
        key: Key,
        first: f64,
        period: Option<f64>,
    ) -> io::Result<()> {
        let due = Instant::now() + duration(first - now());
        let timer = TimerKey {
            linda: Arc::clone(linda),
            key: key.clone(),
            first,
        };
        let linda = Arc::clone(linda);
        self.armed.fetch_add(1, Ordering::SeqCst);
        let armed = Armed(Arc::clone(&self.armed));
        let fire: Fire = Box::new(move || {
            // It is dropped with the timer.
            let _armed = &armed;
            tick(&linda, &key);
        });
        self.service.set(timer, due, period.map(duration), fire)
    }

    /// Removes the timer of a slot.
    pub fn remove(&self, linda: &Arc<Linda>, key: Key) {
        self.service.remove(&TimerKey {
            linda: Arc::clone(linda),
            key,
            first: 0.0,
        });
    }

    /// All timers: linda and slot, due time in seconds since the epoch, period in seconds.
    pub fn list(&self) -> Vec<(TimerKey, f64, Option<f64>)> {
        let (clock, epoch) = (Instant::now(), now());
        let due = |instant: Instant| match instant.checked_duration_since(clock) {
            Some(ahead) => epoch + ahead.as_secs_f64(),
            None => epoch - clock.duration_since(instant).as_secs_f64(),
        };
        let list = self.service.list();
        grow::collect(list.into_iter().map(|(key, at, period)| {
            let period = period.map(|period| period.as_secs_f64());
            // Exactly the requested time, or a whole number of periods after it.
            let periods = period.map_or(0.0, |period| {
                ((due(at) - key.first) / period).round() * period
            });
            let when = key.first + periods;
            (key, when, period)
        }))
    }

    /// Calls a function once, in `seconds` from now, on a thread of the library; it must return
    /// soon. Returns a number for `remove_call`.
    ///
    /// Errors: as for `set`.
    pub fn call_in(
        &self,
        seconds: f64,
        mut fire: impl FnMut() + Send + 'static,
    ) -> io::Result<u64> {
        let number = self.last_call.fetch_add(1, Ordering::Relaxed);
        let due = Instant::now() + duration(seconds);
        self.armed.fetch_add(1, Ordering::SeqCst);
        let armed = Armed(Arc::clone(&self.armed));
        let fire = move || {
            // It is dropped with the call.
            let _armed = &armed;
            fire();
        };
        grow::demand(size_of_val(&fire));
        self.calls.set(number, due, None, Box::new(fire))?;
        Ok(number)
    }

    /// The call with this number is not made, unless it has been or is being made.
    pub fn remove_call(&self, number: u64) {
        self.calls.remove(&number);
    }

    /// Ends all timers of the program for good.
    pub fn end_timers(&self) {
        self.service.shutdown();
    }

    /// Ends all timers and calls for good.
    pub fn shut_down(&self) {
        self.service.shutdown();
        self.calls.shutdown();
    }
}

/// A time in seconds as a duration; too long ones are `LONGEST_WAIT`.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0))
        .unwrap_or(LONGEST_WAIT)
        .min(LONGEST_WAIT)
}

/// The longest time ahead that a timer is set to: a hundred years.
const LONGEST_WAIT: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// Sets a slot to the time. On a cancelled linda the tick is lost.
pub fn tick(linda: &Linda, key: &Key) {
    soft_requests::before(linda, Who::Both);
    let _ = linda
        .queues
        .set(&key.borrowed(), vec![Message::float(now())]);
}

/// The key of a timer: a linda, by identity, and a slot of it.
#[derive(Clone)]
pub struct TimerKey {
    /// The linda.
    pub linda: Arc<Linda>,
    /// The slot.
    pub key: Key,
    /// When the timer is first due, in seconds since the epoch; not what makes two keys equal.
    pub first: f64,
}

impl PartialEq for TimerKey {
    fn eq(&self, other: &TimerKey) -> bool {
        Arc::ptr_eq(&self.linda, &other.linda) && self.key == other.key
    }
}

impl Eq for TimerKey {}

impl std::hash::Hash for TimerKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.linda).hash(state);
        self.key.hash(state);
    }
}
