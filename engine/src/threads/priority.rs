//! Thread priorities, -3 to +3, as lanes have them (docs/manual/threads.md#priority).
//!
//! Everywhere they are steps of the system's ordinary scheduling. On Linux they are nice values of
//! the thread: anybody may lower a priority; to raise one takes RLIMIT_NICE or CAP_SYS_NICE. On
//! Windows they are its seven levels.

#![allow(unsafe_code, reason = "calls the system")]

/// The lowest and the highest priority.
pub const RANGE: (i32, i32) = (-3, 3);

/// Sets the priority of the calling thread; 0 leaves it as it is. A thread that has a lower one
/// already is not raised by a lowering.
///
/// Errors, as text: the system does not allow it.
pub fn set(priority: i32) -> Result<(), String> {
    if priority == 0 || priority < 0 && system::is_as_low_as(priority) {
        return Ok(());
    }
    super::note_changed();
    system::set(priority)
}

/// The lowest and the highest native priority: on POSIX systems those of the round-robin policy for
/// real time, on Windows its levels.
pub fn native_range() -> (i32, i32) {
    system::native_range()
}

/// Sets the native priority of the calling thread. Without the right to do so nothing happens.
///
/// Errors, as text: the system refuses it for another reason, such as a number out of range.
pub fn set_native(priority: i32) -> Result<(), String> {
    super::note_changed();
    system::set_native(priority)
}

#[cfg(not(windows))]
mod system {
    pub fn native_range() -> (i32, i32) {
        // SAFETY: both take a plain value.
        unsafe {
            (
                libc::sched_get_priority_min(libc::SCHED_RR),
                libc::sched_get_priority_max(libc::SCHED_RR),
            )
        }
    }

    pub fn set_native(priority: i32) -> Result<(), String> {
        // SAFETY: all fields are numbers, for which zero is valid.
        let mut parameters: libc::sched_param = unsafe { std::mem::zeroed() };
        parameters.sched_priority = priority;
        // SAFETY: the thread is the calling one, and the parameters are read during the call.
        let refused = unsafe {
            libc::pthread_setschedparam(libc::pthread_self(), libc::SCHED_RR, &raw const parameters)
        };
        match refused {
            0 | libc::EPERM => Ok(()),
            number => Err(format!(
                "the system refuses native thread priority {priority} ({})",
                std::io::Error::from_raw_os_error(number)
            )),
        }
    }

    use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

    /// The nice value of the calling thread, where threads have one of their own.
    fn nice() -> Option<i32> {
        #[cfg(target_os = "linux")]
        // SAFETY: reads a number of the calling thread, which is what 0 means here.
        return Some(unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) });
        #[cfg(not(target_os = "linux"))]
        None
    }

    pub fn is_as_low_as(priority: i32) -> bool {
        nice().is_some_and(|nice| nice >= -5 * priority)
    }

    pub fn set(priority: i32) -> Result<(), String> {
        // Parts of 99 of the system's ordinary range, which on Linux are the nice values 15, 10, 5
        // and -5, -10, -15.
        let value: u8 = match priority {
            -3 => 10,
            -2 => 23,
            -1 => 36,
            1 => 61,
            2 => 74,
            _ => 87,
        };
        let Ok(value) = ThreadPriorityValue::try_from(value) else {
            return Ok(());
        };
        match set_current_thread_priority(ThreadPriority::Crossplatform(value)) {
            Ok(()) => Ok(()),
            // A thread that is not allowed to go there has a lower priority already.
            Err(_) if priority < 0 => Ok(()),
            Err(_) if cfg!(target_os = "freebsd") => Err(format!(
                "FreeBSD has no thread priority +{priority}: only threads of real time have one of their own"
            )),
            Err(error) => Err(format!(
                "the system does not allow thread priority +{priority} ({error:?}): on Linux it takes RLIMIT_NICE or \
                 CAP_SYS_NICE"
            )),
        }
    }
}

#[cfg(windows)]
mod system {
    use windows_sys::Win32::System::Threading::{
        GetCurrentThread, GetThreadPriority, SetThreadPriority, THREAD_PRIORITY_ABOVE_NORMAL,
        THREAD_PRIORITY_BELOW_NORMAL, THREAD_PRIORITY_HIGHEST, THREAD_PRIORITY_IDLE,
        THREAD_PRIORITY_LOWEST, THREAD_PRIORITY_NORMAL, THREAD_PRIORITY_TIME_CRITICAL,
    };

    /// The system's level for a priority.
    pub fn level(priority: i32) -> i32 {
        match priority {
            -3 => THREAD_PRIORITY_IDLE,
            -2 => THREAD_PRIORITY_LOWEST,
            -1 => THREAD_PRIORITY_BELOW_NORMAL,
            1 => THREAD_PRIORITY_ABOVE_NORMAL,
            2 => THREAD_PRIORITY_HIGHEST,
            3 => THREAD_PRIORITY_TIME_CRITICAL,
            _ => THREAD_PRIORITY_NORMAL,
        }
    }

    /// That of the calling thread.
    pub fn current() -> i32 {
        // SAFETY: both take plain values.
        unsafe { GetThreadPriority(GetCurrentThread()) }
    }

    pub fn is_as_low_as(priority: i32) -> bool {
        current() <= level(priority)
    }

    pub fn native_range() -> (i32, i32) {
        (THREAD_PRIORITY_IDLE, THREAD_PRIORITY_TIME_CRITICAL)
    }

    pub fn set(priority: i32) -> Result<(), String> {
        set_native(level(priority))
    }

    pub fn set_native(priority: i32) -> Result<(), String> {
        // SAFETY: both take plain values.
        if unsafe { SetThreadPriority(GetCurrentThread(), priority) } == 0 {
            return Err(format!(
                "the system does not allow thread priority {priority:+} ({})",
                std::io::Error::last_os_error()
            ));
        }
        Ok(())
    }
}

#[cfg(all(test, windows, not(loom)))]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn each_priority_can_be_read_back() {
        let mut levels = Vec::new();
        for priority in RANGE.0..=RANGE.1 {
            let read = thread::spawn(move || {
                set(priority).unwrap();
                system::current()
            });
            let read = read.join().unwrap();
            assert_eq!(read, system::level(priority), "{priority}");
            levels.push(read);
        }
        assert!(
            levels.windows(2).all(|pair| pair[0] < pair[1]),
            "{levels:?}"
        );
    }

    #[test]
    fn a_lowering_does_not_raise() {
        let read = thread::spawn(|| {
            set(-3).unwrap();
            set(-1).unwrap();
            system::current()
        });
        assert_eq!(read.join().unwrap(), system::level(-3));
    }
}
