//! The context of a Lua state: what our functions know in it. Every function of ours has it as its first upvalue.

use crate::lane::{Handle, Home, Record, callback};
use crate::linda::Shortcuts;
use crate::lua::{Arguments, Raise, Raising, State, Userdata, lua_function, protect, upvalue};
use crate::message::{KEYS, Local, Proxy};
use crate::universe::Universe;
use lanes_engine::park::{Deadline, Request, Wait, Waiter};
use std::cell::{Cell, OnceCell, RefCell};
use std::os::raw::c_int;
use std::sync::Arc;

/// What our functions know in one state.
pub struct Context {
    /// Transfers: buffers, kinds, names.
    pub local: Local,
    /// Who waits when this state waits.
    pub waiter: Arc<Waiter>,
    /// The userdata that are proxies of lindas.
    pub linda: Cell<Option<Userdata<Proxy>>>,
    /// Shortcuts to slots that this state receives from.
    pub shortcuts: RefCell<Shortcuts>,
    /// The userdata that are lane handles.
    pub handle: Cell<Option<Userdata<Handle>>>,
    /// The lane that this state belongs to; none in a master state.
    pub record: Option<Arc<Record>>,
    universe: OnceCell<Arc<Universe>>,
    /// This state's first coroutine, whose hooks a signal handler may set.
    pub main: Cell<Option<State>>,
    /// The master closes the universe with its state.
    pub master: Cell<bool>,
    /// Error traces have all fields (`set_error_reporting`).
    pub extended_traces: Cell<bool>,
    /// Finalizers are running: none can be added.
    pub finalizing: Cell<bool>,
    /// While the lane is being launched: its thread, where modules are loaded.
    pub home: RefCell<Option<Home>>,
}

/// What all contexts have that a state has one after another.
#[derive(Clone, Copy)]
pub struct Kinds {
    linda: Userdata<Proxy>,
    handle: Userdata<Handle>,
}

/// The kind of the userdata that hold contexts: known by their place (first upvalue, registry), not by metatable.
type Holder = Userdata<Context>;

impl Context {
    /// A context for a state; the universe follows.
    pub fn new(name: &str, record: Option<Arc<Record>>) -> Context {
        Context {
            local: Local::new(name),
            waiter: record
                .as_ref()
                .map_or_else(Waiter::new, |record| Arc::clone(&record.waiter)),
            linda: Cell::new(None),
            shortcuts: RefCell::default(),
            handle: Cell::new(None),
            record,
            universe: OnceCell::new(),
            main: Cell::new(None),
            master: Cell::new(false),
            extended_traces: Cell::new(false),
            finalizing: Cell::new(false),
            home: RefCell::default(),
        }
    }

    /// The context of the running function.
    ///
    /// Errors: the state is being closed, and its context is gone.
    #[inline]
    pub fn of<'a>(state: State) -> Result<&'a Context, Raise> {
        Holder::held(state, upvalue(1)).ok_or_else(closed)
    }

    /// The context at an index, such as another upvalue than the first; none where the state is being closed.
    #[inline]
    pub fn at<'a>(state: State, index: c_int) -> Option<&'a Context> {
        Holder::held(state, index)
    }

    /// The context of a state that has one, from outside of any function.
    pub fn in_registry<'a>(state: State) -> Option<&'a Context> {
        state.raw_get_index(State::REGISTRY, KEYS.context);
        let context = Holder::held(state, -1);
        state.pop(1);
        context
    }

    /// Prepares a state for contexts: registry tables, metatables of lindas and lane handles. Answers what contexts of
    /// this state have in common.
    pub fn prepare(state: State) -> Result<Kinds, Raise> {
        protect(state, 0, |raising| {
            raising.reserve(16);
            Local::install(raising);
            raising.new_table(0, 1);
            raising.push_function(close, 0);
            raising.raw_set_name(-2, b"__gc");
            let holder = Holder::adopt(raising);
            holder.push_empty(raising, 0);
            raising.push_copy(-1);
            raising.raw_set_index(State::REGISTRY, KEYS.context);
            let holder = raising.top();
            let linda = crate::linda::install(raising, holder);
            let handle = crate::lane::install_handles(raising, holder);
            raising.set_top(0);
            Kinds { linda, handle }
        })
    }

    /// Puts a context into a state that has been prepared and has none.
    pub fn install(state: State, kinds: Kinds, context: Context) {
        context.main.set(Some(state));
        context.linda.set(Some(kinds.linda));
        context.handle.set(Some(kinds.handle));
        context.local.add_kind(crate::linda::KIND, kinds.linda);
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

    /// The universe, if there is one by now.
    pub fn universe_if_any(&self) -> Option<&Arc<Universe>> {
        self.universe.get()
    }

    /// Sets the universe; false where there is one already.
    pub fn set_universe(&self, universe: Arc<Universe>) -> bool {
        self.universe.set(universe).is_ok()
    }

    /// What an operation that does not wait is called with.
    #[inline]
    pub fn at_once(&self) -> Wait<'_> {
        Wait {
            waiter: &self.waiter,
            deadline: Deadline::Now,
            interrupted: None,
        }
    }

