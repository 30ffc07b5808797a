//! Where the memory of a lane's state comes from.
//!
//! By default from an arena for this state alone, because the host's allocator need not be
//! thread-safe. With `allocator = "protected"` all states share the host's allocator behind a lock.
//! A limit makes an allocation beyond it fail, which Lua reports as its own "not enough memory".

#![allow(unsafe_code, reason = "Lua calls allocator functions with raw memory")]

use super::arena::Arena;
use crate::lua::compat::{self as c, lua_Alloc, lua_State};
use lanes_engine::memory::grow;
use lanes_engine::sync::Mutex;
use std::cell::{Cell, UnsafeCell};
use std::os::raw::c_void;
use std::sync::Arc;

/// An allocator function and its data, as Lua takes them.
#[derive(Clone, Copy)]
pub struct Host {
    function: lua_Alloc,
    data: *mut c_void,
}

impl Host {
    /// The allocator of a state.
    pub fn of(l: *mut lua_State) -> Host {
        let mut data = std::ptr::null_mut();
        // SAFETY: the state is alive.
        let function = unsafe { c::lua_getallocf(l, &mut data) };
        Host { function, data }
    }

    /// Gives it to a state.
    pub fn install(self, l: *mut lua_State) {
        // SAFETY: the state is alive, and its blocks come from this allocator, or through one that
        // calls it.
        unsafe { c::lua_setallocf(l, self.function, self.data) }
    }

    /// Whether both are one allocator.
    fn is(self, other: Host) -> bool {
        std::ptr::eq(self.data, other.data) && std::ptr::fn_addr_eq(self.function, other.function)
    }

    /// Whether this is its data.
    #[cfg(feature = "hooks")]
    pub fn is_over(self, data: *const c_void) -> bool {
        std::ptr::eq(self.data, data)
    }

    /// # Safety
    /// As for an allocator function of Lua.
    pub unsafe fn allocate(self, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
        // SAFETY: passed on from the caller.
        unsafe { (self.function)(self.data, block, old, new) }
    }
}

/// The host's allocator behind a lock, shared by the master states that have it, and their lanes.
pub struct Shared {
    host: Host,
    lock: Mutex<()>,
}

// SAFETY: the host's allocator is called by one thread at a time, under the lock.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// Those of all hosts' allocators that there have been. They stay for ever: in Lua 5.5 a long
/// string is freed by the allocator that its state had when it was made, so it may need this one
/// after the universe has ended.
static KEPT: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

impl Shared {
    /// Takes the allocator of a master state and puts the locked one in its place.
    pub fn install(l: *mut lua_State) -> Arc<Shared> {
        let shared = Shared::over(Host::of(l));
        let locked = Host {
            function: locked,
            data: Arc::as_ptr(&shared).cast_mut().cast(),
        };
        locked.install(l);
        shared
    }

    /// The one for an allocator, which is kept.
    fn over(host: Host) -> Arc<Shared> {
        let mut kept = KEPT.lock();
        if let Some(shared) = kept.iter().find(|shared| shared.host.is(host)) {
            return Arc::clone(shared);
        }
        let shared = Arc::new(Shared {
            host,
            lock: Mutex::new(()),
        });
        let another = Arc::clone(&shared);
        if grow::has_room(&mut *kept, 1) {
            kept.push(another);
        } else {
            std::mem::forget(another);
        }
        shared
    }

    /// Gives the master state its own allocator back.
    pub fn restore(&self, l: *mut lua_State) {
        self.host.install(l);
    }
}

unsafe extern "C" fn locked(
    data: *mut c_void,
    block: *mut c_void,
    old: usize,
    new: usize,
) -> *mut c_void {
    // SAFETY: `data` is a `Shared`, which stays for ever.
    unsafe {
        let shared = &*data.cast::<Shared>();
        let _guard = shared.lock.lock();
        shared.host.allocate(block, old, new)
    }
}

/// The memory of one state.
pub struct Memory {
    source: Source,
    /// Bytes in use, counted only if there is a limit.
    used: Cell<usize>,
    limit: usize,
    /// The libraries are open. Before that the limit does not apply: memory that runs out while a
    /// state is made can crash LuaJIT (2.1, in `lua_newstate`) and closes the standard streams on
    /// 5.1 (in `luaopen_io`).
    ready: Cell<bool>,
}

