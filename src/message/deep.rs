//! Deep objects: shared by states, which see them through proxies; one live proxy per state and object.

use super::local::{KEYS, Local};
use crate::lua::{Raising, State, Userdata, protect};
use std::any::Any;
use std::os::raw::c_void;
use std::sync::Arc;

/// Identifies a kind of deep object, and so its metatable in a state.
pub type KindId = usize;

/// An object that states share by reference.
pub trait Deep: Any + Send + Sync {
    /// Which kind it is.
    fn kind(&self) -> KindId;

    /// Makes sure that this state has a metatable for the kind. Runs where errors may be raised, so it owns nothing.
    fn prepare(&self, local: &Local, raising: Raising);

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

/// Pushes this state's proxy of an object, a new one where there is none. Inside `protect`.
pub fn push_proxy_raising(local: &Local, raising: Raising, object: &Arc<dyn Deep>) {
    raising.raw_get_index(State::REGISTRY, KEYS.proxies);
    raising.push_light(address(object));
    raising.raw_get(-2);
    if !raising.is_none_or_nil(-1) {
        raising.remove(-2);
        return;
    }
    raising.pop(1);
    object.prepare(local, raising);
    let Some(kind) = local.kind(object.kind()) else {
        raising.push_bytes(b"internal error in lanes: a shared object has no metatable here");
        raising.raise()
    };
    kind.push_empty(raising, i32::from(object.user_values()));
    raising.push_light(address(object));
    raising.push_copy(-2);
    raising.raw_set(-4);
    // Nothing raises between here and the end, so the reference is not lost.
    fill(*raising, Arc::clone(object));
    raising.remove(-2);
}

fn fill(state: State, object: Arc<dyn Deep>) {
    Userdata::put(state, -1, Box::new(Proxy { object }));
}

/// Pushes this state's proxy of an object, a new one where there is none.
pub fn push_proxy(
    local: &Local,
    state: State,
    object: &Arc<dyn Deep>,
) -> Result<(), crate::lua::Raise> {
    protect(state, 0, |raising| {
        push_proxy_raising(local, raising, object)
    })
}
