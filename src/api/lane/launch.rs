//! Launching a lane: everything up to the start of its thread happens on the thread of its creator,
//! so that whatever goes wrong is an error of the call that launches the lane
//! (docs/manual/generators.md#launching).

use super::{failures, globals, receiver, run, states};
use crate::api::threads::{checked_native_priority, checked_priority};
use crate::context::Context;
use crate::lane::{Home, Record, Spare, Traces, no_thread};
use crate::linda::allow_object_keys;
use crate::lua::{KEYS, Kind, Raise, Raising, State, protect, text};
use crate::message::{
    Destination, Label, Packet, decode_one, decode_packet, encode_one, encode_packet,
};
use crate::state::libraries::Libraries;
use crate::universe::{Interface, Universe};
use lanes_engine::memory::grow;
use lanes_engine::park::{Deadline, Latch, Turns, Wait, Waiter};
use lanes_engine::sync::race_point;
use std::os::raw::c_int;
use std::sync::{Arc, OnceLock};

/// Where the arguments of `core.launch` are.
const LIBRARIES_AT: c_int = 1;
const OPTIONS_AT: c_int = 2;
const BODY_AT: c_int = 3;

/// A lane that is being prepared.
pub(super) struct Launch<'a> {
    pub(super) context: &'a Context,
    /// The creator's state.
    pub(super) from: State,
    /// The lane's own context, and its state.
    pub(super) lane: &'a Context,
    pub(super) to: State,
}

/// `core.launch(libraries, options, body, arguments...)`: starts a lane and returns its handle.
/// Called by generators, which have checked the types of the options. Errors have the position of
/// the generator's caller.
pub fn launch(state: State) -> Result<c_int, Raise> {
    start(state, false).map_err(Raise::for_caller)
}

/// As [`launch`], of a lane that is a coroutine.
pub fn launch_coroutine(state: State) -> Result<c_int, Raise> {
    start(state, true).map_err(Raise::for_caller)
}

fn start(state: State, coroutine: bool) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let universe = context.universe()?;
    if universe.is_closing() {
        return Err(Raise::message(
            "cannot start a lane: the main state is being closed",
        ));
    }
    failures::drain(context, state);
    let settings = Settings::read(state, universe.settings.interface)?;
    let spare = states::take(universe, state, settings.libraries, settings.memory_limit)?;
    let record = Arc::clone(&spare.record);
    if coroutine {
        let _ = record.turns.set(Box::new(Turns::new()));
    }
    let to = spare.owned.state();
    let Some(lane) = Context::in_registry(&to) else {
        return Err(Raise::message(
            "internal error in lanes: a new state has no context",
        ));
    };
    lane.set_universe(Arc::clone(universe));
    let cache = &lane.coders.cache;
    cache.demote.set(universe.settings.demote_full_userdata);
    cache.strip.set(universe.settings.four.strip_functions);
    cache.conversion.set(universe.settings.four.conversion);
    lane.traces.set(settings.traces);
    let launch = Launch {
        context,
        from: state,
        lane,
        to,
    };
    let stack = settings.stack_size.unwrap_or(universe.settings.stack_size);
    // Lanes have no signal handlers.
    let watched = match context.record {
        Some(_) => None,
        None => Some([context.main.get().unwrap_or(state), state]),
    };
    *lane.home.borrow_mut() = Some(Home::new(
        stack,
        &record,
        &context.waiter,
        context.finalizing.get(),
        watched,
    ));
    let prepared = launch.prepare(&record, &settings);
    let Some(home) = lane.home.take() else {
        return Err(Raise::message(
            "internal error in lanes: a launch lost its thread",
        ));
    };
    let prepared = home
        .outcome(prepared)
        .and_then(|()| receiver::push(context, state, &record, settings.traces));
    if let Err(raise) = prepared {
        home.end(spare);
        return Err(raise);
    }
    let place = state.top();
    // For a lane that never began, `gc_cb` is not called.
    spawn(universe, spare, settings.priority, home)
        .inspect_err(|_| receiver::forget(state, place))?;
    Ok(1)
}

/// Hands the lane to its thread.
fn spawn(
    universe: &Arc<Universe>,
    spare: Spare,
    priority: Option<(i32, bool)>,
    home: Home,
) -> Result<(), Raise> {
    let record = Arc::clone(&spare.record);
    if !universe.add_lane(&record) {
        home.end(spare);
        return Err(Raise::message(
            "cannot start a lane: the main state is being closed",
        ));
    }
    let wanted = priority.filter(|&(value, native)| value != 0 || native);
    let priority = wanted.map(|(value, native)| {
        Arc::new(run::Priority {
            value,
            native,
            tried: Latch::new(),
            refused: OnceLock::new(),
        })
    });
    let job = run::Job {
        spare,
        universe: Arc::clone(universe),
        priority: priority.clone(),
    };
    home.run(Box::new(move |ending| job.run(ending)))
        .map_err(|error| {
            universe.remove_lane(&record);
            no_thread(&error)
        })?;
    race_point(2);
    // Only a higher priority, or a native one, may be refused: then this call fails, and the lane
    // does not run.
    if let Some(priority) = priority.filter(|priority| priority.value > 0 || priority.native) {
        let wait = Wait {
            waiter: &Waiter::new(),
            deadline: Deadline::Never,
            interrupted: None,
            sleeps: None,
        };
        let _ = priority.tried.wait(&wait);
        if let Some(reason) = priority.refused.get() {
            return Err(Raise::message(format!("cannot start a lane: {reason}")));
        }
    }
    Ok(())
}

