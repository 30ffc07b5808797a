//! Functions for the Lua modules of this library, which are the same whichever interface the
//! program has chosen: methods of lindas and lanes with the arguments and results of 3.x.

use super::lane::{globals, methods as lanes};
use super::linda::{methods as lindas, receive, send};
use super::{ends, timers};
use crate::context::{Context, push_function};
use crate::lua::sentinels::BATCHED;
use crate::lua::{Arguments, Function, KEYS, Kind, State, lua_function, protect};
use crate::message::keep_unconverted;
use crate::universe::Interface;
use std::os::raw::c_void;

const FUNCTIONS: [(&str, Function); 7] = [
    ("send", send::send),
    ("receive", receive::receive),
    ("get", lindas::get),
    ("join", lanes::join),
    ("is_coroutine", ends::is_coroutine),
    ("name_lane", globals::set_debug_threadname),
    ("alarm", timers::alarm),
];

lua_function! {
    /// `keep(table)`: the setting `convert_fallback` does not convert this table, which is one of
    /// the library and not of the program. Returns the table.
    fn keep = |state| {
        let arguments = Arguments::new(state, "keep");
        if state.kind(1) != Kind::Table {
            return Err(arguments.type_error(1, "table"));
        }
        state.set_top(1);
        protect(state, 1, keep_unconverted)?;
        Ok(1)
    }
}

lua_function! {
    /// `plain()`: returns a table of these functions, with `batched`, as `linda.batched` of 3.x,
    /// `four`, whether the program has chosen the 4.x interface, and `keep`, which is missing where
    /// tables are not converted.
    pub fn plain = |state| {
        let context = Context::of(&state)?;
        let four = context.interface() == Interface::Four;
        let converts = context.coders.cache.has_fallback();
        protect(state, 0, move |raising| {
            raising.set_top(0);
            raising.raw_get_index(State::REGISTRY, KEYS.context);
            raising.new_table(0, FUNCTIONS.len() + 2);
            for (name, function) in FUNCTIONS {
                push_function(raising, 1, function);
                raising.raw_set_name(-2, name.as_bytes());
            }
            if converts {
                push_function(raising, 1, keep);
                raising.raw_set_name(-2, b"keep");
            }
            raising.push_light(BATCHED as *mut c_void);
            raising.raw_set_name(-2, b"batched");
            raising.push_boolean(four);
            raising.raw_set_name(-2, b"four");
            raising.remove(1);
        })?;
        Ok(1)
    }
}
