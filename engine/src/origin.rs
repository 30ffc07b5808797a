//! Which of the files that the system's loader has mapped a function is in.

#![allow(unsafe_code, reason = "calls the system's loader")]

use std::os::raw::c_void;

/// The first address of the program or library that contains `address`; `None` if the loader does
/// not know it.
#[allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "the loader compares the address, and reads nothing there"
)]
#[cfg(unix)]
pub fn of(address: *const c_void) -> Option<usize> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills the structure, or returns 0.
    unsafe {
        (libc::dladdr(address, info.as_mut_ptr()) != 0)
            .then(|| info.assume_init().dli_fbase as usize)
    }
}

/// The first address of the program or library that contains `address`; `None` if the loader does
/// not know it.
#[allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "the loader compares the address, and reads nothing there"
)]
#[cfg(windows)]
pub fn of(address: *const c_void) -> Option<usize> {
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
        GetModuleHandleExW,
    };
    let flags =
        GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    let mut module = std::ptr::null_mut();
    // SAFETY: with these flags the second argument is an address in the module, whose count of
    // references does not change.
    let found = unsafe { GetModuleHandleExW(flags, address.cast(), &mut module) };
    (found != 0).then_some(module as usize)
}
