//! The warning function of a lane's state (5.4 and later). `luaL_newstate` sets one;
//! `lua_newstate`, which makes the states of lanes, does not.

use super::state::State;

#[cfg(not(any(feature = "lua54", feature = "lua55")))]
impl State {
    /// Does nothing: this Lua has no warnings.
    pub fn install_warnings(self) {}
}

#[cfg(any(feature = "lua54", feature = "lua55"))]
impl State {
    /// Gives the state the warning function of the standard interpreter: `"@on"` and `"@off"` turn
    /// it on and off, and a message goes to standard error as one line that begins with "Lua
    /// warning: ". On 5.4 it is off at first, on 5.5 it is on. Never raises.
    pub fn install_warnings(self) {
        let first = if cfg!(feature = "lua54") {
            is_off
        } else {
            is_on
        };
        on_warning::set(self, first);
    }
}

#[cfg(any(feature = "lua54", feature = "lua55"))]
use on_warning::{is_off, is_on};

#[cfg(any(feature = "lua54", feature = "lua55"))]
mod on_warning {
    use crate::lua::compat as c;
    use crate::lua::state::State;
    use std::cell::RefCell;
    use std::ffi::CStr;
    use std::io::Write;
    use std::os::raw::{c_char, c_int, c_void};

    /// The beginning of a line whose message comes in pieces. One that is longer is written in
    /// several parts.
    struct Line {
        bytes: [u8; 1024],
        len: usize,
    }

    thread_local! {
        // No Lua code runs between the pieces of a message, so one line per thread is enough. It
        // needs no destructor.
        static PENDING_LINE: RefCell<Line> = const { RefCell::new(Line { bytes: [0; 1024], len: 0 }) };
    }

    impl Line {
        fn add(&mut self, piece: &[u8]) {
            if piece.len() > self.bytes.len() - self.len {
                self.write();
            }
            match self.bytes.get_mut(self.len..self.len + piece.len()) {
                Some(room) => {
                    room.copy_from_slice(piece);
                    self.len += piece.len();
                }
                None => write(piece),
            }
        }

        fn write(&mut self) {
            write(&self.bytes[..self.len]);
            self.len = 0;
        }
    }

    /// There is no place to report that standard error is closed.
    fn write(bytes: &[u8]) {
        let _ = std::io::stderr().write_all(bytes);
    }

    /// Makes a function the state's warning function.
    pub fn set(state: State, function: c::lua_WarnFunction) {
        // SAFETY: the state is alive; the functions below take it as their data.
        unsafe { c::lua_setwarnf(state.raw(), Some(function), state.raw().cast()) };
    }

    /// The state that gives a warning, and a piece of its message.
    ///
    /// # Safety
    /// As Lua calls a warning function that was set by `set`. The piece is valid until that
    /// returns.
    unsafe fn piece<'a>(data: *mut c_void, message: *const c_char) -> (State, &'a [u8]) {
        // SAFETY: the data is the state, which is alive; Lua gives a string that ends with a zero
        // byte.
        unsafe { (State::new(data.cast()), CStr::from_ptr(message).to_bytes()) }
    }

    /// Whether a message is a control message, and what the state does from now on, if that
    /// changes.
    fn control(state: State, message: &[u8], more: c_int) -> bool {
        if more != 0 || message.first() != Some(&b'@') {
            return false;
        }
        match message {
            b"@on" => set(state, is_on),
            b"@off" => set(state, is_off),
            _ => {}
        }
        true
    }

    pub unsafe extern "C-unwind" fn is_off(data: *mut c_void, message: *const c_char, more: c_int) {
        // SAFETY: called by Lua.
        let (state, message) = unsafe { piece(data, message) };
        control(state, message, more);
    }

    /// Ready for the first piece of a message.
    pub unsafe extern "C-unwind" fn is_on(data: *mut c_void, message: *const c_char, more: c_int) {
        // SAFETY: called by Lua.
        let (state, text) = unsafe { piece(data, message) };
        if !control(state, text, more) {
            let _ = PENDING_LINE.try_with(|line| line.borrow_mut().add(b"Lua warning: "));
            // SAFETY: called by Lua.
            unsafe { is_under_way(data, message, more) };
        }
    }

    /// Ready for another piece of the same message.
    unsafe extern "C-unwind" fn is_under_way(
        data: *mut c_void,
        message: *const c_char,
        more: c_int,
    ) {
        // SAFETY: called by Lua.
        let (state, text) = unsafe { piece(data, message) };
        let _ = PENDING_LINE.try_with(|line| {
            let mut line = line.borrow_mut();
            line.add(text);
            if more == 0 {
                line.add(b"\n");
                line.write();
            }
        });
        set(state, if more != 0 { is_under_way } else { is_on });
    }
}
