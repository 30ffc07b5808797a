//! The methods of lindas, as docs/manual/lindas.md describes them.

use super::arguments::this;
use super::send::{element, elements};
use super::{inspect, locks, receive, results, send};
use crate::api::choice::{OF_FOUR, gone};
use crate::api::notifier;
use crate::context::{Context, push_function};
use crate::linda::{KeyRef, Linda};
use crate::lua::sentinels::{BATCHED, NULL};
use crate::lua::{
    Arguments, Function, Raise, Raising, State, Userdata, check_memory, lua_function, nearest,
    new_metatable, protect, suggestion, text, upvalue,
};
use crate::message::{Deep, Label, Proxy, decode, decode_one, push_proxy};
use lanes_engine::queues::{Changed, LindaCancelled, Who};
use std::os::raw::{c_int, c_void};
use std::sync::Arc;

/// The methods that programs call by name, for messages.
const NAMES: &[u8] = b"cancel, count, deep, dump, get, limit, notifier, receive, send, set";

/// Prepares a state for lindas: makes their metatable. `context` is the index of the context's
/// userdata.
pub fn install(raising: Raising, context: c_int) -> Userdata<Proxy> {
    const METHODS: &[(&str, Function)] = &[
        ("send", send::send),
        ("receive", receive::receive),
        ("set", set),
        ("get", get),
        ("limit", limit),
        ("count", inspect::count),
        ("dump", inspect::dump),
        ("cancel", cancel),
        ("deep", inspect::deep),
        ("notifier", notifier::linda_notifier),
        ("__tostring", inspect::to_string),
        ("__concat", inspect::concat),
        ("__towatch", inspect::to_watch),
        ("__lock", locks::lock),
        ("__add", locks::add),
    ];
    const METAMETHODS: [&str; 3] = ["__tostring", "__concat", "__towatch"];
    new_metatable(raising, context, "Linda", &[]);
    raising.push_function(Userdata::<Proxy>::COLLECT, 0);
    raising.raw_set_name(-2, b"__gc");
    raising.new_table(0, METHODS.len() + 4);
    for (name, method) in METHODS {
        push_function(raising, context, *method);
        if METAMETHODS.contains(name) {
            raising.push_copy(-1);
            raising.raw_set_name(-4, name.as_bytes());
        }
        raising.raw_set_name(-2, name.as_bytes());
    }
    for (name, value) in [("null", NULL), ("batched", BATCHED)] {
        raising.push_light(value as *mut c_void);
        raising.raw_set_name(-2, name.as_bytes());
    }
    raising.push_bytes(b"Linda");
    raising.raw_set_name(-2, b"__metatable");
    raising.new_table(0, 1);
    push_function(raising, context, missing);
    raising.raw_set_name(-2, b"__index");
    raising.set_metatable(-2);
    raising.raw_set_name(-2, b"__index");
    let kind = Userdata::adopt(raising);
    raising.pop(1);
    kind
}

lua_function! {
    /// `__index` of the table of methods: a method of the 4.x interface, and a name near that of a
    /// method, is a function that raises an error; any other field is nil.
    always fn missing = |state| {
        let name = state.bytes(2).unwrap_or_default();
        if [&b"receive_batched"[..], b"restrict", b"wake", b"collectgarbage"].contains(&name) {
            state.push_copy(upvalue(1));
            protect(state, 1, |raising| push_function(raising, 1, gone))?;
        } else if nearest(name, NAMES).is_some() {
            state.push_copy(upvalue(1));
            state.push_copy(2);
            protect(state, 2, |raising| raising.push_function(no_method, 2))?;
        } else {
            state.push_nil();
        }
        Ok(1)
    }
}

lua_function! {
    /// What a linda has by a name that is nearly that of a method; its second upvalue is that name.
    fn no_method = |state| {
        Context::of(&state)?;
        let name = state.bytes(upvalue(2)).unwrap_or_default();
        Err(Raise::message(text![
            "no method '",
            name,
            "'",
            suggestion(name, NAMES),
            " A linda has ",
            NAMES
        ]))
    }
}

/// Pushes this state's proxy of a linda that no state has seen yet.
pub fn new(context: &Context, state: State, linda: Linda) -> Result<Arc<Linda>, Raise> {
    let linda = Arc::new(linda);
    let object: Arc<dyn Deep> = linda.clone();
    push_proxy(&context.coders.cache.kinds, state, &object)?;
    if let Some(universe) = context.universe_if_any() {
        universe.add_linda(&linda);
    }
    Ok(linda)
}

