//! A descriptor that an event loop can wait for: readable while it is set. One of four files with
//! the same interface.

#[cfg(all(target_os = "linux", not(loom)))]
#[path = "eventfd.rs"]
mod system;
#[cfg(all(unix, not(target_os = "linux"), not(loom)))]
#[path = "pipe.rs"]
mod system;
#[cfg(all(not(unix), not(loom)))]
#[path = "loopback.rs"]
mod system;
#[cfg(loom)]
#[path = "model.rs"]
mod system;

// Tested where they are not used, too.
#[cfg(all(test, unix, not(loom)))]
mod loopback;
#[cfg(all(test, target_os = "linux", not(loom)))]
mod pipe;

pub use system::Descriptor;

#[cfg(all(test, unix, not(loom)))]
mod tests {
    use std::time::Duration;

    /// Whether the descriptor becomes readable within this time.
    #[allow(unsafe_code, reason = "poll takes a structure by address")]
    fn is_readable(number: i64, within: Duration) -> bool {
        let mut asked = libc::pollfd {
            fd: number as i32,
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one structure, which lives during the call.
        unsafe { libc::poll(&mut asked, 1, within.as_millis() as i32) == 1 }
    }

    macro_rules! is_level_triggered {
        ($name:ident, $descriptor:ty) => {
            #[test]
            fn $name() {
                let descriptor = <$descriptor>::new().unwrap();
                let number = descriptor.number();
                for _ in 0..3 {
                    assert!(!is_readable(number, Duration::ZERO));
                    descriptor.set();
                    assert!(is_readable(number, Duration::from_secs(10)));
                    assert!(is_readable(number, Duration::ZERO));
                    descriptor.clear();
                }
                assert!(!is_readable(number, Duration::ZERO));
            }
        };
    }

    is_level_triggered!(the_one_in_use_is_level_triggered, super::Descriptor);
    is_level_triggered!(a_loopback_is_level_triggered, super::loopback::Descriptor);
    #[cfg(target_os = "linux")]
    is_level_triggered!(a_pipe_is_level_triggered, super::pipe::Descriptor);
}
