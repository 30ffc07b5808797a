//! A universe: one master state with its lanes and lindas, and what they have in common.

use crate::deadlocks::{Deadlocks, OnDeadlock};
use crate::lane::{ALL_HOOKS, Pause, Record, Spares};
use crate::linda::Linda;
use crate::message::Conversion;
use crate::state::allocator::Shared;
use crate::timer::Timers;
use lanes_engine::memory::grow;
use lanes_engine::park::named::{Locks, Party};
use lanes_engine::park::{Request, Waiter};
use lanes_engine::sync::{Mutex, MutexGuard};
use lanes_engine::threads::fork::PerProcess;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// Which interface the programs of a universe use: all states of it use the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interface {
    /// That of Lanes 3.x.
    Three,
    /// That of Lanes 4.x (docs/manual/v4.md).
    Four,
}

/// What `configure` was given.
#[derive(Clone)]
pub struct Settings {
    /// Which interface programs use.
    pub interface: Interface,
    /// What the 4.x interface adds.
    pub four: OfFour,
    /// Timers may be used.
    pub with_timers: bool,
    /// Other full userdata become light userdata.
    pub demote_full_userdata: bool,
    /// `lanes.threads` may be used.
    pub track_lanes: bool,
    /// Seconds that closing the master state waits for lanes to end.
    pub shutdown_timeout: f64,
    /// Stack size of a lane for which none was given, in bytes.
    pub stack_size: usize,
    /// The host's allocator, if lanes share it.
    pub allocator: Option<Arc<Shared>>,
    /// Who is told of failures that nobody reads.
    pub on_error: OnError,
    /// What is done about a deadlock.
    pub on_deadlock: OnDeadlock,
    /// Whether a function in the master's registry returns an allocator for each state.
    pub custom_allocator: bool,
}

/// The settings that the 4.x interface adds. In that of 3.x they have no effect.
#[derive(Clone, Copy, Default)]
pub struct OfFour {
    /// Seconds after which a wait on a linda without a period of its own looks for requests.
    pub wake_period: Option<f64>,
    /// The highest group that lindas may have.
    pub user_keepers: u32,
    /// How objects are converted; only in the 4.x interface.
    pub conversion: Option<Conversion>,
    /// Functions travel without the names and lines that debuggers read.
    pub strip_functions: bool,
}

/// Who is told of failures that nobody reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Nobody.
    Nobody,
    /// Whoever reads standard error.
    Stderr,
    /// A function in the master's registry.
    Function,
}

/// One master state, its lanes and lindas.
pub struct Universe {
    /// What `configure` was given.
    pub settings: Settings,
    /// The master state as a party of waits for each other.
    pub main: Party,
    main_waiter: Arc<Waiter>,
    /// What the master state waits for while it sleeps.
    pub main_pause: Pause,
    /// What is known for the detection of deadlocks.
    pub deadlocks: Deadlocks,
    loading: PerProcess<Locks>,
    timers: PerProcess<Timers>,
    spares: PerProcess<Spares>,
    lanes: PerProcess<Mutex<Lanes>>,
    /// Lindas that are alive. They are emptied at the end, because a linda that contains itself
    /// would never be freed.
    lindas: PerProcess<Mutex<Vec<Weak<Linda>>>>,
    closing: AtomicBool,
    /// Lanes whose failures the function of the master is still to be told of.
    unread: PerProcess<Mutex<VecDeque<Arc<Record>>>>,
    has_unread: AtomicBool,
}

#[derive(Default)]
struct Lanes {
    /// Lanes that have not ended.
    running: Vec<Arc<Record>>,
    /// Lanes that `lanes.threads` lists, oldest first, if they are tracked.
    tracked: VecDeque<Weak<Record>>,
    /// What lanes that start are asked to do at once.
    asked: Option<Asked>,
}

/// What all lanes are asked to do when the program ends: a request, which wakes them, and whether
/// every hook comes with it.
#[derive(Clone, Copy)]
pub struct Asked {
    pub request: Request,
    pub hooks: bool,
}

impl Asked {
    /// Asks one lane.
    pub fn ask(self, lane: &Record) {
        if self.hooks {
            lane.set_hooks(ALL_HOOKS.0, ALL_HOOKS.1);
        }
        lane.waiter.cancel(self.request, true);
    }
}

impl Universe {
    /// A universe without lanes. `main` is the waiter of its master state.
    pub fn new(settings: Settings, main: &Arc<Waiter>) -> Arc<Universe> {
        Arc::new(Universe {
            main: Party::of(main),
            main_waiter: Arc::clone(main),
            main_pause: Pause::default(),
            deadlocks: Deadlocks::new(settings.on_deadlock),
            settings,
            loading: PerProcess::default(),
            timers: PerProcess::new(Timers::new()),
            spares: PerProcess::default(),
            lanes: PerProcess::default(),
            lindas: PerProcess::default(),
            closing: AtomicBool::new(false),
            unread: PerProcess::default(),
            has_unread: AtomicBool::new(false),
        })
    }

    /// The modules that are being loaded, by name, and who waits for whom.
    pub fn loading(&self) -> &Locks {
        self.loading.here(Locks::default)
    }

    /// The timers of `lanes.timer`.
    pub fn timers(&self) -> &Timers {
        self.timers.here(Timers::new)
    }

    /// States that the next lanes can have.
    pub fn spares(&self) -> &Spares {
        self.spares.here(Spares::default)
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.here(Mutex::default).lock()
    }