lua_function! {
    /// `linda:set(key [, value...])`: replaces the contents. Returns true if that made room in a
    /// full slot, else nothing.
    always fn set = set_body
}

fn set_body(state: State) -> Result<c_int, Raise> {
    results::made_room(state, set_values(state)?)
}

/// What `set` does; the values are the arguments from 3 on.
pub fn set_values(state: State) -> Result<Result<Changed, LindaCancelled>, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "set");
    let linda = this(&arguments, Who::Both)?;
    let key = KeyRef::argument(&arguments, 2)?;
    let values = match state.top() - 2 {
        0 => Vec::new(),
        count => {
            check_memory()?;
            match count {
                1 => vec![element(context, state, Label::Argument(2))?],
                _ => elements(context, state, 3, count, Label::Argument(2))?,
            }
        }
    };
    Ok(linda.queues.set(&key, values))
}

lua_function! {
    /// `linda:get(key [, count])`: returns up to `count` (default 1) first elements, which stay in
    /// the slot; nothing if it is empty.
    pub fn get = get_body
}

fn get_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "get");
    let linda = this(&arguments, Who::None)?;
    let key = KeyRef::argument(&arguments, 2)?;
    let count = if state.is_none_or_nil(3) {
        1
    } else {
        arguments.integer(3)?
    };
    if count < 1 {
        return Err(arguments.error(3, format_args!("count should be >= 1, got {count}")));
    }
    arguments.at_most(3)?;
    match linda
        .queues
        .get(&key, usize::try_from(count).unwrap_or(usize::MAX))
    {
        Ok(messages) if messages.is_empty() => Ok(0),
        Ok(messages) if messages.len() == 1 => {
            decode_one(&context.coders, state, Label::Element, &messages[0], &[]).map(|()| 1)
        }
        Ok(messages) => decode(&context.coders, state, Label::Element, &messages),
        Err(_) => results::linda_cancelled(state),
    }
}

lua_function! {
    /// `linda:limit(key, n)`: sets how many elements `send` may queue; negative: any number.
    /// Returns true if that made room in a full slot, else nothing.
    fn limit = limit_body
}

fn limit_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let arguments = Arguments::new(state, "limit");
    let linda = this(&arguments, Who::Both)?;
    if state.top() != 3 {
        return Err(arguments.error(
            2,
            "wrong number of arguments: linda:limit(key, n) takes a key and a limit",
        ));
    }
    let key = KeyRef::argument(&arguments, 2)?;
    let limit = match arguments.number(3).map_err(|raise| {
        if state.bytes(3) == Some(b"unlimited") {
            return arguments.error(3, OF_FOUR);
        }
        raise
    })? {
        // A float beyond the integers is no limit in practice.
        limit if limit == f64::INFINITY => None,
        _ => usize::try_from(arguments.integer(3)?).ok(),
    };
    results::made_room(state, linda.queues.limit(&key, limit))
}

lua_function! {
    /// `linda:cancel([who])`: marks the linda cancelled and wakes those who wait to "read", to
    /// "write", or "both" (default); "none" takes the mark away.
    always pub fn cancel = cancel_body
}

fn cancel_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let arguments = Arguments::new(state, "cancel");
    let linda = this(&arguments, Who::None)?;
    if state.top() > 2 {
        return Err(arguments.error(
            3,
            "wrong number of arguments: linda:cancel([who]) takes one at most",
        ));
    }
    linda.queues.cancel(who(&arguments)?);
    Ok(0)
}

/// Whose waits are meant: argument 2, both if there is none.
pub fn who(arguments: &Arguments) -> Result<Who, Raise> {
    if arguments.state.is_none_or_nil(2) {
        return Ok(Who::Both);
    }
    match arguments.bytes(2)? {
        b"none" => Ok(Who::None),
        b"read" => Ok(Who::Read),
        b"write" => Ok(Who::Write),
        b"both" => Ok(Who::Both),
        other => Err(arguments.error(
            2,
            text![
                "unknown wake hint '",
                other,
                "', should be \"none\", \"read\", \"write\" or \"both\"",
            ],
        )),
    }
}
