//! The processor time of the calling thread.

#![allow(
    unsafe_code,
    reason = "the system's call writes a structure by address"
)]

use std::time::Duration;

/// The processor time that the calling thread has used. Returns none if the system has no such
/// clock.
#[cfg(unix)]
pub fn cpu_time() -> Option<Duration> {
    let mut time = std::mem::MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the call writes the structure, for which zero is valid as well.
    let time = unsafe {
        if libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) != 0 {
            return None;
        }
        time.assume_init()
    };
    #[allow(clippy::unnecessary_cast, reason = "32 bits on some systems")]
    Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

/// The processor time that the calling thread has used. Returns none if the system has no such
/// clock.
#[cfg(windows)]
pub fn cpu_time() -> Option<Duration> {
    use windows_sys::Win32::Foundation::FILETIME;
    use windows_sys::Win32::System::Threading::{GetCurrentThread, GetThreadTimes};

    const NONE: FILETIME = FILETIME {
        dwLowDateTime: 0,
        dwHighDateTime: 0,
    };
    let [mut created, mut ended, mut kernel, mut user] = [NONE; 4];
    // SAFETY: the call writes the four structures.
    let done = unsafe {
        GetThreadTimes(
            GetCurrentThread(),
            &mut created,
            &mut ended,
            &mut kernel,
            &mut user,
        )
    } != 0;
    // In units of 100 ns.
    let time = |time: FILETIME| {
        (u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime)) * 100
    };
    done.then(|| Duration::from_nanos(time(kernel) + time(user)))
}

/// The processor time that the calling thread has used. Returns none if the system has no such
/// clock.
#[cfg(not(any(unix, windows)))]
pub fn cpu_time() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::cpu_time;

    #[test]
    fn grows_while_the_thread_works() {
        let before = cpu_time().expect("this system tells");
        while cpu_time().expect("as before") == before {
            std::hint::black_box((0..1000).sum::<u64>());
        }
    }
}
