//! The running functions, as Lua's debug interface shows them.

use super::compat as c;
use super::state::State;
use std::ffi::CStr;
use std::os::raw::{c_char, c_int};

/// One running function. What is read from it is valid while it runs.
pub struct FrameInfo(c::lua_Debug);

impl FrameInfo {
    /// Where its source came from, with `@` or `=`; or the source itself.
    pub fn source(&self) -> &[u8] {
        // SAFETY: lua_getinfo filled the fields, and the text lives as long as the function.
        unsafe { c::source(&self.0) }
    }

    /// The source, shortened by Lua to one line.
    pub fn short_source(&self) -> &[u8] {
        text(self.0.short_src.as_ptr()).unwrap_or_default()
    }

    /// The line where the function begins, or -1.
    pub fn line_defined(&self) -> i32 {
        self.0.linedefined
    }

    /// The current line, or -1 if unknown.
    pub fn line(&self) -> i32 {
        self.0.currentline
    }

    /// The name under which it was called, if known.
    pub fn name(&self) -> Option<&[u8]> {
        text(self.0.name)
    }

    /// What kind of name that is.
    pub fn name_what(&self) -> &[u8] {
        text(self.0.namewhat).unwrap_or_default()
    }

    /// What kind of function it is.
    pub fn what(&self) -> &[u8] {
        text(self.0.what).unwrap_or_default()
    }
}

/// The text in a field of a `lua_Debug` that lua_getinfo has filled. Returns none if it is null.
fn text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: fields of lua_Debug are null or texts that end with a zero byte, and live as long as
    // the function.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

impl State {
    /// Whether a function runs at `level` (0: the innermost). Costs a time that grows with the
    /// level.
    pub fn has_level(self, level: c_int) -> bool {
        let mut debug = std::mem::MaybeUninit::<c::lua_Debug>::zeroed();
        // SAFETY: lua_getstack fills the private field that lua_getinfo needs, or returns 0.
        unsafe { c::lua_getstack(self.raw(), level, debug.as_mut_ptr()) != 0 }
    }

    /// The function that runs at `level` (0: the innermost).
    pub fn frame_info(self, level: c_int) -> Option<FrameInfo> {
        let mut debug = std::mem::MaybeUninit::<c::lua_Debug>::zeroed();
        // SAFETY: all fields of lua_Debug are numbers and pointers, for which zero is valid;
        // lua_getinfo with these options pushes nothing and does not raise; the texts live as long
        // as the function.
        unsafe {
            if c::lua_getstack(self.raw(), level, debug.as_mut_ptr()) == 0 {
                return None;
            }
            if c::lua_getinfo(self.raw(), c"Sln".as_ptr(), debug.as_mut_ptr()) == 0 {
                return None;
            }
            Some(FrameInfo(debug.assume_init()))
        }
    }

    /// Where the function at the top of the stack, which it pops, was defined.
    pub fn definition(self) -> Option<FrameInfo> {
        let mut debug = std::mem::MaybeUninit::<c::lua_Debug>::zeroed();
        // SAFETY: as for `frame_info`; the function is at the top of the stack.
        unsafe {
            (c::lua_getinfo(self.raw(), c">S".as_ptr(), debug.as_mut_ptr()) != 0)
                .then(|| FrameInfo(debug.assume_init()))
        }
    }

    /// Pushes the innermost running function. Pushes nothing and returns false if none runs.
    pub fn push_running(self) -> bool {
        self.push_function_at(0)
    }

    /// Pushes the function that runs at `level` (0: the innermost). Pushes nothing and returns
    /// false if there is none.
    pub fn push_function_at(self, level: c_int) -> bool {
        let mut debug = std::mem::MaybeUninit::<c::lua_Debug>::zeroed();
        // SAFETY: as for `frame_info`; this option pushes the function and does not raise.
        unsafe {
            c::lua_getstack(self.raw(), level, debug.as_mut_ptr()) != 0
                && c::lua_getinfo(self.raw(), c"f".as_ptr(), debug.as_mut_ptr()) != 0
        }
    }

    /// How many functions are running.
    pub fn depth(self) -> c_int {
        let (mut low, mut high) = (0, 1);
        while self.has_level(high) {
            low = high;
            high *= 2;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.has_level(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        high
    }
}
