//! On which processors the calling thread may run.

#![allow(unsafe_code, reason = "the system's calls take structures by address")]

/// Lets the calling thread run on the processors whose bits are set, bit 0 being the first.
///
/// Errors, as text: none of them exists, or the system has no such call.
pub fn set(mask: u64) -> Result<(), String> {
    super::note_changed();
    system::set(mask)
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
mod system {
    pub fn set(mask: u64) -> Result<(), String> {
        if ask(mask) {
            return Ok(());
        }
        Err(format!(
            "affinity {mask:#x} names no processor of this machine that may be used ({})",
            std::io::Error::last_os_error()
        ))
    }

    #[cfg(target_os = "linux")]
    fn ask(mask: u64) -> bool {
        // SAFETY: the set is plain data for which zero is valid; CPU_SET stays within its first 64
        // bits; the call reads as many bytes as the set has.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            for processor in 0..64 {
                if mask & (1 << processor) != 0 {
                    libc::CPU_SET(processor, &mut set);
                }
            }
            libc::sched_setaffinity(0, size_of_val(&set), &set) == 0
        }
    }

    /// Sets have 1024 bits since FreeBSD 14, and 256 before (and in the crate libc). A set of
    /// another length than the kernel's is an error.
    #[cfg(target_os = "freebsd")]
    fn ask(mask: u64) -> bool {
        let mut set = [0u64; 16];
        set[0] = mask;
        [size_of_val(&set), size_of::<libc::cpuset_t>()]
            .into_iter()
            .any(|size| {
                // SAFETY: the call reads no more bytes than `size` says, which the set has.
                unsafe {
                    libc::cpuset_setaffinity(
                        libc::CPU_LEVEL_WHICH,
                        libc::CPU_WHICH_TID,
                        -1,
                        size,
                        set.as_ptr().cast(),
                    ) == 0
                }
            })
    }
}

#[cfg(windows)]
mod system {
    use windows_sys::Win32::System::Threading::{GetCurrentThread, SetThreadAffinityMask};

    pub fn set(mask: u64) -> Result<(), String> {
        // SAFETY: both take plain values.
        if unsafe { SetThreadAffinityMask(GetCurrentThread(), mask as usize) } == 0 {
            return Err(format!(
                "affinity {mask:#x} names no processor of this machine ({})",
                std::io::Error::last_os_error()
            ));
        }
        Ok(())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd", windows)))]
mod system {
    pub fn set(_mask: u64) -> Result<(), String> {
        Err("this system does not let a thread choose its processors".to_owned())
    }
}

#[cfg(all(test, windows, not(loom)))]
mod tests {
    use super::*;
    use std::thread;
    use windows_sys::Win32::System::Threading::{GetCurrentThread, SetThreadAffinityMask};

    #[test]
    fn processors_can_be_read_back() {
        let before = thread::spawn(|| {
            set(1).unwrap();
            // SAFETY: both take plain values. The result is the mask that was there before.
            unsafe { SetThreadAffinityMask(GetCurrentThread(), 1) }
        });
        assert_eq!(before.join().unwrap(), 1);
    }

    #[test]
    fn no_processor_is_an_error() {
        assert!(thread::spawn(|| set(0)).join().unwrap().is_err());
    }
}
