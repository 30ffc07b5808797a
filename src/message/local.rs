//! What one state keeps for its transfers: buffers to reuse, kinds of shared objects, known modules and metatables.

use super::decoder::Decoder;
use super::deep::{KindId, Proxy};
use super::encoder::Encoder;
use super::metatables::Entry;
use crate::lua::{Raising, State, Userdata};
use hashbrown::{HashMap, HashSet};
use std::cell::{Cell, RefCell};

/// Where the registry of a state keeps our tables: integer keys that no `luaL_ref` gives out.
pub struct Keys {
    /// light userdata (object) -> proxy, values weak
    pub proxies: i64,
    /// C function or clonable's metatable -> module and path (see `names`), keys weak
    pub names: i64,
    /// module table -> module and path (see `names`), keys weak
    pub known: i64,
    /// name -> module, as given to `lanes.register`
    pub registered: i64,
    /// metatable -> identity (number), keys weak
    pub metatable_ids: i64,
    /// identity (number) -> metatable, values weak
    pub metatables: i64,
    /// this state's `require`, already serialised
    pub require: i64,
    /// the table of loaded modules
    pub loaded: i64,
    /// the table of the library `package`
    pub package: i64,
    /// this state's context (a userdata)
    pub context: i64,
    /// this state's `on_state_create`
    pub on_state_create: i64,
    /// functions registered with `set_finalizer`
    pub finalizers: i64,
    /// the trace of the error that is being handled
    pub trace: i64,
    /// the original `pcall`
    pub pcall: i64,
    /// the original `xpcall`
    pub xpcall: i64,
    /// the message handler of a lane's body
    pub handler: i64,
    /// name -> function: the globals of every lane
    pub lane_globals: i64,
    /// the table of `require "lanes_core"`
    pub core: i64,
    /// coroutine -> what its hook of `debug.sethook` listens to
    pub hooks: i64,
    /// the handle that stands for the service of timers: nil in a copy of the module that has it
    pub timer_lane: i64,
}

/// The keys.
pub const KEYS: Keys = Keys {
    proxies: -0x4c61_0001,
    names: -0x4c61_0002,
    known: -0x4c61_0003,
    registered: -0x4c61_0004,
    metatable_ids: -0x4c61_0005,
    metatables: -0x4c61_0006,
    require: -0x4c61_0007,
    loaded: -0x4c61_000f,
    context: -0x4c61_0008,
    on_state_create: -0x4c61_0009,
    finalizers: -0x4c61_000a,
    trace: -0x4c61_000b,
    handler: -0x4c61_000c,
    lane_globals: -0x4c61_000d,
    core: -0x4c61_000e,
    hooks: -0x4c61_0010,
    package: -0x4c61_0011,
    pcall: -0x4c61_0012,
    xpcall: -0x4c61_0013,
    timer_lane: -0x4c61_0020,
};

/// What one state keeps for its transfers.
#[derive(Default)]
pub struct Local {
    #[expect(
        clippy::vec_box,
        reason = "taken out and put back without moving the whole"
    )]
    encoders: RefCell<Vec<Box<Encoder>>>,
    #[expect(
        clippy::vec_box,
        reason = "taken out and put back without moving the whole"
    )]
    decoders: RefCell<Vec<Box<Decoder>>>,
    kinds: RefCell<Vec<(KindId, Userdata<Proxy>)>>,
    /// Kinds whose objects this state can receive without further checks.
    complete: RefCell<HashSet<KindId>>,
    /// Addresses of tables that may be modules: a quick "no". A "yes" is checked in the table `known`.
    pub(super) known: RefCell<HashSet<usize>>,
    /// The table `known` must be made (again) before it is asked.
    pub(super) modules_changed: Cell<bool>,
    pub(super) metatables: RefCell<HashMap<u64, Entry>>,
    scratch: Cell<Vec<u8>>,
    /// The value that the last encoding was at.
    last_value: Cell<usize>,
    /// How this state is called in messages.
    pub name: RefCell<Vec<u8>>,
    /// `demote_full_userdata`: other full userdata become light userdata.
    pub demote: Cell<bool>,
}

/// A buffer that is given back for the next transfer when it is dropped.
pub struct Scratch<'a> {
    local: &'a Local,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl Drop for Scratch<'_> {
    #[inline]
    fn drop(&mut self) {
        self.local.scratch.set(std::mem::take(&mut self.bytes));
    }
}

impl Local {
    /// For a state called `name`.
    pub fn new(name: &str) -> Local {
        let local = Local::default();
        *local.name.borrow_mut() = name.into();
        local.modules_changed.set(true);
        local
    }

    /// Makes the tables of [`KEYS`] in the registry.
    pub fn install(raising: Raising) {
        let weak = |key: i64, mode: &[u8]| {
            raising.new_table(0, 0);
            raising.new_table(0, 1);
            raising.push_bytes(mode);
            raising.raw_set_name(-2, b"__mode");
            raising.set_metatable(-2);
            raising.raw_set_index(State::REGISTRY, key);
        };
        weak(KEYS.proxies, b"v");
        weak(KEYS.names, b"k");
        weak(KEYS.known, b"k");
        weak(KEYS.metatable_ids, b"k");
        weak(KEYS.metatables, b"v");
        raising.new_table(0, 0);
        raising.raw_set_index(State::REGISTRY, KEYS.registered);
    }

    /// To be called when a module may have been loaded or registered.
    pub fn modules_changed(&self) {
        self.modules_changed.set(true);
    }

    /// The userdata that are proxies of a kind of object.
    #[inline]
    pub fn kind(&self, id: KindId) -> Option<Userdata<Proxy>> {
        self.kinds
            .borrow()
            .iter()
            .find(|kind| kind.0 == id)
            .map(|kind| kind.1)
    }

    /// Makes a kind known.
    pub fn add_kind(&self, id: KindId, userdata: Userdata<Proxy>) {
        self.kinds.borrow_mut().push((id, userdata));
    }

    /// Whether objects of a kind can be received without further checks.
    pub fn is_complete(&self, id: KindId) -> bool {
        self.complete.borrow().contains(&id)
    }

    /// Says whether objects of a kind can be received without further checks.
    pub fn set_complete(&self, id: KindId, complete: bool) {
        let mut kinds = self.complete.borrow_mut();
        if complete {
            kinds.insert(id);
        } else {
            kinds.remove(&id);
        }
    }

    /// The proxy at `index`, of whichever kind.
    pub fn proxy<'a>(&self, state: &'a State, index: std::os::raw::c_int) -> Option<&'a Proxy> {
        Userdata::get(state, index)
    }

    /// A buffer that is this state's own until it is dropped.
    #[inline]
    pub fn scratch(&self) -> Scratch<'_> {
        Scratch {
            local: self,
            bytes: self.scratch.take(),
        }
    }

    pub(super) fn take_encoder(&self) -> Box<Encoder> {
        self.encoders.borrow_mut().pop().unwrap_or_default()
    }

    /// Which value (from 0) of its transfer the last encoding was at when it ended.
    pub fn last_value(&self) -> usize {
        self.last_value.get()
    }

    pub(super) fn give_encoder(&self, mut encoder: Box<Encoder>) {
        self.last_value.set(encoder.value);
        encoder.reset();
        self.encoders.borrow_mut().push(encoder);
    }

    pub(super) fn take_decoder(&self) -> Box<Decoder> {
        self.decoders.borrow_mut().pop().unwrap_or_default()
    }

    pub(super) fn give_decoder(&self, mut decoder: Box<Decoder>) {
        decoder.reset();
        self.decoders.borrow_mut().push(decoder);
    }
}
