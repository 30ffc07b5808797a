//! Keeps libraries loaded. Our own, because threads may outlive the state that loaded it. That of
//! an identity function, because an object may outlive every state that has loaded its module, and
//! its end is a call into the library. Lua 5.1 and LuaJIT unload modules before everything else is
//! finalized.

#![allow(unsafe_code, reason = "calls the system's loader")]

use std::os::raw::c_void;

/// Keeps the library that contains `address` loaded until the process ends.
#[allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "the loader compares the address, and reads nothing there"
)]
#[cfg(unix)]
pub fn pin(address: *const c_void) {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills the structure, or returns 0; the name is a string of the loader's. The
    // new reference to the library is never released. If the address is in the program itself
    // dlopen fails, which does no harm.
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
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    };
    let flags = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    let mut module = std::ptr::null_mut();
    // SAFETY: with these flags the second argument is an address in the module; the result stays
    // valid.
    unsafe { GetModuleHandleExW(flags, address.cast(), &mut module) };
}
