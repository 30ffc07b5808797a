//! Names: how C functions and the tables of modules are called, so that another state finds them.
//!
//! A name is a module (a key of `package.loaded`; `_G` for the base functions) and a path within
//! it. Modules are scanned when a name is first needed: nothing is scanned when a state is made.
//! `encode/names.rs` writes names, `lookup.rs` finds what they stand for.

use super::cache::{Transfer, TransferCache};
use crate::lua::{KEYS, Kind, Raising, State, Text, compat};
use lanes_engine::memory::grow::has_room;
use std::cmp::Ordering;
use std::os::raw::c_int;

/// How many levels of tables in a module are searched for functions.
const SEARCH_DEPTH: u32 = 6;

/// The names of our own module.
pub(super) const OWN_MODULES: [&[u8]; 2] = [b"lanes_core", b"lanes.core"];

/// The module of a name that is a key of the registry: of a metatable that `luaL_newmetatable` has
/// made.
pub(super) const REGISTRY_MODULE: &[u8] = b"";

/// The parts of a path from a module to a function within it. Each part is stored as its length, a
/// colon and its bytes, so any text can be a part. In a stored name the module is the first part.
/// The iterator ends early if the path is malformed.
#[derive(Clone)]
pub(super) struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    /// The parts of `path`.
    pub(super) fn of(path: &'a [u8]) -> Parts<'a> {
        Parts(path)
    }

    /// The parts that have not been read yet, as they are stored.
    fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The bytes that error messages show: the parts with slashes between them.
    fn displayed(self) -> impl Iterator<Item = u8> {
        self.enumerate().flat_map(|(n, part)| {
            (n > 0)
                .then_some(b'/')
                .into_iter()
                .chain(part.iter().copied())
        })
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let colon = self.0.iter().position(|&byte| byte == b':')?;
        let len: usize = std::str::from_utf8(&self.0[..colon]).ok()?.parse().ok()?;
        let rest = self.0.get(colon + 1..)?;
        let part = rest.get(..len)?;
        self.0 = rest.get(len..)?;
        Some(part)
    }
}

/// Whether this Lua has a library of this name built in.
pub(super) fn is_built_in(module: &[u8]) -> bool {
    module == b"coroutine"
        || compat::LIBRARIES
            .iter()
            .any(|library| library.name.to_bytes() == module)
}

/// The name as error messages show it: `print`, `string/sub`.
pub(super) fn display(module: &[u8], path: &[u8]) -> Text {
    let mut text = Text::new();
    for byte in displayed(module, path) {
        text.add(&[byte][..]);
    }
    text
}

/// The bytes of the name as error messages show it.
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

/// Splits a stored name into module and path.
pub(super) fn split(name: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = Parts::of(name);
    let module = parts.next().unwrap_or_default();
    (module, parts.rest())
}