    fn lindas(&self) -> MutexGuard<'_, Vec<Weak<Linda>>> {
        self.lindas.here(Mutex::default).lock()
    }

    /// Adds a lane that is about to start. Returns false if the universe is closing.
    pub fn add_lane(&self, record: &Arc<Record>) -> bool {
        let mut lanes = self.lanes();
        if self.is_closing() {
            return false;
        }
        record
            .position
            .store(lanes.running.len(), Ordering::Relaxed);
        // Lanes in the list are waited for at the end, so whatever may unwind is done before the
        // lane is in it.
        grow::room(&mut lanes.running, 1);
        self.track_in(&mut lanes, record);
        lanes.running.push(Arc::clone(record));
        if let Some(asked) = lanes.asked {
            asked.ask(record);
        }
        if self.deadlocks.are_looked_for() {
            self.deadlocks.crowd().enter();
        }
        true
    }

    /// Lists a record among the lanes, if they are tracked.
    pub fn track(&self, record: &Arc<Record>) {
        self.track_in(&mut self.lanes(), record);
    }

    fn track_in(&self, lanes: &mut Lanes, record: &Arc<Record>) {
        if self.settings.track_lanes {
            // Records that no longer exist are removed before the list would grow.
            if lanes.tracked.len() == lanes.tracked.capacity() {
                lanes.tracked.retain(|record| record.strong_count() > 0);
                let room = lanes.tracked.len().max(16);
                grow::room(&mut lanes.tracked, room);
            }
            lanes.tracked.push_back(Arc::downgrade(record));
        }
    }

    /// Removes a lane that has ended. Returns whether all others may be asleep.
    pub fn remove_lane(&self, record: &Record) -> bool {
        let removed = {
            let mut lanes = self.lanes();
            let position = record.position.load(Ordering::Relaxed);
            if !lanes
                .running
                .get(position)
                .is_some_and(|lane| std::ptr::eq(&**lane, record))
            {
                return false;
            }
            let removed = lanes.running.swap_remove(position);
            if let Some(moved) = lanes.running.get(position) {
                moved.position.store(position, Ordering::Relaxed);
            }
            removed
        };
        drop(removed);
        self.deadlocks.are_looked_for() && self.deadlocks.crowd().leave()
    }

    /// Whether the master and all lanes sleep without a deadline, and nobody has woken one.
    pub fn are_all_asleep(&self) -> bool {
        self.main_waiter.is_asleep()
            && self
                .lanes()
                .running
                .iter()
                .all(|lane| lane.waiter.is_asleep())
    }

    /// Wakes the master state, which may wait. The wait goes on unless it is interrupted.
    pub fn wake_main(&self) {
        self.main_waiter.wake();
    }

    /// The lanes that have not ended.
    pub fn running(&self) -> Vec<Arc<Record>> {
        self.lanes().running.clone()
    }

    /// From now on asks lanes that start as well; with none it does not. The lanes that are there
    /// are for the caller to ask.
    pub fn ask_new_lanes(&self, asked: Option<Asked>) {
        self.lanes().asked = asked;
    }

    /// The tracked lanes whose handle or thread is alive, newest first, and the status of each. No
    /// lane is added between two statuses, so all lanes that a lane launched before it ended are
    /// listed with it.
    pub fn tracked(&self) -> Vec<(Arc<Record>, &'static str)> {
        let lanes = self.lanes();
        let alive = lanes.tracked.iter().rev().filter_map(Weak::upgrade);
        grow::collect(alive.map(|record| {
            let status = record.status();
            (record, status)
        }))
    }

    /// Remembers a linda, to be emptied at the end.
    pub fn add_linda(&self, linda: &Arc<Linda>) {
        let mut lindas = self.lindas();
        if lindas.len() == lindas.capacity() {
            lindas.retain(|linda| linda.strong_count() > 0);
            let room = lindas.len().max(16);
            grow::room(&mut *lindas, room);
        }
        lindas.push(Arc::downgrade(linda));
    }

    fn unread(&self) -> MutexGuard<'_, VecDeque<Arc<Record>>> {
        self.unread.here(Mutex::default).lock()
    }

    /// Keeps a failed lane until the function of the master has been told. Wakes the master, which
    /// may be waiting. Returns false if out of memory.
    pub fn add_unread(&self, record: &Arc<Record>) -> bool {
        let mut unread = self.unread();
        if !grow::has_room(&mut *unread, 1) {
            return false;
        }
        unread.push_back(Arc::clone(record));
        self.has_unread.store(true, Ordering::Release);
        drop(unread);
        self.main_waiter.wake();
        true
    }

    /// Whether there are lanes that `add_unread` has kept.
    #[inline]
    pub fn has_unread(&self) -> bool {
        self.has_unread.load(Ordering::Acquire)
    }

    /// Takes the lane that `add_unread` has kept longest.
    pub fn take_unread(&self) -> Option<Arc<Record>> {
        let mut unread = self.unread();
        let record = unread.pop_front();
        self.has_unread.store(!unread.is_empty(), Ordering::Release);
        record
    }

    /// Closes the universe: no lane starts from now on.
    pub fn close(&self) {
        let _lanes = self.lanes();
        self.closing.store(true, Ordering::Release);
    }

    /// Whether the master state is being closed.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Empties all lindas.
    pub fn clear_lindas(&self) {
        let lindas = std::mem::take(&mut *self.lindas());
        for linda in lindas {
            if let Some(linda) = linda.upgrade() {
                linda.queues.clear();
            }
        }
    }
}
