//! Which interface a universe has: what programs choose, and texts for those that use the other one
//! (docs/manual/v4.md#choosing-it).

use super::loaded::push_table;
use crate::context::Context;
use crate::lua::{Arguments, Kind, Raise, State, Text, lua_function, protect, text};
use crate::universe::Interface;
use std::os::raw::c_int;

/// The environment variable by which a program is run with an interface.
const VARIABLE: &str = "LANES_API";

/// What a text ends with that is about something of the 4.x interface.
pub const OF_FOUR: &str = "this is the 4.x interface: configure{api = 4}";

/// Settings and options of generators that the 4.x interface alone has.
const NAMES_OF_FOUR: [&[u8]; 8] = [
    b"convert_fallback",
    b"convert_max_attempts",
    b"linda_wake_period",
    b"nb_user_keepers",
    b"strip_functions",
    b"error_trace_level",
    b"name",
    b"native_priority",
];

/// Functions of the module that the 4.x interface alone has.
const FUNCTIONS_OF_FOUR: [&[u8]; 4] = [
    b"collectgarbage",
    b"coro",
    b"finally",
    b"thread_priority_range",
];

/// The number of an interface.
fn number(interface: Interface) -> u8 {
    match interface {
        Interface::Three => 3,
        Interface::Four => 4,
    }
}

/// The interface that was chosen before `configure`; 3 if none was.
///
/// Errors, as the value of the variable: the environment has another value.
fn chosen(context: &Context) -> Result<u8, Text> {
    match context.chosen.get() {
        0 => match std::env::var(VARIABLE).as_deref() {
            Ok("3" | "") | Err(_) => Ok(3),
            Ok("4") => Ok(4),
            Ok(other) => Err(text![other]),
        },
        chosen => Ok(chosen),
    }
}

lua_function! {
    /// `sealed()`: returns the field `__metatable` of the module before `configure`: "Lanes" if the
    /// 4.x interface was chosen, else nothing.
    pub fn sealed = |state| {
        if chosen(Context::of(&state)?).ok() != Some(4) {
            return Ok(0);
        }
        protect(state, 0, |raising| raising.push_bytes(b"Lanes"))?;
        Ok(1)
    }
}

lua_function! {
    /// `publish(lanes)`: ends the filling of the module's table, to which the interface of 3.x has
    /// been added: takes its metatable away, and adds what says that a function is of 4.x. Returns
    /// true if that is the interface, and nothing is added.
    pub fn publish = |state| {
        let four = Context::of(&state)?.interface() == Interface::Four;
        state.set_top(1);
        if state.kind(1) == Kind::Table {
            state.push_nil();
            state.set_metatable(1);
        }
        if !four {
            // Functions of the native module's table travel by name.
            protect(state, 1, |raising| {
                push_table(raising);
                raising.raw_get_name(2, b"gone");
                for name in FUNCTIONS_OF_FOUR {
                    raising.push_copy(3);
                    raising.raw_set_name(1, name);
                }
            })?;
        }
        state.push_boolean(four);
        Ok(1)
    }
}

lua_function! {
    /// `wanted_interface(settings)`: returns 3 or 4, the interface to configure with.
    pub fn wanted_interface = |state| wanted(state).map_err(Raise::for_caller)
}

fn wanted(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    state.set_top(1);
    if state.kind(1) == Kind::Table {
        protect(state, 1, |raising| {
            raising.raw_get_name(1, b"api");
            raising.remove(1);
        })?;
    } else {
        state.push_nil();
    }
    let wanted = if state.is_none_or_nil(-1) {
        chosen(context).map_err(|value| {
            Raise::message(text![
                VARIABLE,
                " is \"",
                value,
                "\", should be 3 or 4, the interface of Lanes 3.x or of 4.x",
            ])
        })?
    } else {
        let given = state.number(-1);
        if state.kind(-1) != Kind::Number || given != 3.0 && given != 4.0 {
            let kind = state.type_name(-1);
            protect(state, 1, |raising| raising.push_display(1))?;
            return Err(Raise::message(text![
                "Bad api: ",
                state.text(-1).unwrap_or_default(),
                format_args!(
                    ", lanes.configure expects 3 or 4, the interface of Lanes 3.x or of 4.x, got a {kind}"
                ),
            ]));
        }
        given as u8
    };
    state.push_integer(i64::from(wanted));
    Ok(1)
}

lua_function! {
    /// `choose(n)`: chooses interface 3 or 4 for the universe that is about to be configured.
    pub fn choose = |state| {
        let context = Context::of(&state)?;
        let wanted = Arguments::new(state, "choose").number(1)? as u8;
        if context.universe_if_any().is_none() {
            context.chosen.set(wanted);
            return Ok(0);
        }
        let present = number(context.interface());
        if present != wanted {
            return Err(Raise::Bare(text![format_args!(
                "lanes is configured with the interface of {present}.x, and a universe has one: require \"lanes\", or \
                 choose {wanted} before it is configured"
            )]));
        }
        Ok(0)
    }
}

lua_function! {
    /// `name_of_four(name)`: returns a text, which continues a message, if a setting or an option
    /// is one of the 4.x interface; else nothing.
    pub fn name_of_four = |state| {
        if !state.bytes(1).is_some_and(|name| NAMES_OF_FOUR.contains(&name)) {
            return Ok(0);
        }
        let text = text![" (", OF_FOUR, ")"];
        let text = text.bytes();
        protect(state, 0, |raising| raising.push_bytes(text))?;
        Ok(1)
    }
}

lua_function! {
    /// What the 3.x interface has in place of functions of 4.x.
    pub fn gone = |state| {
        Context::of(&state)?;
        Err(Raise::message(OF_FOUR))
    }
}
