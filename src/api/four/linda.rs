//! The methods of lindas in the 4.x interface (docs/manual/v4.md#lindas).

use crate::api::linda::arguments::{check_restriction, this, timeout};
use crate::api::linda::{inspect, locks, methods, receive, results, send};
use crate::api::notifier;
use crate::api::plain::plain;
use crate::context::{Context, push_function, push_function_of_four};
use crate::linda::{KeyRef, Restriction};
use crate::lua::compat::MANY_USER_VALUES;
use crate::lua::sentinels::NULL;
use crate::lua::{
    Arguments, Function, Kind, Raise, Raising, State, lua_function, protect, suggestion, text,
    upvalue,
};
use crate::message::{Label, decode};
use lanes_engine::queues::Who;
use std::os::raw::{c_int, c_void};

/// Whether this Lua has variables that close their value: it also has many user values.
pub const CLOSES_VARIABLES: bool = MANY_USER_VALUES;

/// The names that a linda has, for suggestions.
const FIELDS: &[u8] =
    b"send receive receive_batched set get limit restrict count dump cancel wake deep notifier \
    collectgarbage null status";

/// Fills the metatable of lindas, which is at the top of the stack. `context` is the index of the
/// context's userdata.
pub fn install(raising: Raising, context: c_int) {
    const METHODS: &[(&str, Function)] = &[
        ("send", send_method),
        ("receive", receive_method),
        ("receive_batched", receive_batched),
        ("set", set),
        ("get", get),
        ("limit", limit),
        ("restrict", restrict),
        ("count", count),
        ("dump", inspect::dump_four),
        ("cancel", methods::cancel),
        ("wake", wake),
        ("deep", inspect::deep),
        ("notifier", notifier::linda_notifier),
        ("collectgarbage", collectgarbage),
        ("__tostring", inspect::to_string),
        ("__concat", inspect::concat),
        ("__towatch", inspect::to_watch),
        ("__plain", plain),
        ("__lock", locks::lock),
        ("__add", locks::add),
    ];
    raising.push_copy(context);
    raising.new_table(0, METHODS.len() + 2);
    for (name, method) in METHODS {
        push_function_of_four(raising, context, *method);
        raising.raw_set_name(-2, name.as_bytes());
    }
    raising.push_light(NULL as *mut c_void);
    raising.raw_set_name(-2, b"null");
    raising.push_bytes(b"Linda");
    raising.raw_set_name(-2, b"__metatable");
    raising.push_function(index, 2);
    raising.raw_set_name(-2, b"__index");
    if CLOSES_VARIABLES {
        push_function(raising, context, close);
        raising.raw_set_name(-2, b"__close");
    }
}

lua_function! {
    /// `linda[key]`: a method, or the status. The second upvalue is the table of methods.
    always fn index = index_body
}

fn index_body(state: State) -> Result<c_int, Raise> {
    state.push_copy(2);
    state.raw_get(upvalue(2));
    if !state.is_none_or_nil(-1) {
        return Ok(1);
    }
    Context::of(&state)?;
    if state.kind(2) != Kind::String {
        return Err(Raise::message(format!(
            "Unsupported linda indexing key type {}",
            state.type_name(2)
        )));
    }
    match state.string(2) {
        b"status" => {
            let arguments = Arguments::new(state, "index");
            let linda = this(&arguments, Who::None)?;
            let status: &[u8] = if linda.queues.is_cancelled() {
                b"cancelled"
            } else {
                b"active"
            };
            protect(state, 0, move |raising| raising.push_bytes(status))?;
            Ok(1)
        }
        b"batched" => Err(Raise::message(
            "unknown field 'batched': it is of the 3.x interface; here it is linda:receive_batched([timeout,] slot, min \
             [, max])",
        )),
        name => Err(Raise::message(text![
            "unknown field '",
            name,
            "'",
            suggestion(name, FIELDS)
        ])),
    }
}

lua_function! {
    /// `linda:send([timeout,] slot, value...)`: returns true; nil and "timeout"; nil and
    /// `cancel_error`.
    fn send_method = send_body
}

