//! Full userdata: deep objects travel by reference, clonable ones as a copy that their own method
//! makes, and others not at all, unless they are demoted to light userdata.

use super::encoder::{Encoder, Seen};
use super::names::push_registry_name;
use crate::lua::compat::{MANY_USER_VALUES, USER_VALUE_IS_ENVIRONMENT};
use crate::lua::{Kind, Raising, State, Userdata};
use crate::message::cache::{Destination, Transfer};
use crate::message::deep::Proxy;
use crate::message::failure::{Failure, Stop};
use crate::message::format;
use crate::message::identity::identify;
use crate::message::names::mark;
use crate::message::value::{Block, Ref};
use std::os::raw::{c_int, c_void};
use std::sync::Arc;

/// How many user values of a userdata travel.
const USER_VALUE_LIMIT: c_int = if MANY_USER_VALUES { 255 } else { 1 };

/// How a userdata was written.
pub(super) enum Written {
    /// Completely.
    Whole,
    /// Its header, with this tag; its user values follow.
    Header(u8, Seen),
    /// Not at all: it cannot travel.
    Refused,
}

/// The key in `Encoder::seen` of the userdata at the stack top: the address of its block, made odd.
/// (An empty block has the address of whatever is behind it in memory, which may be another object;
/// the addresses of objects are even.)
pub(super) fn address(raising: Raising) -> usize {
    raising.pointer(-1) as usize | 1
}

impl Encoder {
    /// Writes the userdata at the stack top (left there), which has not been written yet.
    pub(super) fn write_userdata(&mut self, transfer: Transfer) -> Result<Written, Stop> {
        let address = address(*transfer);
        if transfer.push_metatable(-1) {
            transfer.raw_get_name(-1, b"__lanesclone");
            let clonable = transfer.kind(-1) == Kind::Function;
            transfer.pop(2);
            if clonable {
                return self.write_clone(transfer, address);
            }
        }
        if let Some(Proxy { object, .. }) = Userdata::<Proxy>::get(&transfer, -1) {
            self.room_for_reference(*transfer);
            let reference = self.add_reference(Ref::Deep(Arc::clone(object)));
            let seen = self.new_object(*transfer, format::DEEP, address);
            self.out.u32(reference);
            return Ok(Written::Header(format::DEEP, seen));
        }
        if transfer.cache.demote.get() {
            self.out.word(format::LIGHT, transfer.userdata(-1) as u64);
            return Ok(Written::Whole);
        }
        Ok(Written::Refused)
    }

    /// Writes a copy of the clonable userdata at the stack top. Its `__lanesclone` gets its block
    /// and a new block to fill.
    fn write_clone(&mut self, transfer: Transfer, address: usize) -> Result<Written, Stop> {
        let len = transfer.raw_len(-1);
        let source = transfer.userdata(-1);
        let object = transfer.top();
        let seen = self.new_object(*transfer, format::CLONE, address);
        self.out.tag(user_values(*transfer, object) as u8);
        let mark = self.write_clone_metatable(transfer)?;
        transfer.set_top(object);
        self.room_for_reference(*transfer);
        let words = match self.clones.get(&address) {
            Some(words) => Arc::clone(words),
            None => {
                self.make_block(*transfer, len, source);
                let words = Arc::new(std::mem::take(&mut self.block));
                self.clones.insert(address, Arc::clone(&words));
                words
            }
        };
        let reference = self.add_reference(Ref::Block(Block { words, len, mark }));
        self.out.u32(reference);
        transfer.set_top(object);
        Ok(Written::Header(format::CLONE, seen))
    }

    /// Writes the metatable of the clonable userdata at the stack top: by the name under which a
    /// module exports it or the registry has it, or as a copy. Returns its mark.
    fn write_clone_metatable(&mut self, transfer: Transfer) -> Result<u64, Stop> {
        let object = transfer.top();
        let begin = self.out.len();
        transfer.reserve(12);
        transfer.push_metatable(object);
        if self.write_name(transfer, format::NAMED_TABLE, Destination::Anywhere)? {
            return Ok(mark(self.out.get(begin..).unwrap_or_default()));
        }
        let identity = identify(*transfer);
        let named = push_registry_name(*transfer);
        if named {
            transfer.insert(-2);
        }
        match self.write_metatable(transfer, named) {
            Ok(number) => {
                self.out.tag(format::MODULE);
                self.out.u32(number);
                Ok(identity)
            }
            Err(Stop) => {
                transfer.set_top(object);
                let failure = self.failure.take().unwrap_or(Failure::Malformed);
                let failure = Failure::Clonable {
                    path: self.path(*transfer),
                    reason: failure.reason(),
                };
                self.fail(failure)
            }
        }
    }

    /// Has `__lanesclone` of the userdata at the stack top copy its block of `len` bytes, and puts
    /// the copy into `self.block`.
    fn make_block(&mut self, raising: Raising, len: usize, source: *mut c_void) {
        let object = raising.top();
        // The copy is made in a userdata of this state first, which is aligned as userdata are.
        raising.reserve(8);
        let copy = raising.new_userdata(len.max(1), 0);
        raising.push_metatable(object);
        raising.raw_get_name(-1, b"__lanesclone");
        raising.remove(-2);
        raising.push_light(copy);
        raising.push_light(source);
        raising.push_integer(len as i64);
        raising.call(3, Some(0));
        self.block.clear();
        // An empty block has an address too: a decoder knows by the address that it has moved.
        raising.room(&mut self.block, len.div_ceil(8).max(1));
        raising.demand(256);
        let bytes = raising.block(object + 1).get(..len).unwrap_or_default();
        self.block.extend(bytes.chunks(8).map(|bytes| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_ne_bytes(word)
        }));
        raising.set_top(object);
    }
}

/// How many user values of the userdata at `index` travel with it.
pub(super) fn user_values(raising: Raising, index: c_int) -> c_int {
    if let Some(proxy) = Userdata::<Proxy>::get(&raising, index) {
        return c_int::from(proxy.object.user_values());
    }
    let top = raising.top();
    let mut count = 0;
    while count < USER_VALUE_LIMIT && raising.push_user_value(index, count + 1) {
        if USER_VALUE_IS_ENVIRONMENT && is_inherited(raising) {
            break;
        }
        raising.set_top(top);
        count += 1;
    }
    raising.set_top(top);
    count
}

/// Whether the environment at the stack top is the one that a userdata has by default: that of the
/// function which made it. It is the table of globals, or `package` for functions of C modules.
fn is_inherited(raising: Raising) -> bool {
    let environment = raising.top();
    raising.push_globals();
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, b"package");
    }
    let inherited = raising.raw_equal(environment, environment + 1)
        || raising.raw_equal(environment, raising.top());
    raising.set_top(environment);
    inherited
}
