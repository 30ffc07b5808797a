//! A scope as an object: the lanes that must not outlive a function of `lanes.scope`
//! (docs/manual/scopes.md).

use crate::lane::Record;
use crate::lane::outcome::Stage;
use crate::universe::Universe;
use lanes_engine::memory::grow::{OutOfMemory, demand, out_of_memory};
use lanes_engine::park::{Alarm, SharedWatcher, Waiter, Watcher};
use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

/// A scope that has not ended.
pub struct Scope {
    alarm: Arc<Alarm>,
    /// Whether a lane that fails rings the alarm.
    ends_at_failure: bool,
    universe: Arc<Universe>,
    /// The number of the call that is made at the timeout.
    timer: Cell<Option<u64>>,
    /// The number of that moment, as `Record::end_number`; 0 before it.
    timed_out: Arc<AtomicUsize>,
}

impl Scope {
    /// A scope without lanes, of the state with this waiter. Unwinds if out of memory.
    pub fn new(owner: &Arc<Waiter>, universe: &Arc<Universe>, ends_at_failure: bool) -> Scope {
        demand(size_of::<Alarm>() + size_of::<AtomicUsize>());
        Scope {
            alarm: Arc::new(Alarm::new(owner)),
            ends_at_failure,
            universe: Arc::clone(universe),
            timer: Cell::new(None),
            timed_out: Arc::default(),
        }
    }

    /// Rings the alarm in `seconds` from now.
    ///
    /// Errors: as for `Timers::set`.
    pub fn set_timeout(&self, seconds: f64) -> io::Result<()> {
        let (alarm, timed_out) = (Arc::clone(&self.alarm), Arc::clone(&self.timed_out));
        let fire = move || {
            timed_out.store(Record::next_end_number(), Ordering::Release);
            alarm.ring();
        };
        let timer = self.universe.timers().call_in(seconds, fire)?;
        self.timer.set(Some(timer));
        Ok(())
    }

    /// Adds a lane. If the alarm has rung the lane is asked to stop now. Unwinds if out of memory.
    pub fn add(&self, record: &Arc<Record>) {
        demand(size_of::<Member>());
        let member = Arc::new(Member {
            record: Arc::downgrade(record),
            alarm: Arc::clone(&self.alarm),
            ends_at_failure: self.ends_at_failure,
        });
        let watcher: SharedWatcher = Arc::clone(&member) as SharedWatcher;
        let added = self
            .alarm
            .add(&record.waiter)
            .and_then(|()| record.end.watch(&watcher));
        match added {
            Ok(true) => {}
            Ok(false) => member.tell(),
            Err(OutOfMemory) => {
                self.alarm.remove(&record.waiter);
                out_of_memory();
            }
        }
    }

    /// Asks the lanes, and until `leave` the state, to stop.
    pub fn ring(&self) {
        self.alarm.ring();
    }

    /// From now on the state is asked nothing by this scope.
    pub fn leave(&self) {
        self.alarm.leave();
    }

    /// Ends the timeout. Returns the number of the moment at which it passed; none if it has not.
    pub fn end(&self) -> Option<usize> {
        if let Some(timer) = self.timer.take() {
            self.universe.timers().remove_call(timer);
        }
        match self.timed_out.load(Ordering::Acquire) {
            0 => None,
            number => Some(number),
        }
    }
}

impl Drop for Scope {
    /// The lanes of a scope that has been left without its end, with a coroutine that was
    /// collected, are asked to stop.
    fn drop(&mut self) {
        self.leave();
        self.end();
        self.ring();
    }
}

/// Watches the end of a lane of a scope.
struct Member {
    record: Weak<Record>,
    alarm: Arc<Alarm>,
    ends_at_failure: bool,
}

impl Watcher for Member {
    fn tell(&self) {
        let Some(record) = self.record.upgrade() else {
            return;
        };
        self.alarm.remove(&record.waiter);
        if self.ends_at_failure && record.stage() == Stage::Error {
            self.alarm.ring();
        }
    }
}
