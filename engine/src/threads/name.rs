//! The name of the calling thread, as the system's tools show it.

#![allow(unsafe_code, reason = "the system's functions take C strings")]

/// Sets the name, as far as the system has room for it (15 bytes on Linux).
pub fn set(name: &[u8]) {
    super::note_changed();
    system::set(name);
}

#[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd"))]
mod system {
    use std::ffi::CString;

    pub fn set(name: &[u8]) {
        // What each system has room for, or more if the system cuts names itself.
        let most = if cfg!(target_os = "linux") { 15 } else { 63 };
        let bytes: Vec<u8> = name
            .iter()
            .copied()
            .filter(|&byte| byte != 0)
            .take(most)
            .collect();
        let Ok(name) = CString::new(bytes) else {
            return;
        };
        // SAFETY: the text ends with a zero byte and is read during the call only.
        unsafe {
            #[cfg(target_os = "linux")]
            libc::pthread_setname_np(libc::pthread_self(), name.as_ptr());
            #[cfg(target_os = "macos")]
            libc::pthread_setname_np(name.as_ptr());
            #[cfg(target_os = "freebsd")]
            libc::pthread_set_name_np(libc::pthread_self(), name.as_ptr());
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "freebsd")))]
mod system {
    pub fn set(_name: &[u8]) {}
}