/// The options that are not values for the lane.
struct Settings {
    libraries: Libraries,
    /// Whether it is a native one, too.
    priority: Option<(i32, bool)>,
    name: Option<Vec<u8>>,
    memory_limit: usize,
    stack_size: Option<usize>,
    traces: Traces,
}

impl Settings {
    fn read(state: State, interface: Interface) -> Result<Settings, Raise> {
        let list = if state.kind(LIBRARIES_AT) == Kind::String {
            state.bytes(LIBRARIES_AT)
        } else {
            None
        };
        let libraries = Libraries::parse(list).map_err(Raise::message)?;
        push_option(state, "priority")?;
        let priority = if state.kind(-1) == Kind::Number {
            let checked = checked_priority(state.number(-1)).map_err(Raise::message)?;
            Some((checked, false))
        } else {
            None
        };
        push_option(state, "name")?;
        let name = state.bytes(-1).map(grow::copy);
        push_option(state, "memory_limit")?;
        let memory_limit = if state.kind(-1) == Kind::Number {
            state.number(-1) as usize
        } else {
            usize::MAX
        };
        push_option(state, "stack_size")?;
        let stack_size = (state.kind(-1) == Kind::Number).then(|| state.number(-1) as usize);
        state.pop(4);
        let mut priority = priority;
        let traces = match interface {
            Interface::Three => Traces::Basic,
            Interface::Four => {
                push_option(state, "native_priority")?;
                if state.kind(-1) == Kind::Number {
                    let native = checked_native_priority(state.number(-1));
                    priority = Some((native.map_err(Raise::message)?, true));
                }
                state.pop(1);
                push_option(state, "error_trace_level")?;
                let named = state.bytes(-1).and_then(Traces::named);
                state.pop(1);
                named.unwrap_or(Traces::Minimal)
            }
        };
        Ok(Settings {
            traces,
            libraries,
            priority,
            name,
            memory_limit,
            stack_size,
        })
    }
}

/// Pushes entry `name` of the options in the creator's state, or nil.
fn push_option(state: State, name: &'static str) -> Result<(), Raise> {
    if state.kind(OPTIONS_AT) != Kind::Table {
        state.push_nil();
        return Ok(());
    }
    protect(state, 0, move |raising| raising.push_bytes(name.as_bytes()))?;
    state.raw_get(OPTIONS_AT);
    Ok(())
}

/// Goes on to the next entry of the table below the key at the top of the stack. Transfers in
/// between may run code that changes the table.
pub(super) fn next(state: State) -> Result<bool, Raise> {
    protect(state, 2, |raising| raising.next(1))
}

