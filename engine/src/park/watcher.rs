//! A watcher: is told when a slot of a linda, or a latch, may have changed, without being a parked
//! operation.

/// Implemented by watchers. A slot calls `tell` under the lock of its linda, and an opened latch
/// without a lock: so `tell` must return soon, take no lock of a linda, and run no Lua code.
pub trait Watcher: Send + Sync {
    /// The watched object may have changed. This is a hint: a call may be superfluous.
    fn tell(&self);
}

/// A watcher, as the watched object stores it.
// This is the standard library's type in models too, because loom's cannot point to a trait object.
pub type SharedWatcher = std::sync::Arc<dyn Watcher>;
