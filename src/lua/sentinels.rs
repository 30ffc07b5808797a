//! The light userdata that programs and lanes know by value: they are equal in every state and
//! process (docs/manual/lindas.md).

use crate::lua::{Kind, State};

/// What a light userdata can hold: LuaJIT on 64-bit systems keeps 47 bits.
const fn fit(value: u64) -> usize {
    let mask = if crate::lua::compat::LUAJIT && usize::BITS == 64 {
        (1 << 47) - 1
    } else {
        u64::MAX
    };
    (value & mask) as usize
}

/// `lanes.cancel_error`: raised in, or returned to, a lane that is asked to stop.
pub const CANCEL_ERROR: usize = fit(0xe97d_4162_6cc9_7577);

/// `linda.null`, `lanes.null`: stands for nil where nil is not possible.
pub const NULL: usize = fit(0x7eaa_fa00_3a1d_11a1);

/// `linda.batched`: asks `receive` for several elements.
pub const BATCHED: usize = fit(0x2ddf_ee09_68c6_2aa7);

/// Whether the value at `index` is `cancel_error`.
pub fn is_cancel_error(state: State, index: i32) -> bool {
    state.kind(index) == Kind::Light && state.userdata(index) as usize == CANCEL_ERROR
}
