//! Lua states for lanes: their memory, their libraries, and their end.

#![allow(
    unsafe_code,
    reason = "states are made and closed through the C API, and go from one thread to another"
)]

pub mod allocator;
mod arena;
pub mod libraries;
#[cfg(feature = "hooks")]
pub mod refusing;

use crate::lua::compat::{self as c, lua_State};
use crate::lua::{Raising, State, install};
use allocator::Memory;
use lanes_engine::memory::grow::OutOfMemory;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::raw::c_int;

/// Owns a Lua state; closes it when dropped.
pub struct Owned {
    state: State,
    /// What the state's memory comes from: freed after the state.
    memory: Option<Box<Memory>>,
    /// Test hook, in front of an allocator that is not ours.
    #[cfg(feature = "hooks")]
    watch: Option<Box<refusing::Refusing>>,
}

// SAFETY: a Lua state may be used by one thread after another; the holder of this is the only user.
unsafe impl Send for Owned {}

/// Called by Lua if nothing catches an error. Every call of ours is protected, so this is a defect.
unsafe extern "C-unwind" fn panic(l: *mut lua_State) -> c_int {
    // SAFETY: called by Lua.
    let state = unsafe { State::new(l) };
    let text = state.bytes(-1).unwrap_or(b"(no message)");
    let begin = b"lanes: unprotected error in a lane's state: ";
    // There is no place to report that standard error is closed.
    let _ = io::stderr().write_all(&[begin, text, b"\n"].concat());
    0
}

impl Owned {
    /// A state without any library, over `memory`.
    ///
    /// Errors: out of memory.
    pub fn new(memory: Option<Box<Memory>>) -> Result<Owned, OutOfMemory> {
        #[cfg(feature = "hooks")]
        if memory.is_some() && lanes_engine::memory::faults::ALLOCATORS.refuses() {
            return Err(OutOfMemory);
        }
        let l = match &memory {
            Some(memory) => memory.new_state(),
            // SAFETY: luaL_newstate has no requirements.
            None => unsafe { c::luaL_newstate() },
        };
        if l.is_null() {
            return Err(OutOfMemory);
        }
        let owned = Owned {
            // SAFETY: new, and known only here.
            state: unsafe { State::new(l) },
            #[cfg(feature = "hooks")]
            watch: memory.is_none().then(|| refusing::Refusing::watch(l)),
            memory,
        };
        // SAFETY: the state is alive.
        unsafe { c::lua_atpanic(l, panic) };
        owned.state.install_warnings();
        owned.prepare()?;
        Ok(owned)
    }

    /// Makes `protect` usable. This is the only call that cannot use it yet.
    fn prepare(&self) -> Result<(), OutOfMemory> {
        unsafe extern "C-unwind" fn body(l: *mut lua_State) -> c_int {
            // SAFETY: called by Lua from `first_call`; owns nothing.
            install(unsafe { Raising::unprotected(l) });
            0
        }
        // SAFETY: a fresh state with an empty stack.
        if unsafe { c::first_call(self.state.raw(), body) } {
            Ok(())
        } else {
            Err(OutOfMemory)
        }
    }

    /// Ends the preparation of the state. With `remember`, [`Owned::renew`] can return to what the
    /// state is now.
    pub fn prepared(&mut self, remember: bool) {
        if let Some(memory) = &self.memory {
            memory.set_ready();
        }
        if let Some(arena) = self.memory.as_mut().and_then(|memory| memory.arena()) {
            arena.prepared(remember);
        }
    }

    /// Closes the state, which runs its finalizers, and makes it again as it was when its
    /// preparation ended. Returns `None` if that is not possible; the state is closed then, too.
    pub fn renew(self) -> Option<Owned> {
        let mut owned = ManuallyDrop::new(self);
        let state = owned.state;
        // SAFETY: nothing else uses the state, and this is its only owner, whose destructor does
        // not run.
        unsafe { c::lua_close(state.raw()) };
        let mut memory = owned.memory.take()?;
        // The state's structures are at the same addresses again, and its allocator's data is the
        // same box.
        memory.arena()?.return_to_prepared().then(|| Owned {
            state,
            memory: Some(memory),
            #[cfg(feature = "hooks")]
            watch: None,
        })
    }

    /// Whether [`Owned::renew`] can make it again.
    pub fn is_renewable(&mut self) -> bool {
        self.memory
            .as_mut()
            .and_then(|memory| memory.arena())
            .is_some_and(|arena| arena.can_return())
    }

    /// The state, for the thread that uses it now.
    pub fn state(&self) -> State {
        self.state
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        #[cfg(feature = "hooks")]
        if let Some(watch) = &self.watch {
            watch.restore(self.state.raw());
        }
        // SAFETY: nothing else uses the state, and this is its only owner.
        unsafe { c::lua_close(self.state.raw()) }
    }
}
