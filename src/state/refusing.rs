//! Test hook: allocators that refuse requests according to a plan, as memory that runs out does.

#![allow(
    unsafe_code,
    reason = "an allocator is a C function over raw blocks, called with a pointer to its data"
)]

use super::allocator::Host;
use crate::lua::State;
use crate::lua::compat::{self as c, lua_State};
use lanes_engine::memory::faults::{LANES, Plan};
use std::os::raw::c_void;
use std::sync::{Mutex, PoisonError};

/// An allocator in front of another, which refuses some requests.
pub struct Refusing {
    host: Host,
    /// The plan; none: that of all lanes.
    plan: Option<Plan>,
}

// SAFETY: moved between threads only as what a state allocates from, by one thread at a time.
unsafe impl Send for Refusing {}

/// Those that a state still uses, because another allocator has been put in front of them, or
/// because strings of Lua 5.5 remember the allocator that made them.
#[expect(clippy::vec_box, reason = "they must not move")]
static KEPT_ALLOCATORS: Mutex<Vec<Box<Refusing>>> = Mutex::new(Vec::new());

impl Refusing {
    /// Puts itself in front of the allocator of a state.
    fn install(l: *mut lua_State, plan: Option<Plan>) -> Box<Refusing> {
        let refusing = Box::new(Refusing {
            host: Host::of(l),
            plan,
        });
        let data = std::ptr::from_ref(&*refusing).cast_mut().cast();
        // SAFETY: the state is alive; the box lives until `restore`, or for ever.
        unsafe { c::lua_setallocf(l, allocate, data) };
        refusing
    }

    /// Puts itself in front of the allocator of a lane's state that does not come from ours.
    pub fn watch(l: *mut lua_State) -> Box<Refusing> {
        Refusing::install(l, None)
    }

    /// Gives the state its allocator back. Returns false if the state has yet another one by now,
    /// which uses this one.
    pub fn restore(&self, l: *mut lua_State) -> bool {
        let here = Host::of(l).is_over(std::ptr::from_ref(self).cast());
        if here {
            self.host.install(l);
        }
        here
    }
}

/// Calls `body` while allocations of this state are refused according to a plan. Returns its result
/// and the number of refusals.
pub fn during<R>(state: State, plan: Plan, body: impl FnOnce() -> R) -> (R, u64) {
    let refusing = Refusing::install(state.raw(), Some(plan));
    let result = body();
    let count = refusing.plan.as_ref().map_or(0, Plan::end);
    if !refusing.restore(state.raw()) || cfg!(feature = "lua55") {
        KEPT_ALLOCATORS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(refusing);
    }
    (result, count)
}

unsafe extern "C" fn allocate(
    data: *mut c_void,
    block: *mut c_void,
    old: usize,
    new: usize,
) -> *mut c_void {
    // SAFETY: `data` is the box that `install` made, alive as long as a state allocates from it;
    // the rest is passed on.
    unsafe {
        let refusing = &*data.cast::<Refusing>();
        let old_size = if block.is_null() { 0 } else { old };
        let plan = refusing.plan.as_ref().unwrap_or(&LANES);
        if new > old_size && plan.refuses() {
            return std::ptr::null_mut();
        }
        refusing.host.allocate(block, old, new)
    }
}