    /// Whether a lane that is asked to stop, since the main state is being closed, is left alone: it is in a callback of a C library, which
    /// might end the process in its own way, were an error raised there.
    pub fn is_left_alone(&self, state: State) -> bool {
        self.universe_if_any()
            .is_some_and(|universe| universe.is_closing())
            && callback::is_within(self, state, false)
    }

    /// Whether `cancel_error` cannot be raised in `state`, which runs: it would end a callback of a C library.
    pub fn is_called_back(&self, state: State) -> bool {
        callback::is_within(self, state, true)
    }

    /// Calls `operation` with a wait of this state until it ends for another reason than an interruption.
    ///
    /// A signal handler of the host (Ctrl-C in the stock interpreter) asks for attention by setting a debug hook. A
    /// wait then ends, and a function is called for the hook to see, which raises its error from there. So it is for a
    /// hook that is there before the wait: it may have come after the interpreter last looked for one. A hook that
    /// raises nothing does not mind, and the wait goes on.
    #[cold]
    pub fn wait<T>(
        &self,
        state: State,
        deadline: Deadline,
        mut operation: impl FnMut(&Wait) -> Waited<T>,
    ) -> Result<T, Raise> {
        // Lanes have no signal handlers; their hooks are set by cancellation, which wakes them by itself.
        let watched = self.record.is_none() && deadline != Deadline::Now;
        let main = self.main.get().unwrap_or(state);
        let hooks = || (main.hook(), if state == main { 0 } else { state.hook() });
        loop {
            let before = hooks();
            if watched && before != (0, 0) {
                protect(state, 0, |_| ())?;
            }
            let interrupted = || hooks() != before;
            let wait = Wait {
                waiter: &self.waiter,
                deadline,
                interrupted: if watched { Some(&interrupted) } else { None },
            };
            match operation(&wait) {
                Waited::Ended(value) => return Ok(value),
                Waited::Asked(value) if !self.is_left_alone(state) => return Ok(value),
                Waited::Asked(_) => {
                    // Whoever ends the program is not to be told that the lane has heard it.
                    self.waiter.cancel(Request::None, false);
                    continue;
                }
                Waited::Interrupted => {}
            }
            // Signal handlers know the first coroutine only, which does not run while another one waits.
            if before == (0, 0) && main.hook() != 0 && state.hook() == 0 {
                main.move_hook(state);
            }
        }
    }
}

/// How long an operation may wait.
#[derive(Clone, Copy, PartialEq)]
pub enum Timeout {
    /// Not at all.
    Zero,
    /// For this many seconds, more than zero.
    Seconds(f64),
    /// For ever.
    Never,
}

impl Timeout {
    /// The timeout that is the number at `index`, in seconds; a negative one is for ever.
    ///
    /// Errors: NaN.
    #[inline]
    pub fn argument(arguments: &Arguments, index: c_int) -> Result<Timeout, Raise> {
        let seconds = arguments.number(index)?;
        if seconds.is_nan() {
            return Err(arguments.error(index, "timeout in seconds expected, got NaN"));
        }
        Ok(if seconds < 0.0 {
            Timeout::Never
        } else if seconds == 0.0 {
            Timeout::Zero
        } else {
            Timeout::Seconds(seconds)
        })
    }

    /// The deadline of a wait that begins now.
    pub fn deadline(self) -> Deadline {
        match self {
            Timeout::Zero => Deadline::Now,
            Timeout::Seconds(seconds) => Deadline::after_seconds(seconds),
            Timeout::Never => Deadline::Never,
        }
    }
}

/// The deadline that is the number at `index`, in seconds from now; a negative one is for ever.
///
/// Errors: NaN.
pub fn deadline(arguments: &Arguments, index: c_int) -> Result<Deadline, Raise> {
    Timeout::argument(arguments, index).map(Timeout::deadline)
}

/// How an operation that may wait ended.
pub enum Waited<T> {
    /// With this.
    Ended(T),
    /// A hook wants attention.
    Interrupted,
    /// With this, by a hard request.
    Asked(T),
}

fn closed() -> Raise {
    Raise::message("lanes cannot be used any more: this Lua state is being closed")
}

lua_function! {
    /// `__gc` of the context: the state is being closed. A master ends its universe.
    always fn close = close_body
}

fn close_body(state: State) -> Result<c_int, Raise> {
    let Some(context) = Holder::take(state, 1) else {
        return Ok(0);
    };
    if !context.master.get() {
        drop(context);
        crate::state::allocator::ending(state.raw());
    } else if let Some(universe) = context.universe_if_any() {
        let all_ended = crate::lane::shut_down(universe);
        if let Some(shared) = &universe.settings.allocator {
            if all_ended {
                shared.restore(state.raw());
            } else {
                // Lanes that go on use the host's allocator behind the same lock as this state does to its end.
                std::mem::forget(Arc::clone(shared));
            }
        }
    }
    Ok(0)
}

/// Pushes a C function that has the context at `context` as its first upvalue.
pub fn push_function(raising: Raising, context: c_int, function: crate::lua::Function) {
    raising.push_copy(context);
    raising.push_function(function, 1);
}
