//! Identities of metatables: every metatable that travels has a number of its own in the whole
//! process, and a state that has seen the number uses the metatable that it already has.
//!
//! The tables in the registry refer to metatables weakly.

use crate::lua::{KEYS, Kind, Raising, State};
use std::sync::atomic::{AtomicU64, Ordering};

/// The number that the next metatable gets.
static NEXT_IDENTITY: AtomicU64 = AtomicU64::new(1);

/// A number that no metatable has.
pub(super) fn new_identity() -> u64 {
    NEXT_IDENTITY.fetch_add(1, Ordering::Relaxed)
}

/// Whether a number has been given to a metatable of any state.
pub(super) fn is_identity(number: u64) -> bool {
    number < NEXT_IDENTITY.load(Ordering::Relaxed)
}

/// The number of the metatable at the stack top (left there), a new one if it has none.
pub(super) fn identify(raising: Raising) -> u64 {
    raising.raw_get_index(State::REGISTRY, KEYS.metatable_ids);
    raising.push_copy(-2);
    raising.raw_get(-2);
    if raising.kind(-1) == Kind::Number {
        let identity = raising.number(-1) as u64;
        raising.pop(2);
        return identity;
    }
    raising.pop(2);
    let identity = new_identity();
    adopt(raising, identity);
    identity
}

/// Makes the table at the stack top (left there) this state's metatable with a number.
pub(super) fn adopt(raising: Raising, identity: u64) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatable_ids);
    raising.push_copy(-2);
    raising.push_number(identity as f64);
    raising.raw_set(-3);
    raising.pop(1);
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    raising.push_copy(-2);
    raising.raw_set_index(-2, identity as i64);
    raising.pop(1);
}

/// Undoes `adopt` for these numbers: the tables are incomplete.
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

/// Pushes this state's metatable with a number, or nil.
pub(super) fn push_known(raising: Raising, identity: u64) {
    push_metatable(raising, identity as i64);
}

/// Pushes the table that this state has found by name for a number, or nil.
pub(super) fn push_named(raising: Raising, identity: u64) {
    push_metatable(raising, -(identity as i64));
}

fn push_metatable(raising: Raising, key: i64) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    raising.raw_get_index(-1, key);
    raising.remove(-2);
}

/// Makes the table at the stack top (left there) the one that `push_named` finds.
pub(super) fn remember_named(raising: Raising, identity: u64) {
    raising.raw_get_index(State::REGISTRY, KEYS.metatables);
    raising.push_copy(-2);
    raising.raw_set_index(-2, -(identity as i64));
    raising.pop(1);
}
