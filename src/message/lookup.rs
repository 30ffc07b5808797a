//! What a name stands for in a state: looked up there, or required.

use super::cache::{Transfer, TransferCache};
use super::names::{OWN_MODULES, Parts, REGISTRY_MODULE, is_built_in, push_loaded};
use crate::lua::sentinels::is_cancel_error;
use crate::lua::{KEYS, Kind, NOT_ENOUGH_MEMORY, Raise, Raising, State, Text, protect};

/// Replaces the value at the stack top by its field `key`, a text or the text of a number; by nil
/// if the value is no table.
fn replace_by_field(raising: Raising, key: &[u8]) {
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

/// Replaces the module at the stack top by what is at `path` within it, or by nil.
fn follow_path(raising: Raising, path: &[u8]) {
    if !path.is_empty() {
        for part in Parts::of(path) {
            replace_by_field(raising, part);
        }
    }
}

/// Pushes the module `name` if this state has it, registered, loaded or global; otherwise nil.
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

/// Requires a module in this state and pushes it. Returns false, with the reason, a text, pushed,
/// if that fails. Every module that a transfer needs is required here.
///
/// Raises `cancel_error` if the lane is cancelled while it waits for the module, and Lua's error
/// if memory runs out.
fn require(transfer: Transfer, module: &[u8]) -> bool {
    transfer.raw_get_index(State::REGISTRY, KEYS.require);
    if transfer.kind(-1) != Kind::Function {
        transfer.pop(1);
        transfer.push_bytes(b"the lane has no 'require'");
        return false;
    }
    transfer.push_bytes(module);
    if transfer.call_protected(1, Some(1), 0).is_err() {
        if is_cancel_error(**transfer, -1)
            || transfer.bytes(-1) == Some(NOT_ENOUGH_MEMORY.as_bytes())
        {
            transfer.raise();
        }
        transfer.push_display(-1);
        transfer.remove(-2);
        return false;
    }
    transfer.cache.modules_changed();
    true
}

/// Pushes the object that a name stands for in this state, after requiring the module if it is not
/// loaded yet. Returns false, with the reason, a text (perhaps empty), pushed, if the object cannot
/// be had.
pub(super) fn push_object(transfer: Transfer, module: &[u8], path: &[u8], kind: Kind) -> bool {
    push_module(*transfer, module);
    let loaded = !transfer.is_none_or_nil(-1);
    if OWN_MODULES.contains(&module) && transfer.kind(-1) == Kind::Table {
        // The table is filled when a field is first read with metamethods.
        transfer.get_field(-1, c"version");
        transfer.pop(1);
    }
    follow_path(*transfer, path);
    if transfer.kind(-1) == kind {
        return true;
    }
    transfer.pop(1);
    if module == REGISTRY_MODULE {
        return push_registered(*transfer, path);
    }
    let built_in = is_built_in(module);
    if built_in && loaded {
        transfer.push_bytes(b"");
        return false;
    }
    let base = transfer.top();
    if !require(transfer, module) {
        if built_in {
            // The searchers' reasons do not apply: no file has a library of Lua.
            transfer.pop(1);
            transfer.push_bytes(b"");
        }
        return false;
    }
    if transfer.kind(-1) != Kind::Table && !(path.is_empty() && transfer.kind(-1) == kind) {
        transfer.set_top(base);
        push_module(*transfer, module);
    }
    follow_path(*transfer, path);
    if transfer.kind(-1) == kind {
        return true;
    }
    transfer.pop(1);
    transfer.push_bytes(b"the module does not have it there");
    false
}

/// Pushes the metatable of clones that the registry has under the key that is the first part of
/// `path`. Returns false, with the reason pushed, if it has none.
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
    /// For this reason, perhaps an empty text.
    Reason(Text),
    /// The lane was cancelled while the module was being required.
    Cancelled,
    /// Out of memory.
    OutOfMemory,
}

/// Looks for the object of a name in a state that is at hand and not running, and requires its
/// module there if it is not loaded. Leaves the stack of that state as it is.
pub(super) fn find(
    state: State,
    cache: &TransferCache,
    module: &[u8],
    path: &[u8],
    kind: Kind,
) -> Result<(), Missing> {
    let top = state.top();
    let found = protect(state, 0, move |raising| {
        raising.reserve(8);
        push_object(Transfer::new(raising, cache), module, path, kind)
    });
    let outcome = match found {
        Ok(true) => Ok(()),
        Ok(false) => Err(Missing::Reason(state.text(-1).unwrap_or_default())),
        Err(Raise::Value) if is_cancel_error(state, -1) => Err(Missing::Cancelled),
        Err(Raise::Value) if state.bytes(-1) != Some(NOT_ENOUGH_MEMORY.as_bytes()) => {
            Err(Missing::Reason(state.text(-1).unwrap_or_default()))
        }
        Err(_) => Err(Missing::OutOfMemory),
    };
    state.set_top(top);
    outcome
}
