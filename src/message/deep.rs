//! Deep objects: shared by states, which see them through proxies. A state has at most one live
//! proxy of an object.

use crate::lua::compat::USER_VALUE_IS_ENVIRONMENT;
use crate::lua::{KEYS, Raise, Raising, State, Userdata, protect};
use hashbrown::HashSet;
use std::any::Any;
use std::cell::RefCell;
use std::os::raw::{c_int, c_void};
use std::sync::Arc;

/// Identifies a kind of deep object, and so its metatable in a state.
pub type KindId = usize;

/// An object that states share by reference.
pub trait Deep: Any + Send + Sync {
    /// The kind of the object.
    fn kind(&self) -> KindId;

    /// Makes sure that `kinds`, those of this state, has a metatable for the kind of the object.
    /// Returns false if it cannot be had, with the reason, a text, pushed. Runs inside `protect`,
    /// so it owns nothing.
    fn prepare(&self, kinds: &DeepKinds, raising: Raising) -> bool;

    /// Makes sure that this state can receive the object: as `prepare`, and requires the module
    /// that the object belongs to. If the object is refused, the reason, a text, is pushed.
    fn arrive(&self, kinds: &DeepKinds, raising: Raising) -> Arrival {
        if self.prepare(kinds, raising) {
            Arrival::Ready
        } else {
            Arrival::Refused
        }
    }

    /// Called when a proxy of the object has been made.
    fn proxy_made(&self) {}

    /// How many user values a proxy has.
    fn user_values(&self) -> u8 {
        0
    }

    /// Whether a proxy keeps the user values that it has when the object arrives again.
    fn keeps_user_values(&self) -> bool {
        false
    }
}

/// Whether a state can receive an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It can.
    Ready,
    /// It can, after a module has been required.
    ModuleLoaded,
    /// It cannot; the reason is at the stack top.
    Refused,
}

/// What the userdata that is a proxy holds.
pub struct Proxy {
    /// The object that the proxy stands for.
    pub object: Arc<dyn Deep>,
}

/// The kinds of deep objects that one state has metatables for.
#[derive(Default)]
pub struct DeepKinds {
    userdata: RefCell<Vec<(KindId, Userdata<Proxy>)>>,
    /// The kinds whose module has been required here.
    complete: RefCell<HashSet<KindId>>,
}

impl DeepKinds {
    /// The userdata that are proxies of a kind of object; `None` if the kind is not known here.
    #[inline]
    pub fn get(&self, id: KindId) -> Option<Userdata<Proxy>> {
        self.userdata
            .borrow()
            .iter()
            .find(|kind| kind.0 == id)
            .map(|kind| kind.1)
    }

    /// Adds a kind.
    pub fn add(&self, id: KindId, userdata: Userdata<Proxy>) {
        self.userdata.borrow_mut().push((id, userdata));
    }

    /// Whether objects of a kind can be received without requiring their module.
    pub fn is_complete(&self, id: KindId) -> bool {
        self.complete.borrow().contains(&id)
    }

    /// Sets whether objects of a kind can be received without requiring their module.
    pub fn set_complete(&self, id: KindId, complete: bool) {
        let mut kinds = self.complete.borrow_mut();
        if complete {
            kinds.insert(id);
        } else {
            kinds.remove(&id);
        }
    }
}

/// The address that identifies an object in every state.
fn address(object: &Arc<dyn Deep>) -> *mut c_void {
    Arc::as_ptr(object).cast::<c_void>().cast_mut()
}

/// Pushes this state's proxy of an object, after making it if it is missing. Returns false if the
/// state cannot have one, with the reason, a text, pushed. To be called inside `protect`.
pub fn push_proxy_raising(kinds: &DeepKinds, raising: Raising, object: &Arc<dyn Deep>) -> bool {
    raising.raw_get_index(State::REGISTRY, KEYS.proxies);
    raising.push_light(address(object));
    raising.raw_get(-2);
    // A proxy whose finalizer has run, while its state is being closed, holds nothing any more.
    if Userdata::<Proxy>::get(&raising, -1).is_some() {
        raising.remove(-2);
        return true;
    }
    raising.pop(1);
    if !object.prepare(kinds, raising) {
        raising.remove(-2);
        return false;
    }
    let Some(kind) = kinds.get(object.kind()) else {
        raising.push_bytes(b"internal error in lanes: a shared object has no metatable here");
        raising.raise()
    };
    raising.demand(256);
    kind.push_empty(raising, c_int::from(object.user_values()));
    if USER_VALUE_IS_ENVIRONMENT {
        // Otherwise it would have the environment of the function that is running.
        raising.push_globals();
        raising.set_user_value(-2, 1);
    }
    raising.push_light(address(object));
    raising.push_copy(-2);
    raising.raw_set(-4);
    // Nothing raises between here and the end, so the reference is not lost.
    fill(*raising, Arc::clone(object));
    raising.remove(-2);
    true
}

fn fill(state: State, object: Arc<dyn Deep>) {
    object.proxy_made();
    Userdata::put(state, -1, Box::new(Proxy { object }));
}

/// Pushes this state's proxy of an object, after making it if it is missing.
///
/// Errors: this state cannot have a proxy of the object; out of memory.
pub fn push_proxy(kinds: &DeepKinds, state: State, object: &Arc<dyn Deep>) -> Result<(), Raise> {
    let pushed = protect(state, 0, |raising| {
        push_proxy_raising(kinds, raising, object)
    })?;
    if pushed {
        return Ok(());
    }
    let reason = state.text(-1).unwrap_or_default();
    state.pop(1);
    Err(Raise::message(reason))
}
