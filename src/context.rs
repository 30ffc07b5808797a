//! The context of a Lua state: what our functions need to know in it. It is the first upvalue of
//! every function of ours.

#![allow(
    unsafe_code,
    reason = "takes the context from the places where nothing else is ever kept, without a check"
)]

use crate::lane::{Handle, Home, Kinds, Record, Traces};
use crate::linda::Shortcuts;
use crate::lua::{Function, KEYS, Kind, Raise, Raising, State, Userdata, upvalue};
use crate::message::Coders;
use crate::notifier::Notifier;
use crate::scope::Scope;
use crate::universe::{Interface, Universe};
use lanes_engine::park::{Deadline, Wait, Waiter};
use std::cell::{Cell, OnceCell, RefCell};
use std::os::raw::c_int;
use std::sync::Arc;

/// What our functions need to know in one state.
pub struct Context {
    /// What transfers of values use: names, kinds of objects, coders.
    pub coders: Coders,
    /// The waiter with which this state waits.
    pub waiter: Arc<Waiter>,
    /// Shortcuts to slots that this state receives from.
    pub shortcuts: RefCell<Shortcuts>,
    /// The addresses of the tables that the last `lanes.select` has read all of, from the second
    /// one; 0 if there are fewer. They are compared only: others can lie there now.
    pub seen_cases: Cell<[usize; 3]>,
    /// The kind of userdata that lane handles are.
    pub handle: Cell<Option<Userdata<Handle>>>,
    /// The kind of userdata that notifiers are, once there is one.
    pub notifier: Cell<Option<Userdata<Notifier>>>,
    /// The kind of userdata that the ends of scopes are, once there has been one.
    pub scope: Cell<Option<Userdata<Scope>>>,
    /// The record of the lane whose state this is; none in a master state.
    pub record: Option<Arc<Record>>,
    universe: OnceCell<Arc<Universe>>,
    /// This state's first coroutine, whose hooks a signal handler may set.
    pub main: Cell<Option<State>>,
    /// The interface that the program has chosen before `configure`, by a number; 0 if it has not.
    pub chosen: Cell<u8>,
    /// Whether this is the master state, which ends the universe when it is closed.
    pub master: Cell<bool>,
    /// What error traces of this lane contain.
    pub traces: Cell<Traces>,
    /// Whether finalizers are running: then none can be added.
    pub finalizing: Cell<bool>,
    /// Whether the function that is told of failures is running.
    pub reporting: Cell<bool>,
    /// While the lane is being launched: its thread, where modules are loaded.
    pub home: RefCell<Option<Home>>,
}

/// The kind of the userdata that hold contexts: known by their place (first upvalue, registry), not
/// by metatable.
type Holder = Userdata<Context>;

impl Context {
    /// A context without a universe.
    pub fn new(name: &str, record: Option<Arc<Record>>) -> Context {
        Context {
            coders: Coders::new(name),
            waiter: record
                .as_ref()
                .map_or_else(Waiter::new, |record| Arc::clone(&record.waiter)),
            shortcuts: RefCell::default(),
            seen_cases: Cell::default(),
            handle: Cell::new(None),
            notifier: Cell::new(None),
            scope: Cell::new(None),
            record,
            universe: OnceCell::new(),
            main: Cell::new(None),
            chosen: Cell::new(0),
            master: Cell::new(false),
            traces: Cell::new(Traces::Basic),
            finalizing: Cell::new(false),
            reporting: Cell::new(false),
            home: RefCell::default(),
        }
    }

    /// The context of the running function.
    ///
    /// Errors: the state is being closed, and its context is gone.
    #[inline]
    pub fn of(state: &State) -> Result<&Context, Raise> {
        Context::at(state, upvalue(1)).ok_or_else(closed)
    }

    /// The context at an index, such as another upvalue than the first. Returns none if the state
    /// is being closed.
    #[inline]
    pub fn at(state: &State, index: c_int) -> Option<&Context> {
        // SAFETY: programs cannot get at a holder, nor put anything in its places.
        unsafe { Holder::held(state, index) }
    }

