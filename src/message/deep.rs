//! Deep objects: shared by states, which see them through proxies; one live proxy per state and object.

use super::local::{KEYS, Local};
use crate::lua::compat::USER_VALUE_IS_ENVIRONMENT;
use crate::lua::{Raise, Raising, State, Userdata, protect};
use std::any::Any;
use std::os::raw::c_void;
use std::sync::Arc;

/// Identifies a kind of deep object, and so its metatable in a state.
pub type KindId = usize;

/// An object that states share by reference.
pub trait Deep: Any + Send + Sync {
    /// Which kind it is.
    fn kind(&self) -> KindId;

    /// Makes sure that this state has a metatable for the kind. Where it cannot have one, pushes the reason, a text, and
    /// answers false. Runs where errors may be raised, so it owns nothing.
    fn prepare(&self, local: &Local, raising: Raising) -> bool;

    /// Makes sure that this state can receive the object: as `prepare`, and what else it takes.
    fn arrive(&self, local: &Local, raising: Raising) -> bool {
        self.prepare(local, raising)
    }

    /// There is one proxy more.
    fn proxy_made(&self) {}

    /// How many user values a proxy has.
    fn user_values(&self) -> u8 {
        0
    }
}

/// What a proxy holds.
pub struct Proxy {
    /// The object that it stands for.
    pub object: Arc<dyn Deep>,
}

/// The address that identifies an object in every state.
pub fn address(object: &Arc<dyn Deep>) -> *mut c_void {
    Arc::as_ptr(object).cast::<c_void>().cast_mut()
}

/// Pushes this state's proxy of an object, a new one where there is none. Where it cannot have one, pushes the reason and
/// answers false. Inside `protect`.
pub fn push_proxy_raising(local: &Local, raising: Raising, object: &Arc<dyn Deep>) -> bool {
    raising.raw_get_index(State::REGISTRY, KEYS.proxies);
    raising.push_light(address(object));
    raising.raw_get(-2);
    // One whose finalizer has run, while its state is being closed, stands for nothing.
    if Userdata::<Proxy>::get(&raising, -1).is_some() {
        raising.remove(-2);
        return true;
    }
    raising.pop(1);
    if !object.prepare(local, raising) {
        raising.remove(-2);
        return false;
    }
    let Some(kind) = local.kind(object.kind()) else {
        raising.push_bytes(b"internal error in lanes: a shared object has no metatable here");
        raising.raise()
    };
    raising.demand(256);
    kind.push_empty(raising, i32::from(object.user_values()));
    if USER_VALUE_IS_ENVIRONMENT {
        // It would have the environment of whichever function runs.
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

/// Pushes this state's proxy of an object, a new one where there is none.
pub fn push_proxy(local: &Local, state: State, object: &Arc<dyn Deep>) -> Result<(), Raise> {
    let pushed = protect(state, 0, |raising| {
        push_proxy_raising(local, raising, object)
    })?;
    if pushed {
        return Ok(());
    }
    let reason = state.text(-1).unwrap_or_default();
    state.pop(1);
    Err(Raise::message(reason))
}
