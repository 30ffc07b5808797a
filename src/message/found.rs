//! What a name stands for in a state: found there, or required.

use super::local::{KEYS, Local};
use super::names::{OURS, REGISTERED, is_built_in, push_loaded};
use super::path::Parts;
use crate::lua::sentinels::is_cancel_error;
use crate::lua::{Kind, NOT_ENOUGH_MEMORY, Raise, Raising, State, Text, protect};

/// Pushes the part of the value on the top (taken off) that `key` names: text, or a number's text.
fn push_part(raising: Raising, key: &[u8]) {
    if raising.kind(-1) != Kind::Table {
        raising.pop(1);
        raising.push_nil();
        return;
    }
    raising.push_bytes(key);
    raising.raw_get(-2);
    if raising.is_none_or_nil(-1)
        && let Some(number) = std::str::from_utf8(key)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
    {
        raising.pop(1);
        raising.raw_get_index(-1, number);
    }
    raising.remove(-2);
}

/// Pushes what is at `path` within the module on the top (taken off), or nil.
fn push_path(raising: Raising, path: &[u8]) {
    if !path.is_empty() {
        for part in Parts::of(path) {
            push_part(raising, part);
        }
    }
}

/// Pushes the module `name` as this state has it, or nil: registered, loaded, or global.
fn push_module(raising: Raising, name: &[u8]) {
    if name == b"_G" {
        raising.push_globals();
        return;
    }
    raising.raw_get_index(State::REGISTRY, KEYS.registered);
    raising.raw_get_name(-1, name);
    raising.remove(-2);
    if !raising.is_none_or_nil(-1) {
        return;
    }
    raising.pop(1);
    push_loaded(raising);
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, name);
    } else {
        raising.push_nil();
    }
    raising.remove(-2);
}

/// Requires a module in this state and pushes it; or returns false and pushes the reason, a text, why it cannot be had.
/// Whatever a transfer needs is required here.
///
/// Raises `cancel_error` where the wait for the module is ended by a request, and Lua's error where memory runs out.
fn require(local: &Local, raising: Raising, module: &[u8]) -> bool {
    raising.raw_get_index(State::REGISTRY, KEYS.require);
    if raising.kind(-1) != Kind::Function {
        raising.pop(1);
        raising.push_bytes(b"the lane has no 'require'");
        return false;
    }
    raising.push_bytes(module);
    if raising.call_protected(1, Some(1), 0).is_err() {
        if is_cancel_error(*raising, -1) || raising.bytes(-1) == Some(NOT_ENOUGH_MEMORY.as_bytes())
        {
            raising.raise();
        }
        raising.push_display(-1);
        raising.remove(-2);
        return false;
    }
    local.modules_changed();
    true
}

/// Pushes the object that a name stands for in this state. Where the module is not there yet it is required first.
/// Returns false, and pushes the reason (a text, perhaps empty), where the object cannot be had.
pub(super) fn push_object(
    local: &Local,
    raising: Raising,
    module: &[u8],
    path: &[u8],
    kind: Kind,
) -> bool {
    push_module(raising, module);
    let there = !raising.is_none_or_nil(-1);
    if OURS.contains(&module) && raising.kind(-1) == Kind::Table {
        // It is filled when it is first used in the ordinary way.
        raising.get_field(-1, c"version");
        raising.pop(1);
    }
    push_path(raising, path);
    if raising.kind(-1) == kind {
        return true;
    }
    raising.pop(1);
    if module == REGISTERED {
        return push_registered(raising, path);
    }
    let built_in = is_built_in(module);
    if built_in && there {
        raising.push_bytes(b"");
        return false;
    }
    let base = raising.top();
    if !require(local, raising, module) {
        if built_in {
            // Where Lua looks for modules there is no place for a library of its own.
            raising.pop(1);
            raising.push_bytes(b"");
        }
        return false;
    }
    if raising.kind(-1) != Kind::Table && !(path.is_empty() && raising.kind(-1) == kind) {
        raising.set_top(base);
        push_module(raising, module);
    }
    push_path(raising, path);
    if raising.kind(-1) == kind {
        return true;
    }
    raising.pop(1);
    raising.push_bytes(b"the module does not have it there");
    false
}

/// Pushes the metatable for clones that the registry has under a key; or returns false and pushes the reason.
fn push_registered(raising: Raising, path: &[u8]) -> bool {
    let Some(key) = Parts::of(path).next() else {
        raising.push_bytes(b"");
        return false;
    };
    raising.raw_get_name(State::REGISTRY, key);
    if raising.kind(-1) != Kind::Table {
        raising.pop(1);
        raising.push_bytes(b"no module that is loaded there has made it");
        return false;
    }
    raising.raw_get_name(-1, b"__lanesclone");
    let clonable = raising.kind(-1) == Kind::Function;
    raising.pop(1);
    if !clonable {
        raising.pop(1);
        raising.push_bytes(b"it has no __lanesclone there");
    }
    clonable
}

/// Why a state that is at hand does not have an object.
pub(super) enum Missing {
    /// In words; perhaps none.
    Reason(Text),
    /// Its module was being required when the lane was cancelled.
    Cancelled,
    /// Memory ran out.
    Memory,
}

/// Looks for the object of a name in a state that is at hand and not running; requires its module there if need be.
pub(super) fn find(
    state: State,
    local: &Local,
    module: &[u8],
    path: &[u8],
    kind: Kind,
) -> Result<(), Missing> {
    let top = state.top();
    let found = protect(state, 0, move |raising| {
        raising.reserve(8);
        push_object(local, raising, module, path, kind)
    });
    let outcome = match found {
        Ok(true) => Ok(()),
        Ok(false) => Err(Missing::Reason(state.text(-1).unwrap_or_default())),
        Err(Raise::Value) if is_cancel_error(state, -1) => Err(Missing::Cancelled),
        Err(Raise::Value) if state.bytes(-1) != Some(NOT_ENOUGH_MEMORY.as_bytes()) => {
            Err(Missing::Reason(state.text(-1).unwrap_or_default()))
        }
        Err(_) => Err(Missing::Memory),
    };
    state.set_top(top);
    outcome
}
