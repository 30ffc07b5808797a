//! The native module `lanes_core` (`lanes.core` in the 3.x interface): the functions on which
//! `lanes.lua` builds.

use super::loaded::push_table;
#[cfg(feature = "hooks")]
use super::test_hooks;
use super::{
    choice, clock, configure, deadlock, ends, four, lane, linda, names, notifier, plain, require,
    scope, select, soon, threads, timers,
};
use crate::build_info::{self, BuildValue};
use crate::context::{Context, push_function, push_function_of_four};
use crate::linda::Linda;
use crate::lua::sentinels::{CANCEL_ERROR, NULL};
use crate::lua::{
    Arguments, Function, KEYS, Kind, Raise, Raising, State, lua_function, protect, text,
};
use crate::universe::Interface;
use lanes_engine::threads::{library, stack};
use std::os::raw::{c_int, c_void};

const FUNCTIONS: &[(&str, Function)] = &[
    ("configure", configure::configure),
    ("is_configured", configure::is_configured),
    ("sealed", choice::sealed),
    ("publish", choice::publish),
    ("wanted_interface", choice::wanted_interface),
    ("gone", choice::gone),
    ("four", functions_of_four),
    ("plain", plain::plain),
    ("is_main", configure::is_main),
    ("launch", launch),
    ("check_libraries", configure::check_libraries),
    ("is_lua_function", configure::is_lua_function),
    ("is_stack_size", configure::is_stack_size),
    ("names", configure::names),
    ("upvalue_count", configure::upvalue_count),
    ("nearest", configure::nearest),
    ("suggestion", configure::suggestion),
    ("disregard", lane::methods::disregard),
    ("timer_lane", timers::timer_lane),
    ("linda", new_linda),
    ("prepare_lock", linda::locks::prepare_lock),
    ("prepare_atomic", linda::locks::prepare_atomic),
    ("require", require::lanes_require),
    ("await", ends::await_ends),
    ("waiting", deadlock::waiting),
    ("is_lane", ends::is_lane),
    ("end_number", ends::end_number),
    ("notifier", notifier::notifier_of),
    ("watch", notifier::watch_more),
    ("tell", notifier::tell),
    ("age", ends::age),
    ("scope", scope::begin),
    ("scope_add", scope::add),
    ("scope_ring", scope::ring),
    ("scope_leave", scope::leave),
    ("scope_end", scope::end),
    ("scope_wait", scope::wait_for),
    ("scope_stop", scope::stop),
    ("register", names::register),
    ("nameof", names::nameof),
    ("now_secs", clock::now_secs),
    ("sleep", clock::sleep),
    ("timer", timers::timer),
    ("timers", timers::timers),
    ("wakeup_conv", timers::wakeup_conv),
    ("cpus", threads::cpus),
    ("cpu_time", threads::cpu_time),
    ("is_terminal", threads::is_terminal),
    ("threads", threads::threads),
    ("set_thread_priority", threads::set_thread_priority),
    ("set_thread_affinity", threads::set_thread_affinity),
    ("set_singlethreaded", threads::set_singlethreaded),
];

/// Pushes the module's table, the same one each time. `context` is the index of the context's
/// userdata.
pub fn push(raising: Raising, context: c_int) {
    push_table(raising);
    raising.raw_get_name(-1, b"version");
    let filled = !raising.is_none_or_nil(-1);
    raising.pop(1);
    if !filled {
        fill(raising, context);
    }
}

/// Fills the module's table, which is at the top of the stack.
fn fill(raising: Raising, context: c_int) {
    for (name, function) in FUNCTIONS {
        push_function(raising, context, *function);
        raising.raw_set_name(-2, name.as_bytes());
    }
    push_select(raising, context, Interface::Three);
    for (name, value) in [("cancel_error", CANCEL_ERROR), ("null", NULL)] {
        raising.push_light(value as *mut c_void);
        raising.raw_set_name(-2, name.as_bytes());
    }
    raising.push_integer(i64::from(lanes_engine::threads::priority::RANGE.1));
    raising.raw_set_name(-2, b"max_prio");
    push_stack_sizes(raising);
    raising.raw_set_name(-2, b"stack_sizes");
    raising.push_bytes(b"3.17.2");
    raising.raw_set_name(-2, b"version");
    raising.push_bytes(format_version().as_bytes());
    raising.raw_set_name(-2, b"implementation");
    push_build(raising);
    raising.raw_set_name(-2, b"build");
    #[cfg(feature = "hooks")]
    test_hooks::add(raising, context);
}

/// Puts `lanes.select` into the table at the top of the stack, with its table of known cases as the
/// third upvalue; for the second see [`push_function_of_four`].
fn push_select(raising: Raising, context: c_int, interface: Interface) {
    raising.push_copy(context);
    match interface {
        Interface::Three => raising.push_nil(),
        Interface::Four => raising.push_boolean(true),
    }
    soon::push_known(raising);
    raising.push_function(select::lanes_select, 3);
    raising.raw_set_name(-2, b"select");
}

