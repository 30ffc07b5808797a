//! Sizes of the stacks of threads, in bytes: the default, and those that a program may ask for.
//!
//! A stack is address space; only the part that has been used takes memory.

#![allow(unsafe_code, reason = "asks the system for its limits")]

const MIB: usize = 1 << 20;

/// Whether addresses have 64 bits. If they have 32, address space is scarce.
const HAS_WIDE_ADDRESSES: bool = cfg!(target_pointer_width = "64");

/// The smallest size that may be asked for.
pub const SMALLEST_SIZE: usize = MIB / 4;

/// The largest size that may be asked for.
pub const LARGEST_SIZE: usize = if HAS_WIDE_ADDRESSES {
    1024 * MIB
} else {
    128 * MIB
};

/// What a size must be, for error messages.
pub const EXPECTED: &str = if HAS_WIDE_ADDRESSES {
    "a whole number of bytes from 262144 to 1073741824"
} else {
    "a whole number of bytes from 262144 to 134217728"
};

/// Whether a program may ask for a stack of `bytes` bytes.
pub fn is_size(bytes: f64) -> bool {
    bytes.fract() == 0.0 && (SMALLEST_SIZE as f64..=LARGEST_SIZE as f64).contains(&bytes)
}

/// The size on most systems, used if there is no limit.
const USUAL_SIZE: usize = 8 * MIB;

/// The smallest default: nested callbacks of Lua's own libraries take that much until Lua stops
/// them.
const SMALLEST_DEFAULT: usize = 2 * MIB;

/// The largest default.
const LARGEST_DEFAULT: usize = if HAS_WIDE_ADDRESSES {
    LARGEST_SIZE
} else {
    SMALLEST_DEFAULT
};

/// The default size: that of a new thread of the system.
pub fn default_size() -> usize {
    choose(system::limit(), system::thread())
}

/// The default size. `limit` is the limit of the process for stacks, `thread` the size that new
/// threads get; `None` if the system does not say.
fn choose(limit: Option<usize>, thread: Option<usize>) -> usize {
    let limit = limit.unwrap_or(USUAL_SIZE);
    limit
        .max(thread.unwrap_or(0))
        .clamp(SMALLEST_DEFAULT, LARGEST_DEFAULT)
}

#[cfg(unix)]
mod system {
    /// The soft limit of the process for stacks; `None` if it is unlimited. The first thread can
    /// use that much; on Linux other threads get it, too, on macOS less.
    pub fn limit() -> Option<usize> {
        // SAFETY: zero is valid for the structure, which the call fills.
        let limit = unsafe {
            let mut limit: libc::rlimit = std::mem::zeroed();
            if libc::getrlimit(libc::RLIMIT_STACK, &mut limit) != 0 {
                return None;
            }
            limit
        };
        let unlimited = limit.rlim_cur == libc::RLIM_INFINITY;
        usize::try_from(limit.rlim_cur).ok().filter(|_| !unlimited)
    }

    /// The size that a thread with default attributes gets.
    pub fn thread() -> Option<usize> {
        let mut size = 0;
        // SAFETY: the attributes are initialised before they are read, and destroyed once.
        let failed = unsafe {
            let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
            if libc::pthread_attr_init(attributes.as_mut_ptr()) != 0 {
                return None;
            }
            let failed = libc::pthread_attr_getstacksize(attributes.as_ptr(), &mut size) != 0;
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            failed
        };
        (!failed).then_some(size)
    }
}

/// On Windows the size is in the file of the program, for its first thread; a stack takes address
/// space only.
#[cfg(not(unix))]
mod system {
    pub fn limit() -> Option<usize> {
        None
    }

    pub fn thread() -> Option<usize> {
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_what_a_new_thread_gets() {
        if HAS_WIDE_ADDRESSES {
            assert_eq!(choose(Some(8 * MIB), Some(8 * MIB)), 8 * MIB);
            assert_eq!(choose(Some(64 * MIB), Some(64 * MIB)), 64 * MIB);
            // macOS; a host that set another default for threads.
            assert_eq!(choose(Some(8 * MIB), Some(MIB / 2)), 8 * MIB);
            assert_eq!(choose(Some(8 * MIB), Some(16 * MIB)), 16 * MIB);
        }
    }

    #[test]
    fn sizes_are_whole_numbers_within_the_bounds() {
        let (least, most) = (SMALLEST_SIZE as f64, LARGEST_SIZE as f64);
        assert!([least, least + 1.0, most].into_iter().all(is_size));
        let wrong = [least - 1.0, most + 1.0, least + 0.5, 0.0, -least];
        let no_number = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        assert!(!wrong.into_iter().chain(no_number).any(is_size));
        assert!(EXPECTED.ends_with(&format!("from {SMALLEST_SIZE} to {LARGEST_SIZE}")));
    }

    #[test]
    fn the_default_has_bounds() {
        let no_limit = if HAS_WIDE_ADDRESSES {
            USUAL_SIZE
        } else {
            SMALLEST_DEFAULT
        };
        assert_eq!(choose(None, None), no_limit);
        assert_eq!(choose(None, Some(2 * MIB)), no_limit);
        assert_eq!(choose(Some(MIB / 8), Some(MIB / 8)), SMALLEST_DEFAULT);
        assert_eq!(choose(Some(usize::MAX), Some(0)), LARGEST_DEFAULT);
        assert!((SMALLEST_SIZE..=LARGEST_SIZE).contains(&default_size()));
    }
}
