//! The name of the calling thread, as the system's tools show it.

#![allow(unsafe_code, reason = "the system's functions take C strings")]

/// Sets the name, as far as the system has room for it (15 bytes on Linux, 63 elsewhere).
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

#[cfg(windows)]
mod system {
    use windows_sys::Win32::System::Threading::{GetCurrentThread, SetThreadDescription};

    pub fn set(name: &[u8]) {
        // No memory is taken for it: a name may be long. The last number stays zero.
        let mut wide = [0u16; 64];
        let units = name
            .utf8_chunks()
            .flat_map(|chunk| {
                let broken = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
                chunk.valid().chars().chain(broken)
            })
            .filter(|&letter| letter != '\0');
        let mut length = 0;
        for letter in units {
            let room = &mut wide[length..63];
            if room.len() < letter.len_utf16() {
                break;
            }
            length += letter.encode_utf16(room).len();
        }
        // SAFETY: the text ends with a zero and is read during the call only.
        unsafe { SetThreadDescription(GetCurrentThread(), wide.as_ptr()) };
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "macos",
    target_os = "freebsd",
    windows
)))]
mod system {
    pub fn set(_name: &[u8]) {}
}

#[cfg(all(test, windows, not(loom)))]
mod tests {
    use windows_sys::Win32::Foundation::LocalFree;
    use windows_sys::Win32::System::Threading::{GetCurrentThread, GetThreadDescription};

    #[test]
    fn a_name_can_be_read_back() {
        let long = "x".repeat(1000);
        for (given, expected) in [
            ("a \u{e4}\0 name".as_bytes(), "a \u{e4} name"),
            (b"\xffbroken", "\u{fffd}broken"),
            (long.as_bytes(), &long[..63]),
        ] {
            assert_eq!(set_and_read(given.to_vec()), expected);
        }
    }

    fn set_and_read(name: Vec<u8>) -> String {
        let read = std::thread::spawn(move || {
            super::set(&name);
            let mut text = std::ptr::null_mut();
            // SAFETY: the call makes a text that ends with a zero, which is freed once.
            unsafe {
                assert!(GetThreadDescription(GetCurrentThread(), &mut text) >= 0);
                let length = (0..).take_while(|&i| *text.add(i) != 0).count();
                let units = std::slice::from_raw_parts(text, length).to_vec();
                LocalFree(text.cast());
                String::from_utf16_lossy(&units)
            }
        });
        read.join().unwrap()
    }
}
