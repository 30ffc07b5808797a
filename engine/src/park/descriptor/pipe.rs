//! The descriptor on Unix systems without eventfd: a pipe, with one byte in it while it is set.

#![allow(unsafe_code, reason = "descriptors are made non-blocking by number")]

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};

/// Readable between `set` and `clear`.
pub struct Descriptor {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Descriptor {
    /// A descriptor that is not readable.
    ///
    /// Errors: those of the system, such as too many open files.
    pub fn new() -> io::Result<Descriptor> {
        let (reader, writer) = io::pipe()?;
        unblock(reader.as_raw_fd())?;
        unblock(writer.as_raw_fd())?;
        Ok(Descriptor { reader, writer })
    }

    /// Its number, for `poll` and the like.
    pub fn number(&self) -> i64 {
        i64::from(self.reader.as_raw_fd())
    }

    /// Makes it readable. It is not.
    pub fn set(&self) {
        // Never full: it is empty.
        let _ = (&self.writer).write(&[0]);
    }

    /// Makes it not readable. It is.
    pub fn clear(&self) {
        let _ = (&self.reader).read(&mut [0]);
    }
}

/// Makes a descriptor non-blocking, so that a byte that somebody else has read is not waited for.
fn unblock(number: RawFd) -> io::Result<()> {
    // SAFETY: the descriptor is open, and the calls take plain values.
    let done = unsafe {
        let flags = libc::fcntl(number, libc::F_GETFL);
        flags >= 0 && libc::fcntl(number, libc::F_SETFL, flags | libc::O_NONBLOCK) >= 0
    };
    if done {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
