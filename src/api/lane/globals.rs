//! The functions that every lane has as globals: `cancel_test`, `set_finalizer`,
//! `set_debug_threadname` and `set_error_reporting` (docs/manual/lanes.md#inside-a-lane).

use crate::api::four::globals as four;
use crate::context::{Context, push_function};
use crate::lane::Traces;
use crate::lua::{
    Arguments, Function, KEYS, Kind, Raise, Raising, State, lua_function, protect, text,
};
use crate::universe::Interface;
use lanes_engine::memory::grow;
use lanes_engine::park::Request;
use lanes_engine::threads;
use std::os::raw::c_int;

const GLOBALS: &[(&str, Function)] = &[
    ("cancel_test", cancel_test),
    ("set_finalizer", set_finalizer),
    ("set_debug_threadname", set_debug_threadname),
    ("set_error_reporting", set_error_reporting),
];

/// Those of the 4.x interface. The last two say what takes their place.
const GLOBALS_OF_FOUR: &[(&str, Function)] = &[
    ("cancel_test", four::cancel_test),
    ("set_finalizer", set_finalizer),
    ("lane_threadname", four::lane_threadname),
    ("set_debug_threadname", four::no_debug_threadname),
    ("set_error_reporting", four::no_error_reporting),
];

/// The globals of lanes.
fn all(interface: Interface) -> &'static [(&'static str, Function)] {
    match interface {
        Interface::Three => GLOBALS,
        Interface::Four => GLOBALS_OF_FOUR,
    }
}

/// Makes the functions, once per state, and sets the globals.
pub fn prepare(raising: Raising, context: c_int, interface: Interface) {
    let globals = all(interface);
    raising.new_table(0, globals.len());
    for (name, function) in globals {
        push_function(raising, context, *function);
        raising.raw_set_name(-2, name.as_bytes());
    }
    raising.raw_set_index(State::REGISTRY, KEYS.lane_globals);
    assign(raising);
    if interface == Interface::Three {
        // Makes room for the name, so that setting it later does not grow the table.
        raising.push_bytes(b"");
        raising.set_global(c"decoda_name");
    }
    push_function(raising, context, super::trace::handler);
    raising.raw_set_index(State::REGISTRY, KEYS.handler);
}

/// Sets the globals again, in place of what other code may have put there since.
pub fn set(state: State) -> Result<(), Raise> {
    protect(state, 0, assign)
}

/// Removes the globals while code runs that does not belong to the lane: `on_state_create` and
/// required modules do not see them.
pub fn hide(raising: Raising, interface: Interface) {
    raising.push_globals();
    for (name, _) in all(interface) {
        raising.push_nil();
        raising.raw_set_name(-2, name.as_bytes());
    }
    raising.pop(1);
}

fn assign(raising: Raising) {
    raising.push_globals();
    let globals = raising.top();
    raising.raw_get_index(State::REGISTRY, KEYS.lane_globals);
    raising.push_nil();
    while raising.next(globals + 1) {
        raising.push_copy(-2);
        raising.insert(-2);
        raising.raw_set(globals);
    }
    raising.set_top(globals - 1);
}

lua_function! {
    /// `cancel_test()`: whether the lane is asked to stop.
    always fn cancel_test = |state| {
        let context = Context::of(&state)?;
        state.push_boolean(context.waiter.request() != Request::None);
        Ok(1)
    }
}

lua_function! {
    /// `set_finalizer(f)`: has `f` called when the body has ended. The last one that was set is
    /// called first.
    fn set_finalizer = set_finalizer_body
}

fn set_finalizer_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "set_finalizer");
    if state.kind(1) != Kind::Function {
        return Err(arguments.error(
            1,
            format_args!("finalizer should be a function, got {}", state.type_name(1)),
        ));
    }
    arguments.at_most(1)?;
    if context.finalizing.get() {
        return Ok(0);
    }
    protect(state, 1, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.finalizers);
        if raising.is_none_or_nil(-1) {
            raising.pop(1);
            raising.new_table(1, 0);
            raising.push_copy(-1);
            raising.raw_set_index(State::REGISTRY, KEYS.finalizers);
        }
        raising.push_copy(1);
        raising.raw_set_index(-2, raising.raw_len(-2) as i64 + 1);
        raising.set_top(0);
    })?;
    Ok(0)
}

lua_function! {
    /// `set_debug_threadname(name)`: names the lane, and its thread for the system's tools.
    pub fn set_debug_threadname = set_debug_threadname_body
}

fn set_debug_threadname_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "set_debug_threadname");
    let name = arguments.bytes(1)?;
    arguments.at_most(1)?;
    let kept = grow::copy(name);
    if let Some(record) = &context.record {
        record.set_name(name);
    }
    threads::name::set(name);
    *context.coders.cache.name.borrow_mut() = kept;
    protect(state, 1, |raising| {
        raising.set_global(c"decoda_name");
    })?;
    Ok(0)
}

lua_function! {
    /// `set_error_reporting("basic" | "extended")`: what error traces of this lane contain.
    fn set_error_reporting = set_error_reporting_body
}

fn set_error_reporting_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "set_error_reporting");
    if state.kind(1) != Kind::String {
        return Err(arguments.type_error(1, "string"));
    }
    let traces = match arguments.bytes(1)? {
        b"basic" => Traces::Basic,
        b"extended" => Traces::Extended,
        other => {
            return Err(arguments.error(
                1,
                text![
                    "unsupported error reporting model ",
                    other,
                    ", should be \"basic\" or \"extended\"",
                ],
            ));
        }
    };
    context.traces.set(traces);
    Ok(0)
}
