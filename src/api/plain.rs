//! Functions for the Lua modules of this library, which are the same whichever interface the
//! program has chosen: methods of lindas and lanes with the arguments and results of 3.x.

use super::lane::{globals, methods as lanes};
use super::linda::{methods as lindas, receive, send};
use super::{ends, timers};
use crate::context::{Context, push_function};
use crate::lua::sentinels::BATCHED;
use crate::lua::{Function, KEYS, State, lua_function, protect};
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
    /// `plain()`: returns a table of these functions, with `batched`, as `linda.batched` of 3.x,
    /// and `four`, whether the program has chosen the 4.x interface.
    pub fn plain = |state| {
        let four = Context::of(&state)?.interface() == Interface::Four;
        protect(state, 0, move |raising| {
            raising.set_top(0);
            raising.raw_get_index(State::REGISTRY, KEYS.context);
            raising.new_table(0, FUNCTIONS.len() + 2);
            for (name, function) in FUNCTIONS {
                push_function(raising, 1, function);
                raising.raw_set_name(-2, name.as_bytes());
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
