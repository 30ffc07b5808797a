//! Priorities of threads, -3 to +3, as lanes have them (docs/manual/threads.md#priority).
//!
//! They are steps of the system's ordinary scheduling. On Linux they are nice values of the thread:
//! anybody may lower a priority; to raise one takes RLIMIT_NICE or CAP_SYS_NICE.

#![allow(unsafe_code, reason = "libc reads the nice value")]

use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// The lowest and the highest priority.
pub const RANGE: (i32, i32) = (-3, 3);

/// The nice value of the calling thread; `None` if threads of this system have none of their own.
fn nice() -> Option<i32> {
    #[cfg(target_os = "linux")]
    // SAFETY: reads a number of the calling thread, which 0 stands for.
    return Some(unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) });
    #[cfg(not(target_os = "linux"))]
    None
}

/// Sets the priority of the calling thread; 0 leaves it as it is.
///
/// Errors, as text: the system does not allow it.
pub fn set(priority: i32) -> Result<(), String> {
    // In 99ths of the system's ordinary range. On Linux these are the nice values 15, 10, 5 and -5,
    // -10, -15.
    let value = match priority {
        0 => return Ok(()),
        -3 => 10,
        -2 => 23,
        -1 => 36,
        1 => 61,
        2 => 74,
        _ => 87,
    };
    if priority < 0 && nice().is_some_and(|nice| nice >= -5 * priority) {
        // The priority of the thread is that low already, and must not be raised.
        return Ok(());
    }
    super::note_changed();
    let value: u8 = value;
    let Ok(value) = ThreadPriorityValue::try_from(value) else {
        return Ok(());
    };
    match set_current_thread_priority(ThreadPriority::Crossplatform(value)) {
        Ok(()) => Ok(()),
        // A thread that is not allowed to set it has a lower priority already.
        Err(_) if priority < 0 => Ok(()),
        Err(error) => Err(format!(
            "the system does not allow thread priority +{priority} ({error:?}): on Linux it takes RLIMIT_NICE or \
             CAP_SYS_NICE"
        )),
    }
}
