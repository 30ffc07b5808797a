//! Names: how C functions and the tables of modules are called, so that they can be found again in another state.
//!
//! A name is a module (a key of `package.loaded`; `_G` for the base functions) and a path within it. Names are
//! looked up when they are first needed: nothing is scanned when a state is made.

use super::encode::Destination;
use super::encoder::Encoder;
use super::format;
use super::local::{KEYS, Local};
use super::path::Parts;
use crate::lua::{Kind, Raising, State, brief};
use crate::markers::is_cancel_error;
use lanes_engine::memory::grow::has_room;
use std::cmp::Ordering;
use std::os::raw::c_int;

/// How deep tables in modules are searched for functions.
const DEPTH: u32 = 6;

/// Our own module, by its names.
const OURS: [&[u8]; 2] = [b"lanes_core", b"lanes.core"];

/// Modules of the standard libraries: their tables within are known by name too.
const STANDARD: [&[u8]; 13] = [
    b"string",
    b"table",
    b"math",
    b"io",
    b"os",
    b"debug",
    b"coroutine",
    b"package",
    b"utf8",
    b"bit32",
    b"bit",
    b"jit",
    b"ffi",
];

/// The name as people write it: `print`, `string/sub`.
pub fn display(module: &[u8], path: &[u8]) -> String {
    let text: Vec<u8> = displayed(module, path).take(1000).collect();
    brief(&text)
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

/// Cuts a stored name into module and path.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    let end = name
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(name.len());
    (&name[..end], name.get(end + 1..).unwrap_or_default())
}

/// Whether `new` is the better of two names: the shorter one, then the one that sorts first.
fn better(new: &[u8], old: &[u8]) -> bool {
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

/// Searches the table on the top, whose name is at `name`; `library` says that tables in it are known by name.
fn search(raising: Raising, scan: Scan, name: c_int, depth: u32, library: bool) {
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
        raising.push_integer(raising.string(-1).len() as i64);
        raising.push_display(-1);
        raising.replace(-2);
        raising.push_bytes(b":");
        raising.push_copy(-3);
        // Stack: key, value, name, part, length, colon, part
        raising.remove(-4);
        raising.concat(4);
        raising.insert(-2);
        let child = raising.top() - 1;
        // Stack: key, name, value.
        if raising.kind(-1) == Kind::Function {
            enter(raising, scan.names, child);
        } else {
            if library {
                enter(raising, scan.known, child);
            }
            raising.raw_get_name(-1, b"__lanesclone");
            let clonable = raising.kind(-1) == Kind::Function;
            raising.pop(1);
            if clonable {
                enter(raising, scan.names, child);
            }
            if enter(raising, scan.visited, child) {
                search(raising, scan, child, depth - 1, library);
            }
        }
        raising.pop(2);
    }
}

