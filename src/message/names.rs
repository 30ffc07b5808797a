//! Names: how C functions and the tables of modules are called, so that they can be found again in another state.
//!
//! A name is a module (a key of `package.loaded`; `_G` for the base functions) and a path within it. Names are
//! looked up when they are first needed: nothing is scanned when a state is made. `naming` writes them, `found` finds
//! what they stand for.

use super::local::{KEYS, Local};
use super::path::Parts;
use crate::lua::{Kind, Raising, State, Text, compat};
use lanes_engine::memory::grow::has_room;
use std::cmp::Ordering;
use std::os::raw::c_int;

/// How deep tables in modules are searched for functions.
const DEPTH: u32 = 6;

/// Our own module, by its names.
pub(super) const OURS: [&[u8]; 2] = [b"lanes_core", b"lanes.core"];

/// The module of a name that is a key of the registry: of a metatable that `luaL_newmetatable` has made.
pub(super) const REGISTERED: &[u8] = b"";

/// Whether this Lua has a library of this name built in.
pub(super) fn is_built_in(module: &[u8]) -> bool {
    module == b"coroutine"
        || compat::LIBRARIES
            .iter()
            .any(|library| library.name.to_bytes() == module)
}

/// The name as people write it: `print`, `string/sub`.
pub fn display(module: &[u8], path: &[u8]) -> Text {
    let mut text = Text::new();
    for byte in displayed(module, path) {
        text.add(&[byte][..]);
    }
    text
}

/// The bytes of the name as people write it.
fn displayed<'a>(module: &'a [u8], path: &'a [u8]) -> impl Iterator<Item = u8> + 'a {
    let shown: &[u8] = if module == b"_G" && !path.is_empty() {
        b""
    } else {
        module
    };
    let slash = (!shown.is_empty() && !path.is_empty()).then_some(b'/');
    shown
        .iter()
        .copied()
        .chain(slash)
        .chain(Parts::of(path).displayed())
}

/// Cuts a stored name, whose first part is the module, into module and path.
pub(super) fn split(name: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = Parts::of(name);
    let module = parts.next().unwrap_or_default();
    (module, parts.rest())
}

/// Replaces the string on the top by what it is as a part of a stored name (see `Parts`).
pub(super) fn make_part(raising: Raising) {
    raising.push_integer(raising.string(-1).len() as i64);
    raising.push_display(-1);
    raising.replace(-2);
    raising.push_bytes(b":");
    raising.push_copy(-3);
    raising.concat(3);
    raising.replace(-2);
}

/// Whether `new` is the better of two names: one in our native module, the shorter one, then the one that sorts first.
fn better(new: &[u8], old: &[u8]) -> bool {
    let ours = |name| OURS.contains(&split(name).0);
    if ours(new) != ours(old) {
        return ours(new);
    }
    let shown = |name| {
        let (module, path) = split(name);
        displayed(module, path)
    };
    match shown(new).count().cmp(&shown(old).count()) {
        Ordering::Equal => shown(new).lt(shown(old)),
        order => order == Ordering::Less,
    }
}

/// Enters the value on the top in the table at `names` under the name at `name`, unless it has a better one.
/// Answers whether it was entered.
fn enter(raising: Raising, names: c_int, name: c_int) -> bool {
    raising.push_copy(-1);
    raising.raw_get(names);
    let enter = match (raising.bytes(-1), raising.bytes(name)) {
        (Some(old), Some(new)) => better(new, old),
        _ => true,
    };
    raising.pop(1);
    if enter {
        raising.push_copy(-1);
        raising.push_copy(name);
        raising.raw_set(names);
    }
    enter
}

/// The stack of a scan: the tables that it fills and consults.
#[derive(Clone, Copy)]
struct Scan {
    names: c_int,
    known: c_int,
    visited: c_int,
    /// Set of tables that are modules, which are searched under their own names only.
    modules: c_int,
}

/// Which tables within a module are known by name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// All of them: in a library of Lua.
    All,
    /// Those that are made to be metatables: in a module.
    Classes,
    /// None: among the globals, where tables are the program's own.
    None,
}

/// Searches the table on the top, whose name is at `name`.
fn search(raising: Raising, scan: Scan, name: c_int, depth: u32, within: Within) {
    let table = raising.top();
    raising.reserve(16);
    raising.push_nil();
    while raising.next(table) {
        let interesting = match raising.kind(-1) {
            Kind::Function => raising.is_c_function(-1),
            Kind::Table => {
                depth > 0 && {
                    raising.push_copy(-1);
                    raising.raw_get(scan.modules);
                    let module = raising.truth(-1);
                    raising.pop(1);
                    !module
                }
            }
            _ => false,
        };
        if !interesting || !matches!(raising.kind(-2), Kind::String | Kind::Number) {
            raising.pop(1);
            continue;
        }
        // Stack: key, value. Pushes the name of the value.
        raising.push_copy(name);
        raising.push_copy(-3);
        raising.push_display(-1);
        raising.replace(-2);
        make_part(raising);
        raising.concat(2);
        raising.insert(-2);
        let child = raising.top() - 1;
        // Stack: key, name, value.
        if raising.kind(-1) == Kind::Function {
            enter(raising, scan.names, child);
        } else {
            if within == Within::All || within == Within::Classes && is_class(raising) {
                enter(raising, scan.known, child);
            }
            raising.raw_get_name(-1, b"__lanesclone");
            let clonable = raising.kind(-1) == Kind::Function;
            raising.pop(1);
            if clonable {
                enter(raising, scan.names, child);
            }
            if enter(raising, scan.visited, child) {
                search(raising, scan, child, depth - 1, within);
            }
        }
        raising.pop(2);
    }
}

