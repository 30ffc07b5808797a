//! What the debug interface tells of the functions that are running.

use super::State;
use super::compat as c;
use std::ffi::CStr;
use std::os::raw::{c_char, c_int};

/// One running function.
#[derive(Debug, Clone)]
pub struct FrameInfo {
    /// Where its source came from, with `@` or `=`.
    pub source: String,
    /// The same, short and printable.
    pub short_source: String,
    /// The line that it is at, or -1.
    pub line: i32,
    /// The name under which it was called, if known.
    pub name: Option<String>,
    /// What kind of name that is.
    pub name_what: String,
    /// What kind of function it is.
    pub what: String,
}

/// # Safety
/// `text` is null or a string that ends with a zero byte.
unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by the contract of this function.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

impl State {
    /// Whether a function runs at `level` (0: the innermost). Costs a time that grows with the level.
    pub fn has_level(self, level: c_int) -> bool {
        let mut debug = std::mem::MaybeUninit::<c::lua_Debug>::zeroed();
        // SAFETY: lua_getstack fills the private field that lua_getinfo needs, or answers 0.
        unsafe { c::lua_getstack(self.raw(), level, debug.as_mut_ptr()) != 0 }
    }

    /// The function that runs at `level` (0: the innermost).
    pub fn frame_info(self, level: c_int) -> Option<FrameInfo> {
        let mut debug = std::mem::MaybeUninit::<c::lua_Debug>::zeroed();
        // SAFETY: all fields of lua_Debug are numbers and pointers, for which zero is valid; lua_getinfo with these
        // options pushes nothing and does not raise; the texts live as long as the function.
        unsafe {
            if c::lua_getstack(self.raw(), level, debug.as_mut_ptr()) == 0 {
                return None;
            }
            if c::lua_getinfo(self.raw(), c"Sln".as_ptr(), debug.as_mut_ptr()) == 0 {
                return None;
            }
            let debug = debug.assume_init();
            Some(FrameInfo {
                source: text(debug.source).unwrap_or_default(),
                short_source: text(debug.short_src.as_ptr()).unwrap_or_default(),
                line: debug.currentline,
                name: text(debug.name),
                name_what: text(debug.namewhat).unwrap_or_default(),
                what: text(debug.what).unwrap_or_default(),
            })
        }
    }

    /// Pushes the innermost running function; false, and nothing pushed, when none runs.
    pub fn push_running(self) -> bool {
        self.push_at_level(0)
    }

    /// Pushes the function that runs at `level` (0: the innermost); false, and nothing pushed, where there is none.
    pub fn push_at_level(self, level: c_int) -> bool {
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