/// Pushes the table of loaded modules, or nil.
fn push_loaded(raising: Raising) {
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
fn scan_modules(local: &Local, raising: Raising) {
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
        // Stack: name, module. The stored name is the module's name, a zero byte and an empty path.
        let library = raising
            .bytes(-2)
            .is_some_and(|name| STANDARD.contains(&name));
        raising.push_copy(-2);
        raising.push_bytes(&[0]);
        raising.concat(2);
        raising.insert(-2);
        let name = raising.top() - 1;
        match raising.kind(-1) {
            Kind::Table => {
                enter(raising, scan.known, name);
                if enter(raising, scan.visited, name) {
                    search(raising, scan, name, DEPTH, library);
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

/// Writes the name on the top for the table below it. Answers false where the receiving state is at hand and does not
/// have the table: its contents are then to be written instead.
pub(super) fn write_table(encoder: &mut Encoder, raising: Raising, to: Destination) -> bool {
    let Some(name) = raising.bytes(-1) else {
        return false;
    };
    let (module, path) = split(name);
    if module == b"_G" && path.is_empty() {
        encoder.out.push(format::GLOBALS);
        return true;
    }
    if let Destination::State(state) = to
        && !has(state, module, path)
        && !has_c_function(raising, -2)
    {
        return false;
    }
    encoder.out.push(format::NAMED_TABLE);
    write(encoder, module, path);
    true
}

/// Whether the table at `index` directly holds a function written in C: then it cannot be copied.
fn has_c_function(raising: Raising, index: c_int) -> bool {
    let table = raising.absolute(index);
    let top = raising.top();
    raising.push_nil();
    while raising.next(table) {
        if raising.is_c_function(-1) {
            raising.set_top(top);
            return true;
        }
        raising.pop(1);
    }
    false
}

fn write(encoder: &mut Encoder, module: &[u8], path: &[u8]) {
    encoder.u32(module.len() as u32);
    encoder.u32(path.len() as u32);
    encoder.out.extend_from_slice(module);
    encoder.out.extend_from_slice(path);
}

/// Writes the name of the C function (or clonable's metatable) on the top, after `tag` if there is one; false where no
/// module exports it.
pub(super) fn write_name(
    encoder: &mut Encoder,
    local: &Local,
    raising: Raising,
    tag: Option<u8>,
) -> bool {
    for again in [false, true] {
        if again || local.modules_changed.get() {
            scan_modules(local, raising);
        }
        raising.raw_get_index(State::REGISTRY, KEYS.names);
        raising.push_copy(-2);
        raising.raw_get(-2);
        let found = raising.bytes(-1);
        if let Some(name) = found {
            let (module, path) = split(name);
            if let Some(tag) = tag {
                encoder.out.push(tag);
            }
            write(encoder, module, path);
        }
        raising.pop(2);
        if found.is_some() {
            return true;
        }
    }
    false
}

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

/// Pushes the module `name` as this state has it, or nil: registered, loaded, or global.
pub fn resolve_module(raising: Raising, name: &[u8]) {
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

/// Pushes what is at `path` within the module on the top (taken off), or nil.
fn push_path(raising: Raising, path: &[u8]) {
    if !path.is_empty() {
        for part in Parts::of(path) {
            push_part(raising, part);
        }
    }
}

fn has(state: State, module: &[u8], path: &[u8]) -> bool {
    let found = crate::lua::protect(state, 0, move |raising| {
        raising.reserve(8);
        resolve_module(raising, module);
        push_path(raising, path);
        let found = raising.kind(-1) == Kind::Table;
        raising.set_top(0);
        found
    });
    found.unwrap_or_else(|_| {
        state.pop(1);
        false
    })
}

/// Pushes the object that a name stands for in this state. Where the module is not there yet it is required first.
/// Answers false, and pushes the reason (a text, perhaps empty), where the object cannot be had.
pub(super) fn push_object(
    local: &Local,
    raising: Raising,
    module: &[u8],
    path: &[u8],
    kind: Kind,
) -> bool {
    resolve_module(raising, module);
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
    raising.raw_get_index(State::REGISTRY, KEYS.require);
    if raising.kind(-1) != Kind::Function || module == b"_G" || STANDARD.contains(&module) {
        raising.pop(1);
        raising.push_bytes(if STANDARD.contains(&module) {
            b""
        } else {
            b"the lane has no 'require'"
        });
        return false;
    }
    // pcall(require, module), by hand: a failure becomes the reason.
    raising.push_bytes(module);
    let top = raising.top() - 2;
    if raising.call_protected(1, Some(1), 0).is_err() {
        if is_cancel_error(*raising, -1) {
            raising.raise();
        }
        raising.push_display(-1);
        raising.remove(-2);
        return false;
    }
    local.modules_changed();
    if raising.kind(-1) != Kind::Table && !(path.is_empty() && raising.kind(-1) == kind) {
        raising.set_top(top);
        resolve_module(raising, module);
    }
    push_path(raising, path);
    if raising.kind(-1) == kind {
        return true;
    }
    raising.pop(1);
    raising.push_bytes(b"the module does not have it there");
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

/// Gives the function on the top (left there) a name in this state: module, zero byte, path as `Parts` reads it.
pub fn name_as(raising: Raising, name: &[u8]) {
    raising.raw_get_index(State::REGISTRY, KEYS.names);
    raising.push_copy(-2);
    raising.push_bytes(name);
    raising.raw_set(-3);
    raising.pop(1);
}
