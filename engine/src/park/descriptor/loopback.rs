//! The descriptor on Windows, where only sockets can be waited for: two connected sockets on the
//! loopback interface, with one byte on the way while it is set.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::fd::AsRawFd as Raw;
#[cfg(windows)]
use std::os::windows::io::AsRawSocket as Raw;
use std::time::Duration;

/// How long `clear` waits for the byte of `set`, which arrives at once unless somebody else has
/// read it.
const ARRIVAL: Duration = Duration::from_millis(100);

/// Readable between `set` and `clear`.
pub struct Descriptor {
    reader: TcpStream,
    writer: TcpStream,
}

impl Descriptor {
    /// A descriptor that is not readable.
    ///
    /// Errors: those of the system, such as too many open sockets.
    pub fn new() -> io::Result<Descriptor> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let writer = TcpStream::connect(listener.local_addr()?)?;
        let own = writer.local_addr()?;
        // Another process may connect to the port, too.
        let reader = loop {
            let (reader, peer) = listener.accept()?;
            if peer == own {
                break reader;
            }
        };
        writer.set_nodelay(true)?;
        reader.set_read_timeout(Some(ARRIVAL))?;
        Ok(Descriptor { reader, writer })
    }

    /// Its number, for `select` and the like.
    pub fn number(&self) -> i64 {
        #[cfg(windows)]
        let number = self.reader.as_raw_socket();
        #[cfg(unix)]
        let number = self.reader.as_raw_fd();
        number as i64
    }

    /// Makes it readable. It is not.
    pub fn set(&self) {
        // Never full: nothing is on the way.
        let _ = (&self.writer).write(&[0]);
    }

    /// Makes it not readable. It is, or will be when the byte has arrived.
    pub fn clear(&self) {
        let _ = (&self.reader).read(&mut [0]);
    }
}
