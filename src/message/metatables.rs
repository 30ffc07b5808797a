//! Metatables keep their identity: every metatable that travels gets a number that is its own in the whole process,
//! and a state that has seen the number uses the metatable that it already has.
//!
//! A state remembers metatables weakly. What a metatable contains goes along with the number, as a message of its
//! own that is made again only when the metatable has changed.

use super::Full;
use super::encoder::{Encoder, Stop};
use super::failure::{Failure, Label};
use super::local::{KEYS, Local};
use super::naming;
use crate::lua::{Kind, Raising, State, Text};
use hashbrown::HashSet;
use lanes_engine::memory::grow::{has_room, is_there};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A metatable as it travels.
pub(super) struct Metatable {
    /// Its number, unique in the process.
    pub(super) identity: u64,
    /// What it contains: one table. Where it is `named` its name comes first, and its contents follow only where a copy
    /// can be made.
    pub(super) contents: Full,
    /// States have it by name, if they can.
    pub(super) named: bool,
    /// Why there is no copy.
    pub(super) reason: Option<Text>,
}

/// What a state keeps of a metatable that it has sent.
pub(super) struct Entry {
    travelling: Arc<Metatable>,
    fingerprint: u64,
    /// Addresses of the objects that its description contains.
    objects: HashSet<usize>,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that no metatable has.
pub(super) fn new_identity() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Whether a number has been given to a metatable of any state.
pub(super) fn is_identity(number: u64) -> bool {
    number < NEXT.load(Ordering::Relaxed)
}

/// A number that changes when a field of the metatable on the top, or of its `__index` table, is replaced.
fn fingerprint(raising: Raising) -> u64 {
    let mut sum = 0u64;
    let mut mix =
        |value: u64| sum = (sum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = |index| match raising.kind(index) {
        Kind::Number => raising.number(index).to_bits(),
        Kind::Boolean => u64::from(raising.truth(index)) + 1,
        Kind::String => raising
            .bytes(index)
            .map_or(0, |bytes| bytes.as_ptr() as u64),
        Kind::Light => raising.userdata(index) as u64,
        _ => raising.pointer(index) as u64,
    };
    let mut fields = |table: i32| {
        raising.push_nil();
        while raising.next(table) {
            mix(value(-2));
            mix(value(-1));
            raising.pop(1);
        }
    };
    let top = raising.top();
    fields(top);
    raising.raw_get_name(top, b"__index");
    if raising.kind(-1) == Kind::Table && !raising.raw_equal(-1, top) {
        fields(top + 1);
    }
    raising.pop(1);
    sum
}

/// The number of the metatable on the top, a new one if it has none.
pub(super) fn identify(raising: Raising) -> u64 {
    raising.raw_get_index(State::REGISTRY, KEYS.metatable_ids);
    raising.push_copy(-2);
    raising.raw_get(-2);
    if raising.kind(-1) == Kind::Number {
        let identity = raising.number(-1) as u64;
        raising.pop(2);
        return identity;
    }
    raising.pop(1);
    let identity = new_identity();
    raising.push_copy(-2);
    raising.push_number(identity as f64);
    raising.raw_set(-3);
    raising.pop(1);
    remember(raising, identity);
    identity
}

/// Makes the metatable on the top the one that this state uses for a number.
fn remember(raising: Raising, identity: u64) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    raising.push_copy(-2);
    raising.raw_set_index(-2, identity as i64);
    raising.pop(1);
}

/// Writes the metatable or module's table on the top (left there) and returns the number of its reference. Where it is `named`
/// its name is below.
pub(super) fn write(
    encoder: &mut Encoder,
    raising: Raising,
    local: &Local,
    named: bool,
) -> Result<u32, Stop> {
    let identity = identify(raising);
    if let Some(number) = encoder.class(identity) {
        return Ok(number);
    }
    encoder.room_for_reference(raising);
    let fingerprint = fingerprint(raising);
    let known = local
        .metatables
        .borrow()
        .get(&identity)
        .filter(|entry| entry.fingerprint == fingerprint && entry.travelling.named == named)
        .map(|entry| Arc::clone(&entry.travelling));
    if let Some(travelling) = known {
        return Ok(encoder.counted_class(identity, travelling));
    }
    raising.reserve(super::format::ROOM);
    raising.demand(4096);
    // The other encoder is owned by this one, and so by a frame outside, before anything can raise.
    let inner = encoder.inner.get_or_insert_default();
    inner.reset();
    inner.label = Some(Label::Metatable);
    inner.inline = true;
    let written = if named {
        naming::describe(inner, raising, local)
    } else {
        inner.metatable(raising, local).map(|()| None)
    };
    let Ok(reason) = written else {
        let failure = inner.failure.take().unwrap_or(Failure::Broken);
        encoder.failure = Some(failure);
        return Err(Stop);
    };
    let mut objects = HashSet::new();
    let room = has_room(&mut objects, inner.seen.len())
        && has_room(&mut *local.metatables.borrow_mut(), 1)
        && is_there(inner.out.len() + 1024);
    if !room {
        encoder.failure = Some(Failure::Memory);
        return Err(Stop);
    }
    objects.extend(inner.seen.keys().copied());
    let travelling = Arc::new(Metatable {
        identity,
        contents: inner.take_full(1),
        named,
        reason,
    });
    inner.reset();
    purge(local, raising);
    local.metatables.borrow_mut().insert(
        identity,
        Entry {
            travelling: Arc::clone(&travelling),
            fingerprint,
            objects,
        },
    );
    Ok(encoder.counted_class(identity, travelling))
}

/// Whether an object that was written as a value is also part of a metatable that was written as a reference. (An
/// address that was used again since the description was made answers yes for no reason, which does no harm.)
pub(super) fn shares_objects(encoder: &Encoder, local: &Local) -> bool {
    let known = local.metatables.borrow();
    encoder.class_identities().any(|identity| {
        known.get(&identity).is_some_and(|entry| {
            if entry.travelling.named {
                return false; // it is a module's, and the same in all messages
            }
            // The smaller one is looked up in the larger one: there may be many metatables with a few objects each.
            if entry.objects.len() < encoder.seen.len() {
                let mut objects = entry.objects.iter();
                objects.any(|address| encoder.seen.get(address).is_some())
            } else {
                let mut seen = encoder.seen.keys();
                seen.any(|address| entry.objects.contains(address))
            }
        })
    })
}

/// Forgets the descriptions of metatables that are gone, when they have become many.
fn purge(local: &Local, raising: Raising) {
    let many = local.metatables.borrow().len();
    if many < 64 || !many.is_power_of_two() {
        return;
    }
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    let table = raising.top();
    local.metatables.borrow_mut().retain(|identity, _| {
        raising.raw_get_index(table, *identity as i64);
        let alive = !raising.is_none_or_nil(-1);
        raising.pop(1);
        alive
    });
    raising.pop(1);
}

/// Pushes this state's metatable with a number, or nil.
pub(super) fn push_known(raising: Raising, identity: u64) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    raising.raw_get_index(-1, identity as i64);
    raising.remove(-2);
}

/// Pushes the table that this state has by name for a number, or nil.
pub(super) fn push_named(raising: Raising, identity: u64) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    raising.raw_get_index(-1, -(identity as i64));
    raising.remove(-2);
}

/// Makes the table on the top (left there) the one that `push_named` finds.
pub(super) fn remember_named(raising: Raising, identity: u64) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    raising.push_copy(-2);
    raising.raw_set_index(-2, -(identity as i64));
    raising.pop(1);
}

/// Takes back what `adopt` has said of these numbers: the tables were left half-built.
pub(super) fn disown(raising: Raising, identities: &[u64]) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatable_ids);
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    for identity in identities {
        raising.raw_get_index(-1, *identity as i64);
        if !raising.is_none_or_nil(-1) {
            raising.push_nil();
            raising.raw_set(-4);
            raising.push_nil();
            raising.raw_set_index(-2, *identity as i64);
        } else {
            raising.pop(1);
        }
    }
    raising.pop(2);
}

/// Makes the table on the top (left there) this state's metatable with a number.
pub(super) fn adopt(raising: Raising, identity: u64) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatable_ids);
    raising.push_copy(-2);
    raising.push_number(identity as f64);
    raising.raw_set(-3);
    raising.pop(1);
    remember(raising, identity);
}
