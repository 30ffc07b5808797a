//! The library stays in memory once it is loaded: threads may outlive the state that loaded it, whose end would unload
//! it under them. On ELF systems the linker says so (`-z nodelete`); elsewhere it is said here.
//!
//! `unsafe`: calls of the system's loader.

/// Pins the library.
#[cfg(not(any(windows, target_os = "macos")))]
pub fn pin() {}

/// Pins the library.
#[cfg(target_os = "macos")]
pub fn pin() {
    // SAFETY: the address is in this library, so dladdr finds the path that it was loaded from; the library is open
    // already, and stays so.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(pin as fn() as *const std::ffi::c_void, &mut info) != 0 {
            libc::dlopen(
                info.dli_fname,
                libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE,
            );
        }
    }
}

/// Pins the library.
#[cfg(windows)]
pub fn pin() {
    use std::ffi::c_void;

    const FROM_ADDRESS: u32 = 4;
    const PIN: u32 = 1;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, name: *const u16, module: *mut *mut c_void) -> i32;
    }
    let mut module = std::ptr::null_mut();
    // SAFETY: with this flag the name is an address in the module.
    unsafe { GetModuleHandleExW(FROM_ADDRESS | PIN, pin as fn() as *const u16, &mut module) };
}