fn send_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let arguments = Arguments::new(state, "send");
    let linda = this(&arguments, Who::None)?;
    let (_, at, kind) = timeout(&arguments, 2)?;
    let key = KeyRef::argument_of_kind(&arguments, kind, at)?;
    if state.top() == at {
        return Err(Raise::message(
            "no data to send: linda:send([timeout,] slot, value...) needs a value",
        ));
    }
    check_restriction(linda, &key, Restriction::SetGet)?;
    send::send_body(state)
}

lua_function! {
    /// `linda:receive([timeout,] slot...)`: returns slot and value; nil and "timeout"; nil and
    /// `cancel_error`.
    always fn receive_method = receive_body
}

fn receive_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "receive");
    let linda = this(&arguments, Who::None)?;
    let (timeout, at, _) = timeout(&arguments, 2)?;
    if state.top() < at {
        return receive::receive_any(context, &arguments, linda, timeout, at);
    }
    let mut looking = linda.restrictions.any();
    for index in at..=state.top() {
        let key = KeyRef::argument(&arguments, index)?;
        if looking {
            check_restriction(linda, &key, Restriction::SetGet)?;
            // Those after the first that has an element are not looked at.
            looking = linda.queues.count(&key).is_none_or(|count| count == 0);
        }
    }
    receive::receive_body(state)
}

lua_function! {
    /// `linda:receive_batched([timeout,] slot, min [, max])`: returns slot and values; nil and
    /// "timeout"; nil and `cancel_error`.
    always fn receive_batched = receive_batched_body
}

fn receive_batched_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "receive_batched");
    let linda = this(&arguments, Who::Write)?;
    let (timeout, at, kind) = timeout(&arguments, 2)?;
    let key = KeyRef::argument_of_kind(&arguments, kind, at)?;
    if arguments.integer(at + 1)? < 1 {
        return Err(arguments.error(at + 1, "bad min count: should be >= 1"));
    }
    check_restriction(linda, &key, Restriction::SetGet)?;
    receive::receive_batched(context, &arguments, linda, timeout, at)
}

lua_function! {
    /// `linda:set(slot [, value...])`: returns whether that made room in a full slot, and how full
    /// it is.
    always fn set = set_body
}

fn set_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let arguments = Arguments::new(state, "set");
    let linda = this(&arguments, Who::None)?;
    let key = KeyRef::argument(&arguments, 2)?;
    check_restriction(linda, &key, Restriction::SendReceive)?;
    let clears = state.top() == 2;
    let changed = methods::set_values(state)?;
    if clears && linda.restrictions.of(&key) != Restriction::None {
        // The slot stays, with its restriction.
        let _ = linda.queues.make_known(&key);
    }
    results::changed(state, changed)
}

lua_function! {
    /// `linda:get(slot [, count])`: returns a number of elements, and so many first elements (at
    /// most `count`, default 1), which stay in the slot.
    fn get = get_body
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
    check_restriction(linda, &key, Restriction::SendReceive)?;
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    match linda.queues.get(&key, most) {
        Ok(messages) => {
            state.push_integer(messages.len() as i64);
            if messages.is_empty() {
                return Ok(1);
            }
            Ok(1 + decode(&context.coders, state, Label::Element, &messages)?)
        }
        Err(_) => results::linda_cancelled(state),
    }
}

lua_function! {
    /// `linda:limit(slot [, n])`: returns the limit of the slot, a number or "unlimited"; or sets
    /// it and returns whether that made room in a full slot. The second result says how full it is.
    fn limit = limit_body
}