    /// The context of a state, found through the registry. Returns none if the state has none.
    pub fn in_registry(state: &State) -> Option<&Context> {
        state.raw_get_index(State::REGISTRY, KEYS.context);
        let context = Context::at(state, -1);
        state.pop(1);
        context
    }

    /// Prepares a state for a context, which is to be put in later: pushes the userdata that will
    /// hold it, and keeps it in the registry. `close` is its finalizer.
    pub fn prepare(raising: Raising, close: Function) {
        raising.new_table(0, 1);
        raising.push_function(close, 0);
        raising.raw_set_name(-2, b"__gc");
        let holder = Holder::adopt(raising);
        holder.push_empty(raising, 0);
        raising.remove(-2);
        raising.push_copy(-1);
        raising.raw_set_index(State::REGISTRY, KEYS.context);
    }

    /// Takes the context out of the userdata at `index`, whose state is being closed. Returns none
    /// if it has none.
    pub fn take(state: State, index: c_int) -> Option<Box<Context>> {
        Holder::take(state, index)
    }

    /// Puts a context into a state that has been prepared and has none.
    pub fn install(state: State, kinds: Kinds, context: Context) {
        context.main.set(Some(state));
        context.handle.set(Some(kinds.handle));
        context
            .coders
            .cache
            .kinds
            .add(crate::linda::KIND, kinds.linda);
        state.raw_get_index(State::REGISTRY, KEYS.context);
        Holder::put(state, -1, Box::new(context));
        state.pop(1);
    }

    /// The universe.
    ///
    /// Errors: `configure` has not been called.
    #[inline]
    pub fn universe(&self) -> Result<&Arc<Universe>, Raise> {
        self.universe.get().ok_or_else(|| {
            Raise::message("lanes is not configured yet: call require \"lanes\".configure() first")
        })
    }

    /// The universe; none if `configure` has not been called.
    pub fn universe_if_any(&self) -> Option<&Arc<Universe>> {
        self.universe.get()
    }

    /// The interface that programs in this state use: that of its universe.
    pub fn interface(&self) -> Interface {
        self.universe
            .get()
            .map_or(Interface::Three, |universe| universe.settings.interface)
    }

    /// The period of waits on lindas that have none of their own, in seconds.
    pub fn wake_period(&self) -> Option<f64> {
        self.universe
            .get()
            .and_then(|universe| universe.settings.four.wake_period)
    }

    /// Sets the universe. Returns false if there is one already.
    pub fn set_universe(&self, universe: Arc<Universe>) -> bool {
        self.universe.set(universe).is_ok()
    }

    /// The wait for an operation that must not wait.
    #[inline]
    pub fn at_once(&self) -> Wait<'_> {
        Wait {
            waiter: &self.waiter,
            deadline: Deadline::Now,
            interrupted: None,
            sleeps: None,
        }
    }
}

fn closed() -> Raise {
    Raise::message("lanes cannot be used any more: this Lua state is being closed")
}

/// Pushes a C function that has the context at `context` as its first upvalue.
pub fn push_function(raising: Raising, context: c_int, function: Function) {
    raising.push_copy(context);
    raising.push_function(function, 1);
}

/// As [`push_function`], of a function whose arguments and results are those of the 4.x interface
/// (see [`interface_of_function`]).
pub fn push_function_of_four(raising: Raising, context: c_int, function: Function) {
    raising.push_copy(context);
    raising.push_boolean(true);
    raising.push_function(function, 2);
}

/// The interface whose arguments and results the running function has: that of 4.x if it was made
/// for it. Functions for the Lua modules of this library have those of 3.x in every universe.
pub fn interface_of_function(state: State) -> Interface {
    if state.kind(upvalue(2)) == Kind::Boolean {
        Interface::Four
    } else {
        Interface::Three
    }
}
