//! `configure`: makes a universe with the settings that `lanes.lua` has checked
//! (docs/manual/loading.md#options).

use super::lane::states::ALLOCATOR_KEY;
use super::{four, require};
use crate::context::Context;
use crate::deadlocks::OnDeadlock;
use crate::lane::Kinds;
use crate::linda::allow_object_keys;
use crate::lua::{self, Arguments, KEYS, Kind, Raise, State, lua_function, protect, text};
use crate::message::{Conversion, Fallback};
use crate::state::allocator::Shared;
use crate::state::libraries::{Libraries, instead_of};
use crate::universe::{Interface, OfFour, OnError, Settings, Universe};
use lanes_engine::memory::grow;
use lanes_engine::threads::stack;
use std::os::raw::c_int;

lua_function! {
    /// `configure(settings)`: makes the universe of this state. Returns false if the state has one
    /// already.
    pub fn configure = configure_body
}

fn configure_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    if context.universe_if_any().is_some() {
        state.push_boolean(false);
        return Ok(1);
    }
    state.set_top(1);
    let field = |name: &'static str| {
        protect(state, 1, move |raising| {
            raising.raw_get_name(1, name.as_bytes())
        })
    };
    let flag = |name: &'static str| {
        field(name)?;
        let value = state.truth(-1);
        state.pop(1);
        Ok::<bool, Raise>(value)
    };
    let (with_timers, track_lanes) = (flag("with_timers")?, flag("track_lanes")?);
    let demote_full_userdata = flag("demote_full_userdata")?;
    field("shutdown_timeout")?;
    let shutdown_timeout = state.number(-1);
    state.pop(1);
    field("stack_size")?;
    let stack_size = state.number(-1) as usize;
    state.pop(1);
    field("on_state_create")?;
    protect(state, 1, |raising| {
        raising.raw_set_index(State::REGISTRY, KEYS.on_state_create)
    })?;
    field("on_error")?;
    let on_error = match state.kind(-1) {
        Kind::String => OnError::Stderr,
        Kind::Function => OnError::Function,
        _ => OnError::Nobody,
    };
    protect(state, 1, |raising| {
        raising.raw_set_index(State::REGISTRY, KEYS.on_error)
    })?;
    let on_deadlock = on_deadlock(state)?;
    field("allocator")?;
    let protected = state.kind(-1) == Kind::String;
    let custom_allocator = state.kind(-1) == Kind::Function;
    protect(state, 1, |raising| {
        raising.raw_set_index(State::REGISTRY, ALLOCATOR_KEY)
    })?;
    protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        let context = raising.top();
        require::wrap(raising, context);
        raising.set_top(0);
    })?;
    // LuaJIT's states do not share an allocator, so there is nothing to lock.
    let shared = protected && !crate::lua::compat::LUAJIT;
    field("api")?;
    let interface = if state.number(-1) == 4.0 {
        Interface::Four
    } else {
        Interface::Three
    };
    state.pop(1);
    let four = match interface {
        Interface::Three => OfFour::default(),
        Interface::Four => {
            field("linda_wake_period")?;
            let wake_period = (state.kind(-1) == Kind::Number).then(|| state.number(-1));
            state.pop(1);
            field("nb_user_keepers")?;
            let user_keepers = state.number(-1) as u32;
            state.pop(1);
            field("convert_fallback")?;
            let fallback = match state.kind(-1) {
                Kind::Light => Fallback::Null,
                Kind::String => Fallback::Decay,
                _ => Fallback::None,
            };
            state.pop(1);
            field("convert_max_attempts")?;
            let attempts = state.number(-1) as u8;
            state.pop(1);
            OfFour {
                wake_period,
                user_keepers,
                conversion: Some(Conversion { attempts, fallback }),
                strip_functions: flag("strip_functions")?,
            }
        }
    };
    if interface == Interface::Four
        && let Some(handle) = context.handle.get()
        && let Some(linda) = context.coders.cache.kinds.get(crate::linda::KIND)
    {
        protect(state, 0, move |raising| {
            raising.raw_get_index(State::REGISTRY, KEYS.context);
            four::install(raising, 1, Kinds { linda, handle });
            raising.set_top(0);
        })?;
    }
    let settings = Settings {
        interface,
        four,
        with_timers,
        demote_full_userdata,
        track_lanes,
        shutdown_timeout,
        stack_size,
        allocator: shared.then(|| Shared::install(state.raw())),
        on_error,
        on_deadlock,
        custom_allocator,
    };
    context.coders.cache.demote.set(demote_full_userdata);
    context.coders.cache.strip.set(four.strip_functions);
    context.coders.cache.conversion.set(four.conversion);
    if interface == Interface::Four {
        protect(state, 0, allow_object_keys)?;
    }
    *context.coders.cache.name.borrow_mut() = b"main".to_vec();
    context.master.set(true);
    context.set_universe(Universe::new(settings, &context.waiter));
    state.push_boolean(true);
    Ok(1)
}