/// What `lanes.interface4` builds on.
const FUNCTIONS_OF_FOUR: &[(&str, Function)] = &[
    ("launch_coroutine", launch_coroutine),
    ("choose", choice::choose),
    ("name_of_four", choice::name_of_four),
    ("library_support", configure::library_support),
    ("instead_of_library", configure::instead_of_library),
    ("position", configure::position),
    ("finally", four::finally::finally),
    ("linda", four::new_linda::new_linda),
    ("sleep", four::functions::sleep),
    ("collectgarbage", four::functions::collectgarbage),
    (
        "thread_priority_range",
        four::functions::thread_priority_range,
    ),
    ("nameof", names::nameof_of_four),
    ("set_thread_priority", threads::set_thread_priority_of_four),
];

lua_function! {
    /// `four()`: returns a table of the functions of the 4.x interface.
    fn functions_of_four = |state| {
        Context::of(&state)?;
        protect(state, 0, |raising| {
            raising.raw_get_index(State::REGISTRY, KEYS.context);
            raising.new_table(0, FUNCTIONS_OF_FOUR.len());
            for (name, function) in FUNCTIONS_OF_FOUR {
                push_function_of_four(raising, 1, *function);
                raising.raw_set_name(-2, name.as_bytes());
            }
            push_select(raising, 1, Interface::Four);
            raising.remove(1);
        })?;
        Ok(1)
    }
}

lua_function! {
    /// `__index` of the module's table in a lane that has not used it yet: fills it.
    pub fn fill_now = fill_now_body
}

fn fill_now_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    protect(state, 2, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        raising.push_copy(1);
        push(raising, 3);
        raising.push_nil();
        raising.set_metatable(1);
        raising.push_copy(2);
        raising.raw_get(1);
    })?;
    context.coders.cache.modules_changed();
    Ok(1)
}

/// Version of this implementation.
const fn format_version() -> &'static str {
    concat!("lanes-rs ", env!("CARGO_PKG_VERSION"))
}

/// Pushes a table of the sizes that stacks of lanes may have, in bytes, and a text about them.
fn push_stack_sizes(raising: Raising) {
    raising.new_table(0, 4);
    raising.push_bytes(stack::EXPECTED.as_bytes());
    raising.raw_set_name(-2, b"text");
    for (name, size) in [
        ("least", stack::SMALLEST_SIZE),
        ("most", stack::LARGEST_SIZE),
        ("usual", stack::default_size()),
    ] {
        raising.push_integer(size as i64);
        raising.raw_set_name(-2, name.as_bytes());
    }
}

/// Pushes what the build found out.
fn push_build(raising: Raising) {
    raising.new_table(0, 11);
    for (name, value) in build_info::entries() {
        match value {
            BuildValue::Text(text) => raising.push_bytes(text.as_bytes()),
            BuildValue::Flag(flag) => raising.push_boolean(flag),
        }
        raising.raw_set_name(-2, name.as_bytes());
    }
    // Found out now, where it matters (docs/platforms/freebsd.md).
    if let Some(was_first) = library::was_first(push_build as *const c_void) {
        let since: &[u8] = if was_first {
            b"from the start"
        } else {
            b"with Lanes"
        };
        raising.push_bytes(since);
        raising.raw_set_name(-2, b"threads");
    }
}

lua_function! {
    /// `launch(libraries, options, body, arguments...)`: launches a lane and returns its handle.
    fn launch = lane::launch::launch
}

lua_function! {
    /// `launch_coroutine(libraries, options, body, arguments...)`: as `launch`, of a lane that is a
    /// coroutine.
    fn launch_coroutine = lane::launch::launch_coroutine
}

lua_function! {
    /// `lanes.linda([name] [, group])` (docs/manual/lindas.md)
    fn new_linda = new_linda_body
}

fn new_linda_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    context.universe()?;
    let arguments = Arguments::new(state, "linda");
    arguments.at_most(2)?;
    let name: &[u8] = match (state.top(), state.kind(1)) {
        (0, _) => b"",
        (1, Kind::String) => arguments.bytes(1)?,
        (1, Kind::Number) => b"",
        (1, _) => {
            let given = state.type_name(1);
            return Err(arguments.error(
                1,
                text![
                    "wrong parameter (should be a string or a number), got ",
                    given,
                    if given == "table" { ": " } else { "" },
                    if given == "table" {
                        choice::OF_FOUR
                    } else {
                        ""
                    },
                ],
            ));
        }
        _ => {
            let name = arguments.bytes(1)?;
            if state.kind(2) != Kind::Number {
                return Err(arguments.type_error(2, "number"));
            }
            name
        }
    };
    linda::methods::new(context, state, Linda::new(name))?;
    Ok(1)
}
