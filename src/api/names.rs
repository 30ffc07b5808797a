//! `register` and `nameof` (docs/manual/transfer.md#functions).

use crate::context::Context;
use crate::lua::compat::MANY_USER_VALUES;
use crate::lua::{Arguments, Kind, Raise, Raising, State, lua_function, protect};
use crate::message;
use crate::universe::Interface;
use lanes_engine::memory::grow;
use std::os::raw::c_int;

lua_function! {
    /// `lanes.register(name, module)`: makes the functions of a module known by name in this state.
    pub fn register = register_body
}

fn register_body(state: State) -> Result<c_int, Raise> {
    register_in(Context::of(&state)?, state)
}

/// Makes the module that is argument 2 known by the name that is argument 1, in the state that has
/// this context.
pub fn register_in(context: &Context, state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "register");
    let mut name = match state.kind(1) {
        Kind::String => grow::copy(arguments.bytes(1)?),
        Kind::Number => {
            state.push_copy(1);
            protect(state, 1, |raising| raising.push_display(1))?;
            let text = grow::copy(state.bytes(-1).unwrap_or_default());
            state.set_top(2);
            text
        }
        _ => return Err(arguments.type_error(1, "string")),
    };
    let suits = match state.kind(2) {
        Kind::Table | Kind::Function => true,
        Kind::Userdata => context.interface() == Interface::Four,
        _ => false,
    };
    if !suits {
        return Err(arguments.error(
            2,
            format_args!(
                "unexpected module type {}, a table or a function expected",
                state.type_name(2)
            ),
        ));
    }
    state.set_top(2);
    let cache = &context.coders.cache;
    crate::lua::protect_with(state, 1, &mut name, move |raising, name| {
        message::register(cache, raising, name)
    })?;
    Ok(0)
}

lua_function! {
    /// `lanes.nameof(x)`: returns the type of a value, and the shortest path that leads to it.
    pub fn nameof = nameof_body
}

fn nameof_body(state: State) -> Result<c_int, Raise> {
    name_of(state, false)
}

lua_function! {
    /// `lanes.nameof(x)` of the 4.x interface: each part of the path ends with a mark of its type,
    /// `[]`, `()` or `<>`.
    pub fn nameof_of_four = |state| {
        if state.top() != 1 {
            return Err(Raise::message(format!(
                "exactly 1 argument expected, got {}",
                state.top()
            )));
        }
        name_of(state, true)
    }
}

/// `typed`: parts of the path have marks of their types.
fn name_of(state: State, typed: bool) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "nameof");
    if state.top() == 0 {
        return Err(arguments.error(1, "value expected"));
    }
    if state.top() > 1 {
        return Err(arguments.error(2, "too many arguments."));
    }
    let name = state.type_name(1);
    protect(state, 0, move |raising| raising.push_bytes(name.as_bytes()))?;
    match state.kind(1) {
        Kind::Nil | Kind::Boolean | Kind::Number | Kind::String | Kind::Light => state.push_copy(1),
        _ => {
            state.push_copy(1);
            protect(state, 1, move |raising| {
                for root in [true, false] {
                    if root {
                        raising.push_globals();
                        raising.push_bytes(b"_G");
                    } else {
                        raising.push_copy(State::REGISTRY);
                        raising.push_bytes(b"_R");
                    }
                    if search(raising, typed) {
                        raising.replace(1);
                        raising.set_top(1);
                        return;
                    }
                    raising.set_top(1);
                }
                raising.push_nil();
                raising.replace(1);
            })?;
        }
    }
    Ok(2)
}

/// Stack indices of a search.
const WANTED_AT: c_int = 1;
const LEVEL_AT: c_int = 4;
const VISITED_AT: c_int = 5;
const NEXT_AT: c_int = 6;
const FOUND_AT: c_int = 7;

/// Stack: wanted, root, name of root. Searches level by level, so that the path with the fewest
/// parts is found first. Of several in one level the shortest text wins, then the one that sorts
/// first. Pushes the name and returns true if there is one.
fn search(raising: Raising, typed: bool) -> bool {
    raising.reserve(24);
    raising.new_table(0, 1); // LEVEL_AT: object -> name
    raising.new_table(0, 64); // VISITED_AT
    raising.push_copy(2);
    raising.push_copy(3);
    raising.raw_set(LEVEL_AT);
    if raising.raw_equal(WANTED_AT, 2) {
        // The root itself: the globals have a name as a part of themselves.
        raising.push_copy(3);
        raising.push_bytes(b"/_G");
        raising.concat(2);
        return true;
    }
    loop {
        raising.set_top(VISITED_AT);
        raising.new_table(0, 64); // NEXT_AT
        raising.push_nil(); // FOUND_AT
        let mut any = false;
        raising.push_nil();
        while raising.next(LEVEL_AT) {
            // Stack from here: object, name.
            raising.push_copy(-2);
            raising.push_boolean(true);
            raising.raw_set(VISITED_AT);
            any |= contents(raising, typed);
            raising.pop(1);
        }
        if raising.kind(FOUND_AT) == Kind::String {
            raising.push_copy(FOUND_AT);
            return true;
        }
        if !any {
            return false;
        }
        raising.push_copy(NEXT_AT);
        raising.replace(LEVEL_AT);
    }
}