/// Reads the setting `on_deadlock` of the settings at index 1; if it is not given, the variable
/// LANES_DEADLOCK. Keeps its function in the registry.
///
/// Errors: a value that is not one of those.
fn on_deadlock(state: State) -> Result<OnDeadlock, Raise> {
    protect(state, 1, |raising| raising.raw_get_name(1, b"on_deadlock"))?;
    let named = |name: &[u8]| match name {
        b"report" => Some(OnDeadlock::Report),
        b"error" => Some(OnDeadlock::Error),
        _ => None,
    };
    let mode = match state.kind(-1) {
        Kind::Function => Some(OnDeadlock::Function),
        Kind::String => state.bytes(-1).and_then(named),
        Kind::None | Kind::Nil => {
            let variable = std::env::var("LANES_DEADLOCK").unwrap_or_default();
            match named(variable.as_bytes()) {
                None if !variable.is_empty() => {
                    return Err(Raise::message(format!(
                        "Bad LANES_DEADLOCK: '{variable}', the environment may have \"report\" or \"error\""
                    )));
                }
                mode => Some(mode.unwrap_or(OnDeadlock::Nothing)),
            }
        }
        Kind::Boolean if !state.truth(-1) => Some(OnDeadlock::Nothing),
        _ => None,
    };
    let Some(mode) = mode else {
        let kind = state.type_name(-1);
        protect(state, 1, |raising| raising.push_display(1))?;
        let given = state.text(-1).unwrap_or_default();
        return Err(Raise::message(text![
            "Bad on_deadlock: ",
            given,
            ", lanes.configure expects false, \"report\", \"error\" or a function, got a ",
            kind,
        ]));
    };
    protect(state, 1, |raising| {
        raising.raw_set_index(State::REGISTRY, KEYS.on_deadlock)
    })?;
    Ok(mode)
}

lua_function! {
    /// `is_configured()`: whether this state has a universe.
    pub fn is_configured = |state| {
        let configured = Context::of(&state)?.universe_if_any().is_some();
        state.push_boolean(configured);
        Ok(1)
    }
}

lua_function! {
    /// `is_main()`: whether this state is the master of its universe; and whether the universe has
    /// timers.
    pub fn is_main = |state| {
        let context = Context::of(&state)?;
        state.push_boolean(context.master.get());
        state.push_boolean(context.universe_if_any().is_some_and(|universe| universe.settings.with_timers));
        Ok(2)
    }
}

lua_function! {
    /// `check_libraries(list)`: returns nothing, or a text that says what is wrong with a list of
    /// libraries.
    pub fn check_libraries = check_libraries_body
}

fn check_libraries_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "check_libraries");
    let list = arguments.bytes(1)?;
    match Libraries::parse(Some(list)) {
        Ok(_) => Ok(0),
        Err(text) => {
            let text = text.bytes();
            protect(state, 0, |raising| raising.push_bytes(text))?;
            Ok(1)
        }
    }
}

lua_function! {
    /// `library_support(name)`: returns whether this Lua has a library; nothing if there is none of
    /// that name.
    pub fn library_support = |state| {
        let arguments = Arguments::new(state, "library_support");
        Ok(match Libraries::support(arguments.bytes(1)?) {
            Some(has) => {
                state.push_boolean(has);
                1
            }
            None => 0,
        })
    }
}

lua_function! {
    /// `instead_of_library(name)`: the end of a message about a name that is not the name of a
    /// library, in the 4.x interface.
    pub fn instead_of_library = |state| {
        let arguments = Arguments::new(state, "instead_of_library");
        let text = instead_of(arguments.bytes(1)?, "lanes_core");
        let text = text.bytes();
        protect(state, 0, |raising| raising.push_bytes(text))?;
        Ok(1)
    }
}

