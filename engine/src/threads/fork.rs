//! Processes that were forked. In the child only the thread that forked goes on, so what needs
//! other threads is made anew there. That of the parent is not touched, because another thread may
//! have held its lock when the process was forked.

#![allow(
    unsafe_code,
    reason = "the system takes the function that it calls in the child"
)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many forks there were between this process and the one that loaded the library.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// The process in which something was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(usize);

impl Process {
    /// The process that runs.
    pub fn current() -> Process {
        watch();
        Process(FORKS.load(Ordering::Relaxed))
    }

    /// Whether it is the process that runs, and not one that this was forked from.
    #[inline]
    pub fn is_current(self) -> bool {
        self.0 == FORKS.load(Ordering::Relaxed)
    }
}

/// A value of which each process has its own.
pub struct PerProcess<T> {
    process: Process,
    value: T,
    /// The value of a process that was forked from this one.
    next: OnceLock<Box<PerProcess<T>>>,
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> Self {
        PerProcess::new(T::default())
    }
}

impl<T> PerProcess<T> {
    /// `value` is that of the process that runs.
    pub fn new(value: T) -> PerProcess<T> {
        PerProcess {
            process: Process::current(),
            value,
            next: OnceLock::new(),
        }
    }

    /// The value of the process that runs; `new` makes it if there is none yet.
    #[inline]
    pub fn here(&self, new: impl Fn() -> T) -> &T {
        let mut one = self;
        while !one.process.is_current() {
            one = one.next.get_or_init(|| Box::new(PerProcess::new(new())));
        }
        &one.value
    }
}

/// Counts forks from now on.
#[cfg(unix)]
fn watch() {
    static BEGUN: std::sync::Once = std::sync::Once::new();
    extern "C" fn forked() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the function may be called in any child, because it only adds to a number. The
    // library stays loaded (`pin`).
    BEGUN.call_once(|| unsafe {
        libc::pthread_atfork(None, None, Some(forked));
    });
}

/// There is no fork on this system.
#[cfg(not(unix))]
fn watch() {}
