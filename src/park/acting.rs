//! Who a thread acts for: itself, or another thread that waits until it has done something in its place. Locks that may be taken again
//! by whoever has them regard the two as one.

use crate::sync::thread::{self, ThreadId};

#[cfg(not(loom))]
thread_local! {
    static ACTING: std::cell::Cell<Option<ThreadId>> = const { std::cell::Cell::new(None) };
}

/// The thread for which the calling one acts: itself, unless it is within [`act_for`].
#[cfg(not(loom))]
pub fn actor() -> ThreadId {
    ACTING.get().unwrap_or_else(|| thread::current().id())
}

/// The models have no threads that act for others.
#[cfg(loom)]
pub fn actor() -> ThreadId {
    thread::current().id()
}

/// Runs `body` in the place of thread `actor`, which waits meanwhile. It may end by a panic.
#[cfg(not(loom))]
pub fn act_for<R>(actor: ThreadId, body: impl FnOnce() -> R) -> R {
    struct Back(Option<ThreadId>);
    impl Drop for Back {
        fn drop(&mut self) {
            ACTING.set(self.0);
        }
    }
    let _back = Back(ACTING.replace(Some(actor)));
    body()
}
