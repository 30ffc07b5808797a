//! The cost of the system's threads: starting one, and passing a value between two.

use crate::{Function, microseconds_each};
use mlua_sys::{lua_State, lua_pushnumber, luaL_checkinteger};
use std::ffi::{CStr, c_int};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

pub const FUNCTIONS: [(&CStr, Function); 3] = [
    (c"thread", thread_create),
    (c"condvar", condvar_round_trip),
    (c"spin", spin_round_trip),
];

/// Pushes the microseconds per turn of `work`. Argument 1 is the number of turns.
pub fn measured(l: *mut lua_State, work: impl FnOnce(u64)) -> c_int {
    // SAFETY: raising is harmless here: `work` is a closure without captures that own anything.
    let turns = unsafe { luaL_checkinteger(l, 1) } as u64;
    let each = microseconds_each(turns, work);
    // SAFETY: one value fits.
    unsafe { lua_pushnumber(l, each) };
    1
}

/// thread(n) -> microseconds to create and join a thread.
unsafe extern "C-unwind" fn thread_create(l: *mut lua_State) -> c_int {
    measured(l, |turns| {
        for _ in 0..turns {
            let _ = thread::spawn(|| ()).join();
        }
    })
}

/// condvar(n) -> microseconds of a round trip between two threads that wait on a condition
/// variable.
unsafe extern "C-unwind" fn condvar_round_trip(l: *mut lua_State) -> c_int {
    struct Baton {
        turn: Mutex<u64>,
        changed: Condvar,
    }
    /// Waits for the turns of one parity and passes each on.
    fn play(baton: &Baton, parity: u64, turns: u64) {
        for turn in 0..turns {
            let mut now = baton.turn.lock().unwrap();
            while *now != 2 * turn + parity {
                now = baton.changed.wait(now).unwrap();
            }
            *now += 1;
            drop(now);
            baton.changed.notify_one();
        }
    }
    measured(l, |turns| {
        let baton = Baton {
            turn: Mutex::new(0),
            changed: Condvar::new(),
        };
        thread::scope(|scope| {
            scope.spawn(|| play(&baton, 1, turns));
            play(&baton, 0, turns);
        });
    })
}

/// spin(n) -> microseconds of a round trip between two threads that spin on an atomic number.
unsafe extern "C-unwind" fn spin_round_trip(l: *mut lua_State) -> c_int {
    fn play(baton: &AtomicU64, parity: u64, turns: u64) {
        for turn in 0..turns {
            let mut spins = 0u32;
            while baton.load(Ordering::Acquire) != 2 * turn + parity {
                std::hint::spin_loop();
                spins += 1;
                // Both threads may share a CPU for a while after the second one has started.
                if spins.is_multiple_of(4096) {
                    thread::yield_now();
                }
            }
            baton.fetch_add(1, Ordering::AcqRel);
        }
    }
    measured(l, |turns| {
        let baton = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| play(&baton, 1, turns));
            play(&baton, 0, turns);
        });
    })
}
