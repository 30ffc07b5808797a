//! The methods that look at a linda: `count`, `dump`, `deep`, and its text (docs/manual/lindas.md).

use super::arguments::{linda_of, this};
use crate::context::Context;
use crate::linda::{KeyRef, Linda, Restriction};
use crate::lua::sentinels::NULL;
use crate::lua::{Arguments, Kind, Raise, State, Userdata, lua_function, protect, protect_with};
use crate::message::{Label, Message, decode_one};
use crate::universe::Interface;
use lanes_engine::memory::grow;
use lanes_engine::queues::{Dump, Who};
use std::os::raw::{c_int, c_void};

lua_function! {
    /// `linda:count([key...])`: returns the count of one key, or nil; of several keys, or of all, a
    /// table.
    pub fn count = count_body
}

/// The body of `count`.
pub fn count_body(state: State) -> Result<c_int, Raise> {
    let kinds = &Context::of(&state)?.coders.cache.kinds;
    let arguments = Arguments::new(state, "count");
    let linda = this(&arguments, Who::None)?;
    let last = state.top();
    if last == 2 {
        let key = KeyRef::argument(&arguments, 2)?;
        match linda.queues.count(&key) {
            Some(count) => state.push_integer(count as i64),
            None => state.push_nil(),
        }
        return Ok(1);
    }
    let mut counts = if last == 1 {
        linda.queues.counts()
    } else {
        let mut counts = grow::list(last as usize - 1);
        for index in 2..=last {
            let key = KeyRef::argument(&arguments, index)?;
            if let Some(count) = linda.queues.count(&key) {
                counts.push((key.to_key(), count));
            }
        }
        counts
    };
    protect_with(state, 0, &mut counts, |raising, counts| {
        raising.new_table(0, counts.len());
        for (key, count) in counts.iter() {
            key.push(raising, kinds);
            raising.push_integer(*count as i64);
            raising.raw_set(-3);
        }
    })?;
    Ok(1)
}

lua_function! {
    /// `linda:dump()`: returns a table of all slots; nothing if the linda was never used.
    pub fn dump = dump_body
}

fn dump_body(state: State) -> Result<c_int, Raise> {
    dump_for(state, Interface::Three)
}

lua_function! {
    /// `linda:dump()` of the 4.x interface: slots have their restriction, and no limit is
    /// "unlimited".
    pub fn dump_four = |state| dump_for(state, Interface::Four)
}

fn dump_for(state: State, interface: Interface) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "dump");
    let linda = this(&arguments, Who::None)?;
    let Some(slots) = linda.queues.dump() else {
        return Ok(0);
    };
    let kinds = &context.coders.cache.kinds;
    protect(state, 0, |raising| raising.new_table(0, 0))?;
    for (mut key, mut slot) in slots {
        let restriction = match interface {
            Interface::Three => None,
            Interface::Four => Some(linda.restrictions.of(&key.borrowed())),
        };
        push_slot(context, state, &mut slot, restriction)?;
        protect_with(state, 2, &mut key, |raising, key| {
            key.push(raising, kinds);
            raising.insert(-2);
            raising.raw_set(1);
        })?;
    }
    Ok(1)
}

/// Pushes the description of a slot: `{first, count, limit, fifo}`. A restriction is given in the
/// 4.x interface only: the slot then has it, and its limit may be "unlimited".
fn push_slot(
    context: &Context,
    state: State,
    slot: &mut Dump<Message>,
    restriction: Option<Restriction>,
) -> Result<(), Raise> {
    protect_with(state, 0, slot, |raising, slot| {
        raising.new_table(0, 5);
        let limit = slot.limit.map_or(-1, |limit| limit as i64);
        for (name, value) in [
            ("first", slot.first as i64),
            ("count", slot.count as i64),
            ("limit", limit),
        ] {
            raising.push_integer(value);
            raising.raw_set_name(-2, name.as_bytes());
        }
        if let Some(restriction) = restriction {
            if slot.limit.is_none() {
                raising.push_bytes(b"unlimited");
                raising.raw_set_name(-2, b"limit");
            }
            raising.push_bytes(restriction.name().as_bytes());
            raising.raw_set_name(-2, b"restrict");
        }
        raising.new_table(0, 0);
    })?;
    let fifo = state.top();
    for (i, message) in slot.values.iter().enumerate() {
        decode_one(&context.coders, state, Label::Element, message, &[])?;
        let index = (slot.first + i) as i64;
        protect(state, 2, move |raising| {
            if raising.is_none_or_nil(-1) && restriction.is_none() {
                raising.pop(1);
                raising.push_light(NULL as *mut c_void);
            }
            raising.raw_set_index(1, index);
        })?;
        debug_assert_eq!(state.top(), fifo);
    }
    protect(state, 2, |raising| raising.raw_set_name(1, b"fifo"))
}

lua_function! {
    /// `linda:deep()`: returns a light userdata that identifies the linda in every state.
    pub fn deep = deep_body
}

fn deep_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    let linda = std::ptr::from_ref(this(&Arguments::new(state, "deep"), Who::None)?) as usize;
    protect(state, 0, move |raising| {
        raising.push_light(linda as *mut c_void)
    })?;
    Ok(1)
}

/// Pushes what `tostring` returns for a linda.
fn push_display(state: State, linda: &Linda) -> Result<(), Raise> {
    let mut text = linda.display();
    protect_with(state, 0, &mut text, |raising, text| {
        raising.push_bytes(text)
    })
}

lua_function! {
    /// `tostring(linda)`
    pub fn to_string = to_string_body
}

fn to_string_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    push_display(state, this(&Arguments::new(state, "tostring"), Who::None)?)?;
    Ok(1)
}

lua_function! {
    /// `linda .. value`: with strings, numbers and lindas.
    pub fn concat = concat_body
}

fn concat_body(state: State) -> Result<c_int, Raise> {
    Context::of(&state)?;
    for index in [1, 2] {
        if let Some(linda) = Userdata::get(&state, index).and_then(linda_of) {
            push_display(state, linda)?;
            state.replace(index);
        } else if !matches!(state.kind(index), Kind::String | Kind::Number) {
            return Err(Raise::message(format!(
                "attempt to concatenate a {} value",
                state.type_name(index)
            )));
        }
    }
    state.set_top(2);
    protect(state, 2, |raising| raising.concat(2))?;
    Ok(1)
}

lua_function! {
    /// What debuggers show of a linda: its dump, or its text if it was never used.
    pub fn to_watch = to_watch_body
}

fn to_watch_body(state: State) -> Result<c_int, Raise> {
    state.set_top(1);
    match dump_body(state)? {
        0 => to_string_body(state),
        n => Ok(n),
    }
}