/// Whether the table on the top is made to be a metatable.
pub(super) fn is_class(raising: Raising) -> bool {
    raising.raw_get_name(-1, b"__index");
    let class = !raising.is_none_or_nil(-1);
    raising.pop(1);
    class
}

/// Pushes the table of loaded modules, or nil.
pub(super) fn push_loaded(raising: Raising) {
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
}

/// Calls `each` for every module by name: package.loaded, then those registered. Stack of `each`: name, module.
fn for_modules(raising: Raising, each: impl Fn(Raising) + Copy) {
    for registered in [false, true] {
        if registered {
            raising.raw_get_index(State::REGISTRY, KEYS.registered);
        } else {
            push_loaded(raising);
        }
        if raising.kind(-1) == Kind::Table {
            let table = raising.top();
            raising.push_nil();
            while raising.next(table) {
                if raising.kind(-2) == Kind::String {
                    each(raising);
                }
                raising.set_top(table + 1);
            }
        }
        raising.pop(1);
    }
}

/// Makes the tables of names anew from the modules that are loaded now.
pub(super) fn scan_modules(local: &Local, raising: Raising) {
    raising.reserve(24);
    let base = raising.top();
    raising.raw_get_index(State::REGISTRY, KEYS.names);
    raising.raw_get_index(State::REGISTRY, KEYS.known);
    raising.new_table(0, 0);
    raising.new_table(0, 0);
    let scan = Scan {
        names: base + 1,
        known: base + 2,
        visited: base + 3,
        modules: base + 4,
    };
    for_modules(raising, |raising| {
        if raising.kind(-1) == Kind::Table {
            raising.push_copy(-1);
            raising.push_boolean(true);
            raising.raw_set(scan.modules);
        }
    });
    for_modules(raising, |raising| {
        // Stack: name, module. The path is empty.
        let within = match raising.bytes(-2) {
            Some(b"_G") | None => Within::None,
            Some(module) if is_built_in(module) => Within::All,
            Some(_) => Within::Classes,
        };
        raising.push_copy(-2);
        make_part(raising);
        raising.insert(-2);
        let name = raising.top() - 1;
        match raising.kind(-1) {
            Kind::Table => {
                enter(raising, scan.known, name);
                if enter(raising, scan.visited, name) {
                    search(raising, scan, name, DEPTH, within);
                }
            }
            Kind::Function if raising.is_c_function(-1) => {
                enter(raising, scan.names, name);
            }
            _ => {}
        }
    });
    raising.set_top(base);
    local.modules_changed.set(false);
    // The quick set of addresses.
    raising.raw_get_index(State::REGISTRY, KEYS.known);
    local.known.borrow_mut().clear();
    raising.push_nil();
    while raising.next(-2) {
        let address = raising.pointer(-2) as usize;
        let room = has_room(&mut *local.known.borrow_mut(), 1);
        if !room {
            local.modules_changed.set(true);
            raising.out_of_memory();
        }
        local.known.borrow_mut().insert(address);
        raising.pop(1);
    }
    raising.pop(1);
}

/// Whether the table on the top is a module's: pushes its name then.
#[inline]
pub(super) fn known_table(local: &Local, raising: Raising) -> bool {
    if local.modules_changed.get() {
        scan_modules(local, raising);
    }
    if !local
        .known
        .borrow()
        .contains(&(raising.pointer(-1) as usize))
    {
        return false;
    }
    raising.raw_get_index(State::REGISTRY, KEYS.known);
    raising.push_copy(-2);
    raising.raw_get(-2);
    raising.remove(-2);
    if raising.kind(-1) == Kind::String {
        return true;
    }
    raising.pop(1);
    false
}

/// Enters the module on the top under `name` in this state's names and leaves it there.
pub fn register(local: &Local, raising: Raising, name: &[u8]) {
    raising.raw_get_index(State::REGISTRY, KEYS.registered);
    raising.push_copy(-2);
    raising.raw_set_name(-2, name);
    raising.pop(1);
    local.modules_changed();
}

/// Gives the function on the top (left there) a name in this state: module and path as `Parts` reads them.
pub fn name_as(raising: Raising, name: &[u8]) {
    raising.raw_get_index(State::REGISTRY, KEYS.names);
    raising.push_copy(-2);
    raising.push_bytes(name);
    raising.raw_set(-3);
    raising.pop(1);
}
