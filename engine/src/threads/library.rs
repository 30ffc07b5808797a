//! Whether the system's library of threads was in the process from the start. On FreeBSD the C
//! library goes without it until it is loaded.

#![allow(unsafe_code, reason = "the loader calls back for each file")]

/// Whether a library of threads was loaded before the file that contains `address`, which brings
/// one along. Returns none if the system has threads in its C library, or if no library of threads
/// is loaded.
pub fn was_first(address: *const std::os::raw::c_void) -> Option<bool> {
    system::was_first(address)
}

#[cfg(target_os = "freebsd")]
mod system {
    pub fn was_first(address: *const std::os::raw::c_void) -> Option<bool> {
        let ours = crate::origin::of(address)?;
        super::order::Order::of_process(ours, &["libthr.so", "libpthread.so"]).is_other_first()
    }
}

#[cfg(not(target_os = "freebsd"))]
mod system {
    pub fn was_first(_address: *const std::os::raw::c_void) -> Option<bool> {
        None
    }
}

#[cfg(any(target_os = "freebsd", all(test, target_os = "linux")))]
mod order {
    use std::ffi::CStr;
    use std::os::raw::{c_int, c_void};

    /// Which of two files of the process comes first, in the order in which they were loaded.
    pub struct Order<'a> {
        /// The first address of one.
        ours: usize,
        /// How the name of the other one may begin.
        names: &'a [&'a str],
        seen: usize,
        place: Option<usize>,
        other: Option<usize>,
    }

    impl<'a> Order<'a> {
        pub fn new(ours: usize, names: &'a [&'a str]) -> Order<'a> {
            Order {
                ours,
                names,
                seen: 0,
                place: None,
                other: None,
            }
        }

        /// The files of this process.
        pub fn of_process(ours: usize, names: &'a [&'a str]) -> Order<'a> {
            unsafe extern "C" fn see(
                info: *mut libc::dl_phdr_info,
                _size: libc::size_t,
                order: *mut c_void,
            ) -> c_int {
                // SAFETY: the loader fills the structure, whose path ends with a zero byte, and
                // passes the order on.
                unsafe {
                    let (info, order) = (&*info, &mut *order.cast::<Order>());
                    let path = if info.dlpi_name.is_null() {
                        b""
                    } else {
                        CStr::from_ptr(info.dlpi_name).to_bytes()
                    };
                    order.see(info.dlpi_addr as usize, path);
                }
                0
            }
            let mut order = Order::new(ours, names);
            // SAFETY: the function uses the order that it is given, during the call only.
            unsafe { libc::dl_iterate_phdr(Some(see), (&raw mut order).cast()) };
            order
        }

        /// The next file: its first address, and its path.
        pub fn see(&mut self, address: usize, path: &[u8]) {
            let file = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            if address == self.ours {
                self.place = Some(self.seen);
            }
            let is_other = |name: &&str| file.starts_with(name.as_bytes());
            if self.other.is_none() && self.names.iter().any(is_other) {
                self.other = Some(self.seen);
            }
            self.seen += 1;
        }

        /// Whether the other one comes first; none if either is not there.
        pub fn is_other_first(&self) -> Option<bool> {
            Some(self.other? < self.place?)
        }
    }
}

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests {
    use super::order::Order;
    use crate::origin;

    /// Whether the library of threads comes first among files of which the one with this number is
    /// ours.
    fn is_first(ours: usize, files: &[&str]) -> Option<bool> {
        let mut order = Order::new(ours, &["libthr.so", "libpthread.so"]);
        for (number, file) in files.iter().enumerate() {
            order.see(number, file.as_bytes());
        }
        order.is_other_first()
    }

    #[test]
    fn what_the_program_was_linked_with_comes_first() {
        let linked = [
            "lua54",
            "/lib/libthr.so.3",
            "/lib/libc.so.7",
            "/l/lanes_core.so",
        ];
        assert_eq!(is_first(3, &linked), Some(true));
        let old = ["lua54", "libpthread.so.2", "liblua.so", "lanes_core.so"];
        assert_eq!(is_first(3, &old), Some(true));
        let brought = [
            "lua54",
            "/lib/libc.so.7",
            "lanes_core.so",
            "/lib/libthr.so.3",
        ];
        assert_eq!(is_first(2, &brought), Some(false));
        let neither = ["lua54", "/lib/libthr.so.d/libm.so", "lanes_core.so"];
        assert_eq!(is_first(2, &neither), None);
        assert_eq!(is_first(9, &brought), None);
    }

    #[test]
    fn the_files_of_this_process_are_in_their_order() {
        let ours = origin::of(is_first as *const _).unwrap();
        let of_process = |names| Order::of_process(ours, names).is_other_first();
        // The program itself comes before what it is linked with.
        assert_eq!(of_process(&["libc.", "libc-", "ld-musl"]), Some(false));
        assert_eq!(of_process(&["no such library"]), None);
    }
}