fn limit_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let arguments = Arguments::new(state, "limit");
    let linda = this(&arguments, Who::Both)?;
    let key = KeyRef::argument(&arguments, 2)?;
    if state.top() > 3 {
        return Err(arguments.error(
            4,
            "wrong number of arguments: linda:limit(slot [, n]) takes a slot and a limit",
        ));
    }
    if state.is_none_or_nil(3) {
        return match linda.queues.limit_of(&key) {
            Ok((limit, fill)) => {
                match limit {
                    Some(limit) => state.push_integer(limit as i64),
                    None => protect(state, 0, |raising| raising.push_bytes(b"unlimited"))?,
                }
                results::push_fill(state, fill)?;
                Ok(2)
            }
            Err(_) => results::linda_cancelled(state),
        };
    }
    let limit = match state.bytes(3) {
        Some(b"unlimited") => None,
        _ => {
            let number = arguments.number(3)?;
            if number.is_nan() || number < 0.0 {
                return Err(arguments.error(
                    3,
                    format_args!(
                        "limit must be >= 0, got {number} (\"unlimited\" takes the limit away)"
                    ),
                ));
            }
            if number == f64::INFINITY {
                None
            } else {
                usize::try_from(arguments.integer(3)?).ok()
            }
        }
    };
    results::changed(state, linda.queues.limit(&key, limit))
}

lua_function! {
    /// `linda:restrict(slot [, mode])`: returns the restriction of the slot; with a mode, sets it
    /// and returns the previous one.
    fn restrict = restrict_body
}

fn restrict_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let arguments = Arguments::new(state, "restrict");
    let linda = this(&arguments, Who::None)?;
    let key = KeyRef::argument(&arguments, 2)?;
    if state.top() > 3 {
        return Err(arguments.error(
            4,
            "wrong number of arguments: linda:restrict(slot [, mode]) takes a slot and a mode",
        ));
    }
    let wanted = if state.is_none_or_nil(3) {
        None
    } else {
        let named = state.bytes(3).and_then(Restriction::named);
        Some(named.ok_or_else(|| {
            arguments.error(
                3,
                "unknown restrict mode, should be \"none\", \"set/get\" or \"send/receive\"",
            )
        })?)
    };
    if linda.queues.is_cancelled() {
        return results::linda_cancelled(state);
    }
    let before = match wanted {
        None => linda.restrictions.of(&key),
        Some(restriction) => {
            if linda.queues.make_known(&key).is_err() {
                return results::linda_cancelled(state);
            }
            linda.restrictions.set(&key, restriction)
        }
    };
    protect(state, 0, move |raising| {
        raising.push_bytes(before.name().as_bytes())
    })?;
    Ok(1)
}

lua_function! {
    /// `linda:count([slot...])`
    fn count = |state| {
        Context::of(&state)?;
        let arguments = Arguments::new(state, "count");
        this(&arguments, Who::None)?;
        for index in 2..=state.top() {
            KeyRef::argument(&arguments, index)?;
        }
        inspect::count_body(state)
    }
}

lua_function! {
    /// `linda:wake([who])`: lets those who wait to "read", to "write", or "both" (default) look
    /// again at what they wait for, and at what they are asked to do.
    always fn wake = wake_body
}

fn wake_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let arguments = Arguments::new(state, "wake");
    let linda = this(&arguments, Who::None)?;
    if state.top() > 2 {
        return Err(arguments.error(
            3,
            "wrong number of arguments: linda:wake([who]) takes one at most",
        ));
    }
    match methods::who(&arguments)? {
        Who::None => Err(arguments.error(
            2,
            "unknown wake hint 'none', should be \"read\", \"write\" or \"both\"",
        )),
        who => {
            linda.queues.refuse_asked(who);
            Ok(0)
        }
    }
}

lua_function! {
    /// `linda:collectgarbage()`: has nothing to do, because elements are memory of no Lua state.
    fn collectgarbage = |state| {
        Context::of(&state)?;
        let arguments = Arguments::new(state, "collectgarbage");
        this(&arguments, Who::None)?;
        if state.top() > 1 {
            return Err(arguments.error(2, "Unexpected extra argument"));
        }
        Ok(0)
    }
}

lua_function! {
    /// `__close` of a linda: calls its close handler with the linda, and the error or nil.
    always fn close = close_body
}

fn close_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let has_handler = this(&Arguments::new(state, "close"), Who::None)?.has_close_handler;
    if !has_handler {
        return Ok(0);
    }
    state.set_top(2);
    state.push_user_value(1, 1);
    if state.is_none_or_nil(-1) {
        return Ok(0);
    }
    state.insert(1);
    protect(state, 3, |raising| raising.call(2, Some(0)))?;
    Ok(0)
}