/// A mark of the metatable that has this name: its bytes as they are in a message. (The mark of a
/// metatable without a name is its identity.)
pub(super) fn mark(name: &[u8]) -> u64 {
    let mix = |sum: u64, &byte: &u8| {
        (sum.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    name.iter().fold(1 << 63, mix)
}

/// Replaces the string at the stack top by its form as a part of a stored name (see [`Parts`]).
pub(super) fn make_part(raising: Raising) {
    raising.push_integer(raising.string(-1).len() as i64);
    raising.push_display(-1);
    raising.replace(-2);
    raising.push_bytes(b":");
    raising.push_copy(-3);
    raising.concat(3);
    raising.replace(-2);
}

/// Whether `new` is the better of two names: one in our own module, then the shorter one, then the
/// one that sorts first.
fn is_better(new: &[u8], old: &[u8]) -> bool {
    let own = |name| OWN_MODULES.contains(&split(name).0);
    if own(new) != own(old) {
        return own(new);
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

/// Adds the value at the stack top (left there) to the table at `names`, with the name at `name`,
/// unless it has a better name there. Returns whether it was added.
fn add_name(raising: Raising, names: c_int, name: c_int) -> bool {
    raising.push_copy(-1);
    raising.raw_get(names);
    let add = match (raising.bytes(-1), raising.bytes(name)) {
        (Some(old), Some(new)) => is_better(new, old),
        _ => true,
    };
    raising.pop(1);
    if add {
        raising.push_copy(-1);
        raising.push_copy(name);
        raising.raw_set(names);
    }
    add
}

/// The stack indices of the tables that a scan fills and reads.
#[derive(Clone, Copy)]
struct Scan {
    /// C function, userdata or metatable of clones -> name.
    names: c_int,
    /// Table -> name.
    tables: c_int,
    /// Table -> the name under which it has been searched.
    visited: c_int,
    /// The set of tables that are modules, which are searched under their own names only.
    modules: c_int,
    /// Whether userdata get names: in the 4.x interface.
    userdata: bool,
}

/// Which tables within a module get a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NamedTables {
    /// All of them: those in a library of Lua.
    All,
    /// Those that are made to be metatables: those in a module.
    Classes,
    /// None: globals, whose tables belong to the program.
    None,
}

/// Searches the table at the stack top, whose name is at `name`.
fn search(raising: Raising, scan: Scan, name: c_int, depth: u32, named: NamedTables) {
    let table = raising.top();
    raising.reserve(16);
    raising.push_nil();
    while raising.next(table) {
        let interesting = match raising.kind(-1) {
            Kind::Function => raising.is_c_function(-1),
            // Globals belong to the program.
            Kind::Userdata => scan.userdata && named != NamedTables::None,
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
        if raising.kind(-1) != Kind::Table {
            add_name(raising, scan.names, child);
        } else {
            if named == NamedTables::All || named == NamedTables::Classes && is_class(raising) {
                add_name(raising, scan.tables, child);
            }
            raising.raw_get_name(-1, b"__lanesclone");
            let clonable = raising.kind(-1) == Kind::Function;
            raising.pop(1);
            if clonable {
                add_name(raising, scan.names, child);
            }
            if add_name(raising, scan.visited, child) {
                search(raising, scan, child, depth - 1, named);
            }
        }
        raising.pop(2);
    }
}

/// Whether the table at the stack top is made to be a metatable.
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

/// Calls `each` for every module that has a string as its name: those in `package.loaded`, then
/// those registered. The stack of `each` is: name, module.
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

/// Makes the tables of names again, from the modules that are loaded now.
pub(super) fn scan_modules(transfer: Transfer) {
    transfer.reserve(24);
    let base = transfer.top();
    transfer.raw_get_index(State::REGISTRY, KEYS.names);
    transfer.raw_get_index(State::REGISTRY, KEYS.table_names);
    transfer.new_table(0, 0);
    transfer.new_table(0, 0);
    let scan = Scan {
        names: base + 1,
        tables: base + 2,
        visited: base + 3,
        modules: base + 4,
        userdata: transfer.cache.conversion.get().is_some(),
    };
    for_modules(*transfer, |raising| {
        if raising.kind(-1) == Kind::Table {
            raising.push_copy(-1);
            raising.push_boolean(true);
            raising.raw_set(scan.modules);
        }
    });
    for_modules(*transfer, |raising| {
        // Stack: name, module. The path is empty.
        let named = match raising.bytes(-2) {
            Some(b"_G") | None => NamedTables::None,
            Some(module) if is_built_in(module) => NamedTables::All,
            Some(_) => NamedTables::Classes,
        };
        raising.push_copy(-2);
        make_part(raising);
        raising.insert(-2);
        let name = raising.top() - 1;
        match raising.kind(-1) {
            Kind::Table => {
                add_name(raising, scan.tables, name);
                if add_name(raising, scan.visited, name) {
                    search(raising, scan, name, SEARCH_DEPTH, named);
                }
            }
            Kind::Function if raising.is_c_function(-1) => {
                add_name(raising, scan.names, name);
            }
            Kind::Userdata if scan.userdata => {
                add_name(raising, scan.names, name);
            }
            _ => {}
        }
    });
    transfer.set_top(base);
    remember_addresses(transfer);
}

/// Scans the modules if one is loaded that the last scan has not seen: the original `require`, or
/// the program itself, may put one into `package.loaded`. Returns whether there was one.
pub(super) fn scan_if_stale(transfer: Transfer) -> bool {
    transfer.reserve(4);
    let loaded = transfer.top() + 1;
    push_loaded(*transfer);
    let is_stale = transfer.kind(loaded) == Kind::Table && has_unnamed_module(transfer, loaded);
    transfer.set_top(loaded - 1);
    if is_stale {
        scan_modules(transfer);
    }
    is_stale
}

/// Whether the table at `loaded` has a table under a string that no scan has seen. May leave values
/// on the stack.
fn has_unnamed_module(transfer: Transfer, loaded: c_int) -> bool {
    // Nothing raises while the set is borrowed.
    let state = **transfer;
    let tables = transfer.cache.module_tables.borrow();
    state.push_nil();
    while state.next(loaded) {
        if state.kind(-2) == Kind::String
            && state.kind(-1) == Kind::Table
            && !tables.contains(&(state.pointer(-1) as usize))
        {
            return true;
        }
        state.pop(1);
    }
    false
}

/// Fills the set of addresses of tables that have names.
fn remember_addresses(transfer: Transfer) {
    let cache = transfer.cache;
    cache.modules_changed.set(false);
    cache.scans.set(cache.scans.get().wrapping_add(1));
    transfer.raw_get_index(State::REGISTRY, KEYS.table_names);
    cache.module_tables.borrow_mut().clear();
    transfer.push_nil();
    while transfer.next(-2) {
        let address = transfer.pointer(-2) as usize;
        // The set is not borrowed any more when this raises.
        let room = has_room(&mut *cache.module_tables.borrow_mut(), 1);
        if !room {
            cache.modules_changed.set(true);
            transfer.out_of_memory();
        }
        cache.module_tables.borrow_mut().insert(address);
        transfer.pop(1);
    }
    transfer.pop(1);
}

/// Pushes the name of the table at the stack top. Returns false, with nothing pushed, if it has
/// none: it is no module and in no library.
#[inline]
pub(super) fn push_table_name(transfer: Transfer) -> bool {
    let cache = transfer.cache;
    if cache.modules_changed.get() {
        scan_modules(transfer);
    }
    let address = transfer.pointer(-1) as usize;
    if !cache.module_tables.borrow().contains(&address) {
        return false;
    }
    transfer.raw_get_index(State::REGISTRY, KEYS.table_names);
    transfer.push_copy(-2);
    transfer.raw_get(-2);
    transfer.remove(-2);
    if transfer.kind(-1) == Kind::String {
        return true;
    }
    transfer.pop(1);
    // The address was that of a table that is gone: `scan_if_stale` must see that this one is new.
    cache.module_tables.borrow_mut().remove(&address);
    false
}

/// Registers the module at the stack top (left there) as `name` in this state.
pub fn register(cache: &TransferCache, raising: Raising, name: &[u8]) {
    raising.raw_get_index(State::REGISTRY, KEYS.registered);
    raising.push_copy(-2);
    raising.raw_set_name(-2, name);
    raising.pop(1);
    cache.modules_changed();
}

/// Gives the function at the stack top (left there) a name in this state: module and path, in the
/// form of stored names.
pub fn name_as(raising: Raising, name: &[u8]) {
    raising.raw_get_index(State::REGISTRY, KEYS.names);
    raising.push_copy(-2);
    raising.push_bytes(name);
    raising.raw_set(-3);
    raising.pop(1);
}
