//! `lanes.linda{name, group, wake_period, close_handler}` of the 4.x interface
//! (docs/manual/v4.md#lindas).

use super::linda::CLOSES_VARIABLES;
use crate::api::linda::methods;
use crate::context::Context;
use crate::linda::Linda;
use crate::lua::{Arguments, Kind, Raise, State, lua_function, protect};
use lanes_engine::memory::grow;
use std::io::Write;
use std::os::raw::c_int;

lua_function! {
    /// `lanes.linda([options])`
    pub fn new_linda = new_linda_body
}

fn new_linda_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    context.universe()?;
    let arguments = Arguments::new(state, "linda");
    if state.kind(1) == Kind::String || state.kind(1) == Kind::Number {
        return Err(arguments.error(
            1,
            format_args!(
                "expecting a table, got {}: lanes.linda{{name = ..., group = ...}}",
                state.type_name(1)
            ),
        ));
    }
    arguments.at_most(1)?;
    let mut linda = Linda::new(b"");
    linda.wake_period = context.wake_period();
    match state.kind(1) {
        Kind::None | Kind::Nil => {
            state.set_top(0);
            state.push_nil();
        }
        Kind::Table => read(context, &arguments, &mut linda)?,
        _ => {
            return Err(arguments.error(
                1,
                format_args!("expecting a table, got {}", state.type_name(1)),
            ));
        }
    }
    // The close handler, or nil, is at the top of the stack.
    let has_handler = linda.has_close_handler;
    methods::new(context, state, linda)?;
    if has_handler {
        state.push_copy(-2);
        state.push_copy(-2);
        protect(state, 2, |raising| {
            raising.insert(1);
            raising.set_user_value(1, 1);
            raising.pop(1);
        })?;
    }
    Ok(1)
}

/// Reads the table of options, and pushes the close handler or nil.
fn read(context: &Context, arguments: &Arguments, linda: &mut Linda) -> Result<(), Raise> {
    let state = arguments.state;
    let field = |name: &'static str| {
        state.push_copy(1);
        protect(state, 1, move |raising| {
            raising.raw_get_name(1, name.as_bytes());
            raising.remove(1);
        })
    };
    let keepers = context.universe()?.settings.four.user_keepers;
    field("name")?;
    match state.kind(-1) {
        Kind::Nil => {}
        Kind::String if state.bytes(-1) == Some(b"auto") => linda.name = position(state),
        Kind::String => linda.name = grow::copy(state.string(-1)),
        _ => return Err(arguments.error(1, "name is not a string")),
    }
    field("group")?;
    match state.kind(-1) {
        Kind::Nil if keepers > 0 => {
            return Err(arguments.error(1, "Group is mandatory in multiple Keeper scenarios"));
        }
        Kind::Nil => {}
        Kind::Number => {
            let group = state.number(-1);
            if !(0.0..f64::from(keepers) + 1.0).contains(&group) {
                return Err(arguments.error(
                    1,
                    format_args!("group out of range: 0 to {keepers} expected, got {group}"),
                ));
            }
        }
        _ => {
            return Err(arguments.error(
                1,
                format_args!("group: number expected, got {}", state.type_name(-1)),
            ));
        }
    }
    field("wake_period")?;
    match state.kind(-1) {
        Kind::Nil => {}
        Kind::Number => {
            let period = state.number(-1);
            if period.is_nan() || period <= 0.0 {
                return Err(
                    arguments.error(1, format_args!("wake_period must be > 0, got {period}"))
                );
            }
            linda.wake_period = Some(period);
        }
        Kind::String if state.bytes(-1) == Some(b"never") => linda.wake_period = None,
        Kind::String => {
            return Err(arguments.error(
                1,
                "invalid wake_period, should be a number of seconds or \"never\"",
            ));
        }
        _ => {
            return Err(arguments.error(
                1,
                format_args!("wake_period: number expected, got {}", state.type_name(-1)),
            ));
        }
    }
    if !CLOSES_VARIABLES {
        state.push_nil();
        return Ok(());
    }
    field("close_handler")?;
    linda.has_close_handler = match state.kind(-1) {
        Kind::Nil => false,
        Kind::Function => true,
        Kind::Table | Kind::Userdata => {
            let has_call = protect(state, 1, |raising| {
                let has = raising.push_metatable(1);
                if has {
                    raising.raw_get_name(-1, b"__call");
                }
                let callable = has && !raising.is_none_or_nil(-1);
                raising.set_top(1);
                callable
            })?;
            if !has_call {
                return Err(arguments.error(1, "__close handler is not callable"));
            }
            true
        }
        _ => return Err(arguments.error(1, "__close handler is not a function")),
    };
    Ok(())
}

/// Where `lanes.linda` was called, as "source:line". Unwinds if out of memory.
fn position(state: State) -> Vec<u8> {
    let Some(frame) = state.frame_info(1) else {
        return b"<unresolved>".to_vec();
    };
    let mut name = grow::copy(frame.short_source());
    grow::room(&mut name, 16);
    // Writing into a list that has room does not fail.
    let _ = write!(name, ":{}", frame.line());
    name
}
