//! Which file, of those that the system's loader has mapped, a function is from.
//!
//! There is unsafe code in here because it calls the system's loader.

use std::os::raw::c_void;

/// The beginning of the program or library that contains `address`; none where the loader does not know.
#[cfg(unix)]
pub fn of(address: *const c_void) -> Option<usize> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills the structure, or answers 0.
    unsafe {
        (libc::dladdr(address, info.as_mut_ptr()) != 0)
            .then(|| info.assume_init().dli_fbase as usize)
    }
}

/// The beginning of the program or library that contains `address`; none where the loader does not know.
#[cfg(windows)]
pub fn of(address: *const c_void) -> Option<usize> {
    const UNCHANGED: u32 = 2;
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
    // SAFETY: with these flags the second argument is an address in the module, whose count of references stays as it is.
    let found = unsafe { GetModuleHandleExW(UNCHANGED | FROM_ADDRESS, address, &mut module) };
    (found != 0).then_some(module as usize)
}