enum Source {
    Arena(Box<UnsafeCell<Arena>>),
    Shared(Arc<Shared>),
    Host(Host),
}

impl Memory {
    /// An arena, of which at most `limit` bytes are used. Returns `None` if memory runs out.
    pub fn own(limit: usize) -> Option<Box<Memory>> {
        Some(Box::new(Memory {
            source: Source::Arena(Box::new(UnsafeCell::new(Arena::new()?))),
            used: Cell::new(0),
            limit,
            ready: Cell::new(false),
        }))
    }

    /// The arena, if the memory is one.
    pub(super) fn arena(&mut self) -> Option<&mut Arena> {
        match &mut self.source {
            Source::Arena(arena) => Some(arena.get_mut()),
            _ => None,
        }
    }

    /// Memory from the host's allocator, behind its lock.
    pub fn shared(shared: Arc<Shared>, limit: usize) -> Box<Memory> {
        Box::new(Memory {
            source: Source::Shared(shared),
            used: Cell::new(0),
            limit,
            ready: Cell::new(false),
        })
    }

    /// Memory from an allocator function that the program gave.
    ///
    /// # Safety
    /// `function` is an allocator as `lua_newstate` takes it, usable from any thread with this
    /// data.
    pub unsafe fn custom(function: lua_Alloc, data: *mut c_void, limit: usize) -> Box<Memory> {
        Box::new(Memory {
            source: Source::Host(Host { function, data }),
            used: Cell::new(0),
            limit,
            ready: Cell::new(false),
        })
    }

    /// From now on the limit applies.
    pub(super) fn set_ready(&self) {
        self.ready.set(true);
    }

    /// A new state over this memory, or null. This must stay where it is until the state is closed.
    pub(super) fn new_state(&self) -> *mut lua_State {
        // SAFETY: `self` is boxed and kept beside the state by `Owned`.
        unsafe { c::new_state(allocate, std::ptr::from_ref(self).cast_mut().cast()) }
    }
}

/// Called by the last finalizer of a state that is being closed: from now on an arena does not put
/// freed blocks in its lists, because it is freed or renewed as a whole.
pub fn ending(l: *mut lua_State) {
    let host = Host::of(l);
    if std::ptr::fn_addr_eq(host.function, allocate as lua_Alloc) {
        // SAFETY: the data of this function is a `Memory`; the state's thread is the only one that
        // uses it.
        unsafe {
            if let Source::Arena(arena) = &(*host.data.cast::<Memory>()).source {
                (*arena.get()).end();
            }
        }
    }
}

/// Test hook: whether an allocation of a lane's state is refused now. While a state is being made
/// (it is not ready), only if the interpreter survives that.
#[cfg(feature = "hooks")]
fn refused(old: usize, new: usize, ready: bool) -> bool {
    new > old && (ready || c::SURVIVES_BIRTH) && lanes_engine::memory::faults::LANES.refuses()
}

unsafe extern "C" fn allocate(
    data: *mut c_void,
    block: *mut c_void,
    old: usize,
    new: usize,
) -> *mut c_void {
    // SAFETY: `data` is the boxed `Memory` beside the state; `block` came from here with `old`
    // bytes, or is null, and then `old` is a type and not a size.
    unsafe {
        let memory = &*data.cast::<Memory>();
        let old_size = if block.is_null() { 0 } else { old };
        #[cfg(feature = "hooks")]
        if refused(old_size, new, memory.ready.get()) {
            return std::ptr::null_mut();
        }
        if memory.limit != usize::MAX {
            let used = memory.used.get() - old_size + new;
            if new > old_size && used > memory.limit && memory.ready.get() {
                return std::ptr::null_mut();
            }
            let result = memory.source.allocate(block, old, new);
            if new == 0 || !result.is_null() {
                memory.used.set(used);
            }
            return result;
        }
        memory.source.allocate(block, old, new)
    }
}

impl Source {
    /// # Safety
    /// As for an allocator function of Lua.
    unsafe fn allocate(&self, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
        // SAFETY: passed on from the caller.
        unsafe {
            match self {
                Source::Arena(arena) => (*arena.get()).allocate(block, old, new),
                Source::Shared(shared) => {
                    locked(Arc::as_ptr(shared).cast_mut().cast(), block, old, new)
                }
                Source::Host(host) => host.allocate(block, old, new),
            }
        }
    }
}
