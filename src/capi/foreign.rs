//! Objects of C modules that states share: how modules describe them, their proxies, and their end
//! (docs/manual/embedding.md#objects-of-c-modules).

#![allow(
    unsafe_code,
    reason = "calls the modules' identity functions and writes the head of their objects, on the terms that include/lanes.h states"
)]

use crate::lua::compat::{MANY_USER_VALUES, lua_State};
use crate::lua::sentinels::is_cancel_error;
use crate::lua::{
    KEYS, Kind, Raise, Raising, State, Userdata, lua_function, protect_with, upvalue,
};
use crate::message::{Arrival, Deep, DeepKinds, KindId, Proxy};
use crate::state::Owned;
use lanes_engine::pin::pin;
use lanes_engine::sync::Mutex;
use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::os::raw::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Weak};

/// The error about a module that was built for another version of this interface.
pub const WRONG_VERSION: &str = "Bad idfunc(eDO_new): DEEP_VERSION is incorrect, rebuild your implementation with the latest deep implementation";

/// The values of `eDO_new`, `eDO_delete`, `eDO_metatable` and `eDO_module`.
pub const NEW: c_int = 0;
pub const DELETE: c_int = 1;
const METATABLE: c_int = 2;
const MODULE: c_int = 3;

/// The function that knows everything about the objects of a kind, `luaG_IdFunction`.
pub type Identify = unsafe extern "C-unwind" fn(*mut lua_State, c_int) -> *mut c_void;

/// What every object of a C module begins with, `DeepPrelude`.
#[repr(C)]
pub struct Prelude {
    pub magic: usize,
    pub identify: Option<Identify>,
    /// How many proxies there are, in all states.
    pub proxies: AtomicI32,
}

/// `DEEP_VERSION`, as far as a pointer can hold it.
const MAGIC: usize = 0xB4B0_119C_1064_2B29_u64 as usize;

/// Whether a module was built for this version. Modules for LuaJIT may use 47 bits, as its light
/// userdata do.
pub fn is_magic(magic: usize) -> bool {
    const LOW: usize = ((1_u64 << 47) - 1) as usize;
    magic == MAGIC || magic == MAGIC & LOW
}

/// An object of a C module; freed by the module when dropped.
pub struct Foreign {
    pub object: *mut Prelude,
    pub identify: Identify,
    pub user_values: u8,
}

// SAFETY: a module that makes its objects deep promises that several threads can use them.
unsafe impl Send for Foreign {}
// SAFETY: as above.
unsafe impl Sync for Foreign {}

impl Foreign {
    /// Calls the identity function. What it raises passes through the caller's frames, which own
    /// nothing.
    fn ask(&self, raising: Raising, op: c_int) -> *mut c_void {
        // SAFETY: the function is called as include/lanes.h says.
        unsafe { (self.identify)(raising.raw(), op) }
    }

    /// Adds to the number of proxies.
    fn count(&self, proxies: i32) {
        // SAFETY: the object lives until it is freed by `free`, after which there is no `Foreign`
        // of it.
        unsafe { (*self.object).proxies.fetch_add(proxies, Ordering::AcqRel) };
    }

    /// Has the module free the object in `state`. Leaves nothing on the stack but an error value.
    pub fn delete(self, state: State) -> Result<(), Raise> {
        let foreign = ManuallyDrop::new(self);
        let mut begun = false;
        let outcome = foreign.free(state, &mut begun);
        if !begun {
            // Memory ran out before the module was asked.
            drop(ManuallyDrop::into_inner(foreign));
        }
        outcome
    }

    /// Calls the identity function with `eDO_delete`. Sets `begun` when it is called.
    pub fn free(&self, state: State, begun: &mut bool) -> Result<(), Raise> {
        forget_object(self.object);
        let (identify, object) = (self.identify, self.object);
        protect_with(state, 0, begun, move |raising, begun| {
            raising.push_light(object.cast());
            *begun = true;
            // SAFETY: the object is the only thing on the stack, and no longer used.
            unsafe { identify(raising.raw(), DELETE) };
            if raising.top() > 1 {
                raising.push_bytes(b"Bad idfunc(eDO_delete): should not push anything");
                raising.raise();
            }
            raising.set_top(0);
        })
    }
}

impl Drop for Foreign {
    /// The last reference was in a message that was never received: a state is made in which the
    /// module frees the object.
    fn drop(&mut self) {
        if let Ok(scratch) = Owned::new(None) {
            // There is no place to report an error.
            let _ = self.free(scratch.state(), &mut false);
        }
    }
}

impl Deep for Foreign {
    fn kind(&self) -> KindId {
        self.identify as usize
    }

    fn prepare(&self, kinds: &DeepKinds, raising: Raising) -> bool {
        if kinds.get(self.kind()).is_some() {
            return true;
        }
        raising.reserve(20);
        let before = raising.top();
        self.ask(raising, METATABLE);
        if raising.top() != before + 1 || raising.kind(-1) != Kind::Table {
            raising.set_top(before);
            raising.push_bytes(b"Bad idfunc(eOP_metatable): unexpected pushed value");
            return false;
        }
        raising.push_copy(-1);
        raising.raw_get_name(-1, b"__gc");
        raising.push_function(collect, 2);
        raising.raw_set_name(-2, b"__gc");
        kinds.add(self.kind(), Userdata::adopt(raising));
        pin(self.identify as *const c_void);
        raising.set_top(before);
        true
    }

