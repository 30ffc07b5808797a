//! The data of a universe for the detection of deadlocks: who is awake, who holds the units of
//! locks, and what was found (docs/manual/deadlocks.md).

use crate::lane::{Entry, Record};
use crate::linda::Key;
use crate::lua::Text;
use lanes_engine::memory::grow;
use lanes_engine::park::Crowd;
use lanes_engine::sync::Mutex;
use lanes_engine::threads::fork::PerProcess;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

/// What is done about a deadlock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnDeadlock {
    /// Nothing: nobody looks for any.
    Nothing,
    /// It is written to standard error.
    Report,
    /// An error is raised.
    Error,
    /// A function in the master's registry is called.
    Function,
}

/// A deadlock: its text, and what each state waits for.
pub struct Found {
    /// The text.
    pub text: Text,
    /// What each state waits for.
    pub entries: Vec<Entry>,
}

/// Units of a lock that are taken.
struct Holder {
    linda: usize,
    key: Key,
    /// None: the master state.
    lane: Option<Weak<Record>>,
    name: Text,
    units: usize,
}

/// What a universe knows for the detection of deadlocks.
pub struct Deadlocks {
    /// What is done about a deadlock.
    pub mode: OnDeadlock,
    crowd: PerProcess<Crowd>,
    /// Whether one has been reported.
    reported: AtomicBool,
    /// What the master is to raise or to call its function with.
    pending: Mutex<Option<Found>>,
    is_pending: AtomicBool,
    holders: Mutex<Vec<Holder>>,
    /// How many notifiers are open.
    pub notifiers: Arc<AtomicUsize>,
}

impl Deadlocks {
    /// A universe of one state, which is awake.
    pub fn new(mode: OnDeadlock) -> Deadlocks {
        Deadlocks {
            mode,
            crowd: PerProcess::new(Crowd::new()),
            reported: AtomicBool::new(false),
            pending: Mutex::new(None),
            is_pending: AtomicBool::new(false),
            holders: Mutex::default(),
            notifiers: Arc::default(),
        }
    }

    /// Whether anybody looks for deadlocks.
    #[inline]
    pub fn are_looked_for(&self) -> bool {
        self.mode != OnDeadlock::Nothing
    }

    /// The states of this process.
    pub fn crowd(&self) -> &Crowd {
        self.crowd.here(Crowd::new)
    }

    /// Returns true the first time.
    pub fn begin_report(&self) -> bool {
        !self.reported.swap(true, Ordering::AcqRel)
    }

    /// Keeps what the master is to deal with.
    pub fn keep(&self, found: Found) {
        *self.pending.lock() = Some(found);
        self.is_pending.store(true, Ordering::Release);
    }

    /// Whether there is something that `keep` has kept.
    #[inline]
    pub fn is_pending(&self) -> bool {
        self.is_pending.load(Ordering::Acquire)
    }

    /// Takes what `keep` has kept.
    pub fn take(&self) -> Option<Found> {
        self.is_pending.store(false, Ordering::Release);
        self.pending.lock().take()
    }

    /// Somebody has taken units of a lock. `lane`: none for the master.
    pub fn taken(
        &self,
        linda: usize,
        key: Key,
        lane: Option<&Arc<Record>>,
        name: Text,
        units: usize,
    ) {
        let mut holders = self.holders.lock();
        if !grow::has_room(&mut *holders, 1) {
            return;
        }
        holders.push(Holder {
            linda,
            key,
            lane: lane.map(Arc::downgrade),
            name,
            units,
        });
    }

    /// Somebody has given units back: their own first, which were taken last.
    pub fn given_back(
        &self,
        linda: usize,
        key: &Key,
        lane: Option<&Arc<Record>>,
        mut units: usize,
    ) {
        let is_own = |holder: &Holder| match (&holder.lane, lane) {
            (Some(holder), Some(lane)) => std::ptr::eq(holder.as_ptr(), Arc::as_ptr(lane)),
            (None, None) => true,
            _ => false,
        };
        let mut holders = self.holders.lock();
        for only_own in [true, false] {
            let mut index = holders.len();
            while index > 0 && units > 0 {
                index -= 1;
                let holder = &mut holders[index];
                if holder.linda != linda || holder.key != *key || only_own && !is_own(holder) {
                    continue;
                }
                let count = units.min(holder.units);
                holder.units -= count;
                units -= count;
                if holder.units == 0 {
                    holders.remove(index);
                }
            }
        }
    }

    /// All units of a lock are free.
    pub fn forget(&self, linda: usize, key: &Key) {
        let mut holders = self.holders.lock();
        holders.retain(|holder| holder.linda != linda || holder.key != *key);
    }

    /// The names of those who hold units of a lock; of lanes that have ended, with that.
    pub fn holders(&self, linda: usize, key: &Key) -> Vec<Text> {
        let holders = self.holders.lock();
        let found = holders
            .iter()
            .filter(|holder| holder.linda == linda && holder.key == *key);
        grow::collect(found.map(|holder| {
            let ended = holder
                .lane
                .as_ref()
                .is_some_and(|lane| lane.upgrade().is_none_or(|lane| lane.has_ended()));
            let name = Text::from(holder.name.bytes());
            if ended {
                name.and(", which has ended")
            } else {
                name
            }
        }))
    }
}
