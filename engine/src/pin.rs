//! Keeps libraries loaded: our own, because threads may outlive the state that loaded it, and that of an identity
//! function, because objects may outlive every state that has loaded their module, and the end of one of them is a call
//! into the library. Lua 5.1 and LuaJIT unload modules before all else is finalized.
//!
//! There is unsafe code in here because it calls the system's loader.

use std::os::raw::c_void;

/// Keeps the library that contains `address` loaded until the process ends.
#[allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "the loader compares the address, and reads nothing there"
)]
#[cfg(unix)]
pub fn pin(address: *const c_void) {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills the structure, or answers 0; the name is a string of the loader's. The new reference to the
    // library is never given back. Where the address is in the program itself there is nothing to open, which does no harm.
    unsafe {
        if libc::dladdr(address, info.as_mut_ptr()) != 0 {
            let name = info.assume_init().dli_fname;
            if !name.is_null() {
                libc::dlopen(name, libc::RTLD_LAZY | libc::RTLD_LOCAL);
            }
        }
    }
}

/// Keeps the library that contains `address` loaded until the process ends.
#[allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "the loader compares the address, and reads nothing there"
)]
#[cfg(windows)]
pub fn pin(address: *const c_void) {
    const PIN: u32 = 1;
    const FROM_ADDRESS: u32 = 4;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(
            flags: u32,
            address: *const c_void,
            module: *mut *mut c_void,
        ) -> std::os::raw::c_int;
    }
    let mut module = std::ptr::null_mut();
    // SAFETY: with these flags the second argument is an address in the module and the result stays valid for ever.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, address, &mut module) };
}