lua_function! {
    /// `nearest(word, names)`: the name in a list of names, a text, that is nearly `word`; nothing
    /// if there is none.
    pub fn nearest = nearest_body
}

fn nearest_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "nearest");
    match lua::nearest(arguments.bytes(1)?, arguments.bytes(2)?) {
        Some(name) => protect(state, 0, |raising| raising.push_bytes(name)).map(|()| 1),
        None => Ok(0),
    }
}

lua_function! {
    /// `position(f)`: where a function was defined, as "source:line". `position(level)`: where the
    /// function at that level is; 1 is the one that calls `position`.
    pub fn position = |state| {
        let (frame, line) = if state.kind(1) == Kind::Function {
            state.push_copy(1);
            let frame = state.definition();
            let line = frame.as_ref().map_or(-1, |frame| frame.line_defined());
            (frame, line)
        } else {
            let frame = state.frame_info(state.number(1) as c_int);
            let line = frame.as_ref().map_or(-1, |frame| frame.line());
            (frame, line)
        };
        let Some(frame) = frame else {
            return Ok(0);
        };
        let source = frame.short_source();
        protect(state, 0, move |raising| {
            raising.push_bytes(source);
            raising.push_bytes(b":");
            raising.push_integer(i64::from(line));
            raising.push_display(-1);
            raising.remove(-2);
            raising.concat(3);
        })?;
        Ok(1)
    }
}

lua_function! {
    /// `suggestion(word, what, names)`: a part of a message about a wrong name:
    /// `; do you mean '<name>'? (<what> <names>)`. The question is left out if none of `names`, a
    /// text, is nearly `word`, or if `word` is no string.
    pub fn suggestion = suggestion_body
}

fn suggestion_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "suggestion");
    let word: &[u8] = match state.kind(1) {
        Kind::String => arguments.bytes(1)?,
        _ => b"",
    };
    let names = arguments.bytes(3)?;
    let text = text![
        lua::suggestion(word, names),
        " (",
        arguments.bytes(2)?,
        " ",
        names,
        ")",
    ];
    let text = text.bytes();
    protect(state, 0, |raising| raising.push_bytes(text))?;
    Ok(1)
}

lua_function! {
    /// `is_stack_size(value)`: whether a value is a size that stacks of lanes may have.
    pub fn is_stack_size = |state| {
        let size = if state.kind(1) == Kind::Number { state.number(1) } else { f64::NAN };
        state.push_boolean(stack::is_size(size));
        Ok(1)
    }
}

lua_function! {
    /// `names(known)`: returns the keys of a table, which are strings, as text, in alphabetical
    /// order, for messages.
    pub fn names = |state| {
        state.set_top(1);
        let mut names: Vec<Vec<u8>> = Vec::new();
        if state.kind(1) == Kind::Table {
            state.push_nil();
            while state.next(1) {
                grow::room(&mut names, 1);
                names.push(grow::copy(state.bytes(-2).unwrap_or_default()));
                state.pop(1);
            }
        }
        names.sort_unstable();
        let mut list = grow::list(names.iter().map(|name| name.len() + 2).sum());
        for (n, name) in names.iter().enumerate() {
            list.extend_from_slice(if n == 0 { b"" } else { b", " });
            list.extend_from_slice(name);
        }
        let list = &list[..];
        protect(state, 0, |raising| raising.push_bytes(list))?;
        Ok(1)
    }
}

lua_function! {
    /// `is_lua_function(f)`: whether a function is written in Lua.
    pub fn is_lua_function = |state| {
        let lua = state.kind(1) == Kind::Function && !state.is_c_function(1);
        state.push_boolean(lua);
        Ok(1)
    }
}

lua_function! {
    /// `upvalue_count(f)`: how many upvalues a function written in C has; 0 for anything else.
    pub fn upvalue_count = |state| {
        let mut count = 0;
        if state.is_c_function(1) {
            while state.push_upvalue(1, count + 1).is_some() {
                state.pop(1);
                count += 1;
            }
        }
        state.push_integer(i64::from(count));
        Ok(1)
    }
}