    fn arrive(&self, kinds: &DeepKinds, raising: Raising) -> Arrival {
        if !self.prepare(kinds, raising) {
            return Arrival::Refused;
        }
        if kinds.is_complete(self.kind()) {
            return Arrival::Ready;
        }
        raising.reserve(20);
        let before = raising.top();
        let module = self.ask(raising, MODULE).cast::<c_char>();
        if raising.top() != before {
            raising.set_top(before);
            raising.push_bytes(b"Bad idfunc(eOP_module): should not push anything");
            return Arrival::Refused;
        }
        let mut arrival = Arrival::Ready;
        if !module.is_null() {
            // SAFETY: a module's name is a constant string.
            let module = unsafe { CStr::from_ptr(module) }.to_bytes();
            arrival = require(kinds, raising, self.kind(), module);
            if arrival == Arrival::Refused {
                return arrival;
            }
            raising.set_top(before);
        }
        kinds.set_complete(self.kind(), true);
        arrival
    }

    fn user_values(&self) -> u8 {
        if MANY_USER_VALUES {
            self.user_values
        } else {
            1
        }
    }

    fn proxy_made(&self) {
        self.count(1);
    }
}

/// Requires a module unless it is loaded. Pushes the reason if that fails.
fn require(kinds: &DeepKinds, raising: Raising, kind: KindId, module: &[u8]) -> Arrival {
    raising.raw_get_name(State::REGISTRY, b"_LOADED");
    if raising.kind(-1) == Kind::Table {
        raising.raw_get_name(-1, module);
        if raising.truth(-1) {
            return Arrival::Ready;
        }
    }
    raising.raw_get_index(State::REGISTRY, KEYS.require);
    if raising.kind(-1) != Kind::Function {
        raising.push_globals();
        raising.raw_get_name(-1, b"require");
    }
    if raising.kind(-1) != Kind::Function {
        raising.push_bytes(b"lanes receiving deep userdata should register the 'package' library");
        return Arrival::Refused;
    }
    raising.push_bytes(module);
    // While the module is being loaded it may receive other objects of this kind.
    kinds.set_complete(kind, true);
    if raising.call_protected(1, Some(0), 0).is_ok() {
        return Arrival::ModuleLoaded;
    }
    kinds.set_complete(kind, false);
    if is_cancel_error(*raising, -1) {
        raising.raise();
    }
    raising.push_bytes(b"error while requiring '");
    raising.push_bytes(module);
    raising.push_bytes(b"' identified by idfunc(eOP_module): ");
    raising.push_display(-4);
    raising.concat(4);
    Arrival::Refused
}

/// The object of a C module that a proxy stands for.
pub fn foreign_of(proxy: &Proxy) -> Option<&Foreign> {
    (&*proxy.object as &dyn Any).downcast_ref::<Foreign>()
}

/// Takes the object out of the proxy at 1. Returns it if nothing else refers to it.
fn take(state: State) -> Option<Foreign> {
    let proxy = Userdata::<Proxy>::take(state, 1)?;
    let object: Arc<dyn Any + Send + Sync> = proxy.object;
    Arc::into_inner(object.downcast::<Foreign>().ok()?)
}

lua_function! {
    /// `__gc` of proxies. Its first upvalue is their metatable, the second the module's own
    /// finalizer, or nil.
    always fn collect = collect_body
}

fn collect_body(state: State) -> Result<c_int, Raise> {
    // A program can call this with any value if the module does not protect the metatable.
    if !state.push_metatable(1) {
        return Ok(0);
    }
    let proxy = state.raw_equal(-1, upvalue(1));
    state.set_top(1);
    if !proxy {
        return Ok(0);
    }
    if let Some(foreign) = Userdata::<Proxy>::get(&state, 1).and_then(foreign_of) {
        foreign.count(-1);
    }
    let Some(foreign) = take(state) else {
        return Ok(0);
    };
    if state.is_none_or_nil(upvalue(2)) {
        foreign.delete(state)?;
        return Ok(0);
    }
    // The module's finalizer finds the object in its last proxy.
    let object = Arc::new(foreign);
    Userdata::put(state, 1, Box::new(Proxy { object }));
    state.push_copy(upvalue(2));
    state.push_copy(1);
    let outcome = state
        .call_protected(1, Some(0), 0)
        .map_err(|_| Raise::Value);
    // The finalizer may have sent the object elsewhere, where it lives on.
    let deleted = take(state).map_or(Ok(()), |foreign| foreign.delete(state));
    outcome.and(deleted)?;
    Ok(0)
}

/// The objects of modules that are alive, by address.
static OBJECTS: Mutex<BTreeMap<usize, Weak<Foreign>>> = Mutex::new(BTreeMap::new());

/// Enters an object in the table, under its address.
pub fn enter_object(object: *const Prelude, foreign: &Arc<Foreign>) {
    OBJECTS
        .lock()
        .insert(object as usize, Arc::downgrade(foreign));
}

/// Forgets an object, which is about to be freed.
pub fn forget_object(object: *const Prelude) {
    OBJECTS.lock().remove(&(object as usize));
}

/// The object of this address, if it is known and alive.
pub fn find_object(object: *const Prelude) -> Option<Arc<Foreign>> {
    OBJECTS.lock().get(&(object as usize))?.upgrade()
}
