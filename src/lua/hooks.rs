//! Debug hooks of coroutines, by which signal handlers and cancellations ask for attention.

use super::compat as c;
use super::{Raise, State, protect};
use std::os::raw::c_int;

/// A debug hook.
pub type Hook = c::lua_Hook;

impl State {
    /// The hook that is set now, as an identity to compare with.
    pub fn hook(self) -> usize {
        self.hook_function().map_or(0, |hook| hook as usize)
    }

    /// The hook that is set now, if any.
    pub fn hook_function(self) -> Option<Hook> {
        // SAFETY: reads one field.
        unsafe { c::lua_gethook(self.raw()) }
    }

    /// What the hook that is set now listens to: mask and count.
    pub fn hook_events(self) -> (c_int, c_int) {
        // SAFETY: reads two fields.
        unsafe {
            (
                c::lua_gethookmask(self.raw()),
                c::lua_gethookcount(self.raw()),
            )
        }
    }

    /// Sets a debug hook. May be called from another thread, as a signal handler may: it writes
    /// plain fields that the interpreter reads at the next hook point. The caller guarantees that
    /// the state is alive meanwhile.
    pub fn set_hook(self, hook: Option<Hook>, mask: c_int, count: c_int) {
        // SAFETY: see above.
        unsafe {
            c::lua_sethook(self.raw(), hook, mask, count);
        }
    }

    /// Moves the hook to another coroutine of the same state. If all coroutines have one hook in
    /// common, it stays.
    pub fn move_hook(self, to: State) {
        let (hook, (mask, count)) = (self.hook_function(), self.hook_events());
        self.set_hook(None, 0, 0);
        to.set_hook(hook, mask, count);
    }

    /// Calls an empty function, so that the hook runs that another thread may have set.
    ///
    /// Errors: that of the hook.
    pub fn run_hook(self) -> Result<(), Raise> {
        protect(self, 0, |_| ())?;
        if !c::HOOKS_CAN_BE_LOST {
            return Ok(());
        }
        // A hook that counts further than to the next instruction would begin to count again.
        if let (Some(hook), (mask, count @ (0 | 1))) = (self.hook_function(), self.hook_events()) {
            let (mask, count) = if mask == 0 {
                c::HOST_HOOK
            } else {
                (mask, count)
            };
            self.set_hook(None, 0, 0);
            self.set_hook(Some(hook), mask, count);
            protect(self, 0, |_| ())?;
        }
        Ok(())
    }
}
