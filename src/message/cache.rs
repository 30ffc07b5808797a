//! What one state keeps for its transfers: kinds of shared objects, tables of modules, metatables
//! that it has sent.

use super::deep::DeepKinds;
use super::value::Metatable;
use crate::lua::{KEYS, Raising, State};
use hashbrown::{HashMap, HashSet};
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::sync::Arc;

/// What one state keeps for its transfers.
#[derive(Default)]
pub struct TransferCache {
    /// The kinds of shared objects.
    pub kinds: DeepKinds,
    /// Addresses of tables that may be those of modules: a quick "no". A "yes" is checked in the
    /// registry (`KEYS.table_names`).
    pub(super) module_tables: RefCell<HashSet<usize>>,
    /// The names of modules must be scanned again before they are used.
    pub(super) modules_changed: Cell<bool>,
    /// How often modules have been scanned.
    pub(super) scans: Cell<u32>,
    /// The metatables that this state has sent, by identity.
    pub(super) metatables: RefCell<HashMap<u64, SentMetatable>>,
    /// How error messages call this state.
    pub name: RefCell<Vec<u8>>,
    /// `demote_full_userdata`: full userdata that cannot travel become light userdata.
    pub demote: Cell<bool>,
    /// `strip_functions`: functions travel without what debuggers read.
    pub strip: Cell<bool>,
    /// How objects are converted: in the 4.x interface only.
    pub conversion: Cell<Option<Conversion>>,
}

/// How tables and userdata are converted.
#[derive(Clone, Copy, Debug)]
pub struct Conversion {
    /// How often one may be converted in a row.
    pub attempts: u8,
    /// What those without metatable become.
    pub fallback: Fallback,
}

/// What tables and userdata without metatable become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fallback {
    /// They stay as they are.
    None,
    /// nil
    Null,
    /// A light userdata of their address.
    Decay,
}

/// What a state keeps of a metatable that it has sent.
pub(super) struct SentMetatable {
    /// The metatable as it travels.
    pub(super) metatable: Arc<Metatable>,
    /// Changes when the contents of the metatable change.
    pub(super) fingerprint: u64,
    /// Addresses of the objects in the contents.
    pub(super) objects: HashSet<usize>,
}

impl TransferCache {
    /// The cache of a state that error messages call `name`.
    pub fn new(name: &str) -> TransferCache {
        let cache = TransferCache::default();
        *cache.name.borrow_mut() = name.into();
        cache.modules_changed.set(true);
        cache
    }

    /// Makes the tables in the registry that transfers need.
    pub fn install(raising: Raising) {
        let weak = |key: i64, mode: &[u8]| {
            raising.new_weak_table(mode);
            raising.raw_set_index(State::REGISTRY, key);
        };
        weak(KEYS.proxies, b"v");
        weak(KEYS.names, b"k");
        weak(KEYS.table_names, b"k");
        weak(KEYS.metatable_ids, b"k");
        weak(KEYS.metatables, b"v");
        raising.new_table(0, 0);
        raising.raw_set_index(State::REGISTRY, KEYS.registered);
    }

    /// Whether tables without metatable are converted.
    pub fn has_fallback(&self) -> bool {
        self.conversion
            .get()
            .is_some_and(|conversion| conversion.fallback != Fallback::None)
    }

    /// To be called when a module may have been loaded or registered.
    pub fn modules_changed(&self) {
        self.modules_changed.set(true);
    }
}

/// A state that a transfer runs in, inside `protect`, and what it keeps for its transfers.
#[derive(Clone, Copy)]
pub struct Transfer<'a> {
    raising: Raising,
    /// What the state keeps.
    pub cache: &'a TransferCache,
}

impl<'a> Transfer<'a> {
    /// A transfer in a state whose cache is `cache`.
    #[inline]
    pub fn new(raising: Raising, cache: &'a TransferCache) -> Transfer<'a> {
        Transfer { raising, cache }
    }
}

impl Deref for Transfer<'_> {
    type Target = Raising;
    #[inline]
    fn deref(&self) -> &Raising {
        &self.raising
    }
}

/// What an encoder knows of the receiver.
#[derive(Clone, Copy)]
pub enum Destination<'a> {
    /// A queue: any state may receive the message.
    Anywhere,
    /// A state that is at hand and not running, and what it keeps for its transfers.
    State(State, &'a TransferCache),
}
