//! The descriptor on Linux: an eventfd.

#![allow(unsafe_code, reason = "the system returns a descriptor as a number")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};

/// Readable between `set` and `clear`.
pub struct Descriptor(File);

impl Descriptor {
    /// A descriptor that is not readable.
    ///
    /// Errors: those of the system, such as too many open files.
    pub fn new() -> io::Result<Descriptor> {
        // SAFETY: takes plain values.
        let number = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, and nobody else has it.
        Ok(Descriptor(unsafe { File::from_raw_fd(number) }))
    }

    /// Its number, for `poll` and the like.
    pub fn number(&self) -> i64 {
        i64::from(self.0.as_raw_fd())
    }

    /// Makes it readable. It is not.
    pub fn set(&self) {
        // Never full: it is 0.
        let _ = (&self.0).write(&1u64.to_ne_bytes());
    }

    /// Makes it not readable. It is.
    pub fn clear(&self) {
        let _ = (&self.0).read(&mut [0; 8]);
    }
}
