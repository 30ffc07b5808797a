//! Full userdata: deep objects travel by reference, clonable ones by their own method, others not at all, unless
//! they are to be demoted to light userdata.

use super::deep::Proxy;
use super::encode::Destination;
use super::encoder::{Encoder, Stop};
use super::failure::Failure;
use super::local::Local;
use super::{Ref, format, metatables, naming};
use crate::lua::compat::{MANY_USER_VALUES, USER_VALUE_IS_ENVIRONMENT};
use crate::lua::{Kind, Raising, State};
use lanes_engine::memory::grow::is_there;
use std::os::raw::{c_int, c_void};
use std::sync::Arc;

/// How many user values are looked for.
const MOST_USER_VALUES: c_int = if MANY_USER_VALUES { 255 } else { 1 };

/// How a userdata was written.
pub(super) enum Written {
    /// Completely.
    Whole,
    /// Its header: user values follow.
    Header { tag: u8, flags: usize, number: u32 },
    /// It does not travel.
    Refused,
    /// A failure is in the encoder.
    Stop,
}

/// What the userdata on the top is known by among the objects of a message: the address of its block, made odd. (An empty block
/// has the address of whatever comes behind it in memory, which may be another object; those have even ones.)
pub(super) fn address(raising: Raising) -> usize {
    raising.pointer(-1) as usize | 1
}

/// Writes the userdata on the top (left there).
pub(super) fn write(encoder: &mut Encoder, raising: Raising, local: &Local) -> Written {
    let address = address(raising);
    if raising.push_metatable(-1) {
        raising.raw_get_name(-1, b"__lanesclone");
        let clonable = raising.kind(-1) == Kind::Function;
        raising.pop(2);
        if clonable {
            return clone(encoder, raising, local, address);
        }
    }
    if let Some(Proxy { object, .. }) = local.proxy(&raising, -1) {
        encoder.room_for_reference(raising);
        let reference = encoder.counted(Ref::Deep(Arc::clone(object)));
        let (flags, number) = encoder.object(raising, format::DEEP, address);
        encoder.u32(reference);
        return Written::Header {
            tag: format::DEEP,
            flags,
            number,
        };
    }
    if local.demote.get() {
        encoder.out.push(format::LIGHT);
        encoder
            .out
            .extend_from_slice(&(raising.userdata(-1) as u64).to_le_bytes());
        return Written::Whole;
    }
    Written::Refused
}

/// Writes a copy of a clonable userdata: its block is given to `__lanesclone` here, with a fresh block to fill.
fn clone(encoder: &mut Encoder, raising: Raising, local: &Local, address: usize) -> Written {
    let size = raising.raw_len(-1);
    let source = raising.userdata(-1);
    let object = raising.top();
    let (flags, number) = encoder.object(raising, format::CLONE, address);
    encoder.out.push(user_values(raising, local, object) as u8);
    let Ok(mark) = name_metatable(encoder, raising, local) else {
        return Written::Stop;
    };
    raising.set_top(object);
    encoder.room_for_reference(raising);
    let block = match encoder.clones.get(&address) {
        Some(block) => Arc::clone(block),
        None => {
            let Some(block) = cloned_block(raising, size, source) else {
                let _ = encoder.fail(Failure::Memory);
                return Written::Stop;
            };
            encoder.clones.insert(address, Arc::clone(&block));
            block
        }
    };
    let reference = encoder.counted(Ref::Block(block, size, mark));
    encoder.u32(reference);
    raising.set_top(object);
    Written::Header {
        tag: format::CLONE,
        flags,
        number,
    }
}

/// Writes the metatable of the clonable userdata on the top: by the name under which a module exports it or the registry has
/// it, or as a copy. Returns its mark.
fn name_metatable(encoder: &mut Encoder, raising: Raising, local: &Local) -> Result<u64, Stop> {
    let object = raising.top();
    let begin = encoder.out.len();
    raising.reserve(12);
    raising.push_metatable(object);
    if naming::write_name(
        encoder,
        local,
        raising,
        format::NAMED_TABLE,
        Destination::Anywhere,
    )? {
        return Ok(mark(encoder.out.get(begin..).unwrap_or_default()));
    }
    let identity = metatables::identify(raising);
    let named = naming::registered(raising);
    if named {
        raising.insert(-2);
    }
    match metatables::write(encoder, raising, local, named) {
        Ok(number) => {
            encoder.tag(format::MODULE);
            encoder.u32(number);
            Ok(identity)
        }
        Err(Stop) => {
            raising.set_top(object);
            let failure = encoder.failure.take().unwrap_or(Failure::Broken);
            let failure = match failure {
                Failure::Memory | Failure::Cancelled => failure,
                failure => Failure::Clonable {
                    path: encoder.path(raising),
                    reason: failure.reason(),
                },
            };
            encoder.failure = Some(failure);
            Err(Stop)
        }
    }
}

/// The mark of a metatable that is written by its name, these bytes. (That of a description is its identity.)
pub(super) fn mark(name: &[u8]) -> u64 {
    let mix = |sum: u64, &byte: &u8| {
        (sum.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    name.iter().fold(1 << 63, mix)
}

/// The block of a copy of the userdata on the top, made by its `__lanesclone`; `None` where there is no memory for it. Owns nothing while
/// that runs.
fn cloned_block(raising: Raising, size: usize, source: *mut c_void) -> Option<Arc<Vec<u64>>> {
    let object = raising.top();
    // The copy is made in memory that this state owns for the moment, aligned as userdata are.
    raising.reserve(8);
    let block = raising.new_userdata(size.max(1), 0);
    raising.push_metatable(object);
    raising.raw_get_name(-1, b"__lanesclone");
    raising.remove(-2);
    raising.push_light(block);
    raising.push_light(source);
    raising.push_integer(size as i64);
    raising.call(3, Some(0));
    let mut words = Vec::new();
    // An empty block has an address of its own too: by that a reader knows that it has moved.
    let room = size.div_ceil(8).max(1);
    let copied = is_there(size + 256) && words.try_reserve_exact(room).is_ok();
    if copied {
        let bytes = raising.block(object + 1).get(..size).unwrap_or_default();
        words.extend(bytes.chunks(8).map(|bytes| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_ne_bytes(word)
        }));
    }
    raising.set_top(object);
    copied.then(|| Arc::new(words))
}

/// How many user values of the userdata at `index` travel with it.
pub(super) fn user_values(raising: Raising, local: &Local, index: c_int) -> c_int {
    if let Some(proxy) = local.proxy(&raising, index) {
        return c_int::from(proxy.object.user_values());
    }
    let top = raising.top();
    let mut count = 0;
    while count < MOST_USER_VALUES && raising.push_user_value(index, count + 1) {
        if USER_VALUE_IS_ENVIRONMENT && is_inherited(raising) {
            break;
        }
        raising.set_top(top);
        count += 1;
    }
    raising.set_top(top);
    count
}

/// Whether the environment on the top is one that a userdata has when it was given none: that of the function which made
/// it, which is the globals, or for functions of C modules the table `package`.
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