impl Launch<'_> {
    /// Prepares the lane's state as the options say, and puts body and arguments on its stack.
    fn prepare(&self, record: &Arc<Record>, settings: &Settings) -> Result<(), Raise> {
        self.name(record, settings.name.as_deref())?;
        if self.context.interface() == Interface::Four {
            self.inside(0, allow_object_keys)?;
        }
        self.on_state_create()?;
        self.package()?;
        self.required()?;
        self.globals()?;
        self.body()?;
        self.arguments()
    }

    /// Moves the error value at the top of the lane's stack to the creator's.
    pub(super) fn carry(&self, raise: Raise) -> Raise {
        if !matches!(raise, Raise::Value) {
            return raise;
        }
        let text = self.to.text(-1);
        if let Ok(message) = encode_one(&self.lane.coders, self.to, Label::Error)
            && decode_one(&self.context.coders, self.from, Label::Error, &message, &[]).is_ok()
        {
            return Raise::Value;
        }
        Raise::Bare(text.unwrap_or_else(|| "(an error value that cannot travel)".into()))
    }

    /// As [`protect`], in the lane's state. The error value of a failure is moved to the creator's
    /// state.
    pub(super) fn inside<F, R>(&self, arguments: c_int, closure: F) -> Result<R, Raise>
    where
        F: FnOnce(Raising) -> R + Copy,
        R: Copy,
    {
        protect(self.to, arguments, closure).map_err(|raise| self.carry(raise))
    }

    /// Names the lane in messages, and for debuggers in the global `decoda_name`.
    fn name(&self, record: &Arc<Record>, given: Option<&[u8]>) -> Result<(), Raise> {
        let name = match given {
            Some(given) => {
                record.set_name(given);
                grow::copy(given)
            }
            None => format!("Lane #{:p}", Arc::as_ptr(record)).into_bytes(),
        };
        let bytes = &name[..];
        if self.context.interface() == Interface::Three {
            self.inside(0, |raising| {
                raising.push_bytes(bytes);
                raising.set_global(c"decoda_name");
            })?;
        }
        *self.lane.coders.cache.name.borrow_mut() = name;
        Ok(())
    }

    /// Transfers the top value of the creator's stack to the top of the lane's.
    pub(super) fn transfer(&self, label: Label) -> Result<(), Raise> {
        let packet = self.encode(label)?;
        self.decode(label, &packet)
    }

    /// Captures the top value of the creator's stack, which it pops.
    pub(super) fn encode(&self, label: Label) -> Result<Packet, Raise> {
        let to = Destination::State(self.to, &self.lane.coders.cache);
        encode_packet(&self.context.coders, self.from, 1, label, to)
    }

    /// Builds a captured value at the top of the lane's stack.
    pub(super) fn decode(&self, label: Label, packet: &Packet) -> Result<(), Raise> {
        decode_packet(&self.lane.coders, self.to, label, packet)
            .map(|_| ())
            .map_err(|raise| self.carry(raise))
    }

    /// Calls the function below its arguments, which are at the top of the lane's stack.
    fn call(&self, arguments: c_int) -> Result<(), Raise> {
        self.to
            .call_protected(arguments, Some(0), 0)
            .map_err(|_| Raise::Value)
    }

    fn on_state_create(&self) -> Result<(), Raise> {
        self.from
            .raw_get_index(State::REGISTRY, KEYS.on_state_create);
        if self.from.is_none_or_nil(-1) {
            self.from.pop(1);
            return Ok(());
        }
        let interface = self.context.interface();
        self.inside(0, move |raising| globals::hide(raising, interface))?;
        if self.from.is_c_function(-1) {
            let function = self.from.c_function(-1);
            self.from.pop(1);
            self.inside(0, move |raising| match function {
                Some(function) => raising.push_c_function(function, 0),
                None => raising.push_nil(),
            })?;
        } else {
            self.transfer(Label::StateCreate)?;
        }
        self.to.push_copy(-1);
        self.inside(1, |raising| {
            raising.raw_set_index(State::REGISTRY, KEYS.on_state_create)
        })?;
        let arguments = match interface {
            Interface::Three => 0,
            Interface::Four => {
                self.inside(0, |raising| raising.push_bytes(b"lane"))?;
                1
            }
        };
        self.call(arguments).map_err(|_| {
            let reason = self
                .to
                .text(-1)
                .unwrap_or_else(|| self.to.type_name(-1).into());
            Raise::message(text!["on_state_create failed: \"", reason, "\""])
        })
    }

    /// Pushes entry `name` of the options, or nil.
    pub(super) fn option(&self, name: &'static str) -> Result<(), Raise> {
        push_option(self.from, name)
    }

    /// Copies the entries of the option `globals`: key and value of one entry are one transfer.
    fn globals(&self) -> Result<(), Raise> {
        let (from, to) = (self.from, self.to);
        self.option("globals")?;
        if from.is_none_or_nil(-1) {
            from.pop(1);
            return Ok(());
        }
        from.push_nil();
        while next(from)? {
            from.push_copy(-2);
            from.insert(-2);
            let packet = encode_packet(
                &self.context.coders,
                from,
                2,
                Label::Global,
                Destination::State(to, &self.lane.coders.cache),
            )?;
            decode_packet(&self.lane.coders, to, Label::Global, &packet)
                .map_err(|raise| self.carry(raise))?;
            self.inside(2, |raising| {
                raising.push_globals();
                raising.insert(1);
                if raising.is_none_or_nil(2) {
                    raising.push_bytes(b"globals: a key cannot travel between lanes");
                    raising.raise();
                }
                raising.raw_set(1);
                raising.pop(1);
            })?;
        }
        from.pop(1);
        Ok(())
    }

    /// Puts the body on the lane's stack.
    fn body(&self) -> Result<(), Raise> {
        let (from, to) = (self.from, self.to);
        globals::set(to).map_err(|raise| self.carry(raise))?;
        if let Some(text) = from.bytes(BODY_AT) {
            let shown = text.split(|&byte| byte == 0).next().unwrap_or_default();
            // The room includes the zero byte at the end.
            let mut name = grow::list(shown.len() + 1);
            name.extend_from_slice(shown);
            let name = std::ffi::CString::new(name).unwrap_or_default();
            let name = name.as_c_str();
            let loaded = self.inside(0, move |raising| raising.load_text(text, name))?;
            if !loaded {
                let reason = to.text(-1).unwrap_or_default();
                return Err(Raise::message(text![
                    "error when parsing lane function code: ",
                    reason,
                ]));
            }
            return Ok(());
        }
        from.push_copy(BODY_AT);
        self.transfer(Label::Body)
    }

    /// Puts the arguments on the lane's stack.
    fn arguments(&self) -> Result<(), Raise> {
        let count = self.from.top() - BODY_AT;
        if count == 0 {
            return Ok(());
        }
        let packet = encode_packet(
            &self.context.coders,
            self.from,
            count,
            Label::Argument(1),
            Destination::State(self.to, &self.lane.coders.cache),
        )?;
        decode_packet(&self.lane.coders, self.to, Label::Argument(1), &packet)
            .map(|_| ())
            .map_err(|raise| self.carry(raise))
    }
}
