//! The descriptor of models: a model fails if it is set twice, or cleared twice; a thread can wait
//! until it is readable.

use loom::sync::{Condvar, Mutex};
use std::io;

/// Readable between `set` and `clear`.
pub struct Descriptor {
    readable: Mutex<bool>,
    changed: Condvar,
}

impl Descriptor {
    pub fn new() -> io::Result<Descriptor> {
        Ok(Descriptor {
            readable: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    pub fn number(&self) -> i64 {
        0
    }

    pub fn set(&self) {
        let was = std::mem::replace(&mut *self.readable.lock().unwrap(), true);
        assert!(!was, "one write for a change from clear to set");
        self.changed.notify_all();
    }

    pub fn clear(&self) {
        let was = std::mem::replace(&mut *self.readable.lock().unwrap(), false);
        assert!(was, "one read for a change from set to clear");
    }

    /// Waits until it is readable.
    pub fn wait(&self) {
        let mut readable = self.readable.lock().unwrap();
        while !*readable {
            readable = self.changed.wait(readable).unwrap();
        }
    }
}
