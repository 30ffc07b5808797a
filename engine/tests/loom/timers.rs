//! Models of the service of timers.

use crate::{model, wait_for};
use lanes_engine::park::Latch;
use lanes_engine::sync::Arc;
use lanes_engine::sync::atomic::{AtomicUsize, Ordering};
use lanes_engine::timers::Service;
use loom::thread;
use std::time::{Duration, Instant};

type Timers = Service<u32, Box<dyn FnMut() + Send>>;

/// Longer than a model waits, unless its clock is moved.
const ONE_HOUR: Duration = Duration::from_secs(3600);

/// Longer than the clock is moved.
const A_THOUSAND_HOURS: Duration = Duration::from_secs(1000 * 3600);

/// Counts what fires, and opens a latch at a number.
#[derive(Clone)]
struct Fired(Arc<Count>);

struct Count {
    fired: AtomicUsize,
    expected: usize,
    latch: Latch,
}

impl Fired {
    fn new(expected: usize) -> Fired {
        Fired(Arc::new(Count {
            fired: AtomicUsize::new(0),
            expected,
            latch: Latch::new(),
        }))
    }

    fn timer(&self) -> Box<dyn FnMut() + Send> {
        let Fired(count) = self.clone();
        Box::new(move || {
            if count.fired.fetch_add(1, Ordering::AcqRel) + 1 == count.expected {
                count.latch.open();
            }
        })
    }

    fn count(&self) -> usize {
        self.0.fired.load(Ordering::Acquire)
    }

    /// Whether all its timers are gone.
    fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    fn wait(&self) {
        wait_for(&self.0.latch);
    }
}

/// A service with one timer, and a thread that moves the clock, so that it becomes due.
fn becoming_due() -> (Arc<Timers>, Fired, thread::JoinHandle<()>) {
    let (service, fired) = (Arc::new(Timers::new()), Fired::new(1));
    let due = Instant::now() + ONE_HOUR;
    service.set(1, due, None, fired.timer()).unwrap();
    let clock = {
        let service = Arc::clone(&service);
        thread::spawn(move || service.expire())
    };
    (service, fired, clock)
}

/// The thread is about to sleep until a late timer is due, and notices an earlier one: nobody else
/// wakes it.
#[test]
fn an_earlier_timer_against_the_sleep_until_a_later_one() {
    model(2, || {
        let service = Arc::new(Timers::new());
        let (late, early) = (Fired::new(1), Fired::new(1));
        let now = Instant::now();
        service.set(1, now + ONE_HOUR, None, late.timer()).unwrap();
        service.set(2, now, None, early.timer()).unwrap();
        early.wait();
        service.shutdown();
        assert_eq!((late.count(), early.count()), (0, 1));
    });
}

#[test]
fn two_that_set_timers_lose_none() {
    model(2, || {
        let service = Arc::new(Timers::new());
        let fired = Fired::new(2);
        let other = {
            let (service, timer) = (Arc::clone(&service), fired.timer());
            thread::spawn(move || service.set(1, Instant::now(), None, timer).unwrap())
        };
        service.set(2, Instant::now(), None, fired.timer()).unwrap();
        fired.wait();
        other.join().unwrap();
        service.shutdown();
        assert_eq!(fired.count(), 2);
    });
}

/// A timer that is removed when it becomes due either fires or is removed.
#[test]
fn removal_against_firing() {
    model(2, || {
        let (service, fired, clock) = becoming_due();
        let removed = service.remove(&1);
        clock.join().unwrap();
        if !removed {
            fired.wait();
        }
        service.shutdown();
        assert_eq!(fired.count(), usize::from(!removed));
        assert!(fired.is_alone());
    });
}

/// A periodic timer that is replaced while it fires fires no more, and the new one does.
#[test]
fn replacement_against_firing() {
    model(2, || {
        let service = Arc::new(Timers::new());
        let (old, new) = (Fired::new(1), Fired::new(1));
        let now = Instant::now();
        service
            .set(1, now, Some(A_THOUSAND_HOURS), old.timer())
            .unwrap();
        service
            .set(1, now, Some(A_THOUSAND_HOURS), new.timer())
            .unwrap();
        new.wait();
        assert!(service.remove(&1));
        service.shutdown();
        assert!(old.count() <= 1);
        assert_eq!(new.count(), 1);
        assert!(old.is_alone() && new.is_alone());
    });
}

/// A timer that does not fire yet when the service is shut down never fires; the shutdown waits for
/// one that fires.
#[test]
fn shutdown_against_firing() {
    model(2, || {
        let (service, fired, clock) = becoming_due();
        service.shutdown();
        let count = fired.count();
        clock.join().unwrap();
        assert_eq!(fired.count(), count);
        assert!(fired.is_alone());
    });
}

/// A timer that is set while the service is shut down fires or is dropped; two threads may shut the
/// service down at once.
#[test]
fn setting_against_shutdown() {
    model(2, || {
        let service = Arc::new(Timers::new());
        let fired = Fired::new(1);
        let other = {
            let (service, timer) = (Arc::clone(&service), fired.timer());
            thread::spawn(move || {
                service.set(1, Instant::now(), None, timer).unwrap();
                service.shutdown();
            })
        };
        service.shutdown();
        let count = fired.count();
        other.join().unwrap();
        service.shutdown();
        assert!(count <= 1 && fired.count() == count);
        assert!(fired.is_alone());
    });
}