/// Visits the contents of the object below its name, which is at the top of the stack. Returns
/// whether any of it has contents to be visited.
fn contents(raising: Raising, typed: bool) -> bool {
    let top = raising.top();
    let (object, name) = (top - 1, top);
    let mut any = false;
    if raising.kind(object) == Kind::Table {
        raising.push_nil();
        while raising.next(object) {
            raising.push_copy(name);
            raising.push_bytes(b"/");
            if typed && raising.kind(-4) != Kind::String {
                raising.push_bytes(b"<");
                raising.push_bytes(raising.type_name(-5).as_bytes());
                raising.push_bytes(b">");
                raising.concat(3);
            } else {
                raising.push_copy(-4);
                raising.push_display(-1);
                raising.remove(-2);
            }
            raising.concat(3);
            if typed {
                mark_type(raising);
            }
            // Stack: key, value, path.
            any |= visit(raising, typed);
            raising.pop(2);
        }
    }
    if raising.push_metatable(object) {
        raising.push_copy(name);
        raising.push_bytes(b"/__metatable");
        raising.concat(2);
        if typed {
            mark_type(raising);
        }
        any |= visit(raising, typed);
        raising.pop(2);
    }
    if raising.kind(object) == Kind::Userdata {
        let most = if typed && MANY_USER_VALUES { 255 } else { 1 };
        for n in 1..=most {
            let exists = raising.push_user_value(object, n);
            if exists {
                raising.push_copy(name);
                if typed {
                    raising.push_bytes(b"/<uv:");
                    raising.push_integer(i64::from(n));
                    raising.push_bytes(b">");
                    raising.concat(4);
                    mark_type(raising);
                } else {
                    raising.push_bytes(b"/uservalue");
                    raising.concat(2);
                }
                any |= visit(raising, typed);
                raising.pop(1);
            }
            raising.pop(1);
            if !exists {
                break;
            }
        }
    }
    if typed && raising.kind(object) == Kind::Function && !raising.is_c_function(object) {
        any |= upvalues(raising, object, name);
    }
    any
}

/// Visits the upvalues of a function in Lua, which have names.
fn upvalues(raising: Raising, function: c_int, name: c_int) -> bool {
    let mut any = false;
    for n in 1..=255 {
        let Some(upvalue) = raising.push_upvalue(function, n) else {
            break;
        };
        raising.push_copy(name);
        raising.push_bytes(b"/upvalue:");
        raising.push_bytes(upvalue.to_bytes());
        raising.concat(3);
        mark_type(raising);
        any |= visit(raising, true);
        raising.pop(2);
    }
    any
}

/// Adds the mark of its type to the path of the value below, which is at the top of the stack.
fn mark_type(raising: Raising) {
    raising.push_bytes(match raising.kind(-2) {
        Kind::Table => b"[]",
        Kind::Function => b"()",
        Kind::Userdata => b"<>",
        _ => b"",
    });
    raising.concat(2);
}

/// Whether `new` is the better name.
fn better(new: &[u8], old: &[u8]) -> bool {
    (new.len(), new) < (old.len(), old)
}

/// Looks at the value below its path, which is at the top of the stack: it may be the wanted one,
/// or contain it.
fn visit(raising: Raising, typed: bool) -> bool {
    if raising.raw_equal(-2, WANTED_AT) {
        let wins = match (raising.bytes(-1), raising.bytes(FOUND_AT)) {
            (Some(new), Some(old)) => better(new, old),
            _ => true,
        };
        if wins {
            raising.push_copy(-1);
            raising.replace(FOUND_AT);
        }
        return false;
    }
    // In the 4.x interface functions contain their upvalues.
    let contains = match raising.kind(-2) {
        Kind::Table | Kind::Userdata => true,
        Kind::Function => typed && !raising.is_c_function(-2),
        _ => false,
    };
    if !contains {
        return false;
    }
    raising.push_copy(-2);
    raising.raw_get(VISITED_AT);
    let visited = raising.truth(-1);
    raising.pop(1);
    if visited {
        return false;
    }
    raising.push_copy(-2);
    raising.raw_get(NEXT_AT);
    let wins = match (raising.bytes(-2), raising.bytes(-1)) {
        (Some(new), Some(old)) => better(new, old),
        _ => true,
    };
    raising.pop(1);
    if wins {
        raising.push_copy(-2);
        raising.push_copy(-2);
        raising.raw_set(NEXT_AT);
    }
    true
}
