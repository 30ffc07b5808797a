//! Processes that were forked: in the child only the thread that forked goes on, and what needs other threads is to begin anew.
//!
//! There is unsafe code in here because the system takes the function that it calls in the child.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many forks lie between this process and the one that loaded the library.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// The process in which something was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(usize);

impl Process {
    /// This one.
    pub fn current() -> Process {
        watch();
        Process(FORKS.load(Ordering::Relaxed))
    }

    /// Whether it is this one, and not one that this was forked from.
    #[inline]
    pub fn is_current(self) -> bool {
        self.0 == FORKS.load(Ordering::Relaxed)
    }
}

/// Counts forks from now on.
#[cfg(unix)]
fn watch() {
    static BEGUN: std::sync::Once = std::sync::Once::new();
    extern "C" fn forked() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the function may be called in any child: all that it does is to add to a number. It stays loaded, as the library does once it
    // has been used (src/pin.rs).
    BEGUN.call_once(|| unsafe {
        libc::pthread_atfork(None, None, Some(forked));
    });
}

/// There is no fork here.
#[cfg(not(unix))]
fn watch() {}
