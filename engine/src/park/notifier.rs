//! A notifier: a watcher that makes a descriptor readable when it is told, so that an event loop
//! can wait for what is watched.

use super::descriptor::Descriptor;
use super::watcher::Watcher;
use crate::sync::{Arc, Mutex};
use crate::threads::fork::PerProcess;
use std::io;

/// Told by what it watches; cleared by whoever finds nothing there. Told again before it is
/// cleared, it does nothing: there is one write for each change from clear to set.
pub struct Notifier {
    /// A forked process has a descriptor of its own: that of its parent goes on being the parent's.
    port: PerProcess<Port>,
}

/// What is behind a notifier in one process.
struct Port(Mutex<Contents>);

struct Contents {
    is_set: bool,
    /// Readable if and only if `is_set`. None in a forked process until it is asked for, and when
    /// the notifier is closed.
    // Shared so that models can wait for it without the lock.
    descriptor: Option<Arc<Descriptor>>,
}

impl Notifier {
    /// A notifier that is clear.
    ///
    /// Errors: the system has no descriptor for it.
    pub fn new() -> io::Result<std::sync::Arc<Notifier>> {
        let contents = Contents {
            is_set: false,
            descriptor: Some(Arc::new(Descriptor::new()?)),
        };
        Ok(std::sync::Arc::new(Notifier {
            port: PerProcess::new(Port(Mutex::new(contents))),
        }))
    }

    fn contents(&self) -> &Mutex<Contents> {
        // Set, because nobody knows what came before.
        let new = || {
            Port(Mutex::new(Contents {
                is_set: true,
                descriptor: None,
            }))
        };
        &self.port.here(new).0
    }

    /// The number of its descriptor in this process, which is made if there is none.
    ///
    /// Errors: the system has no descriptor for it.
    pub fn number(&self) -> io::Result<i64> {
        let mut contents = self.contents().lock();
        if let Some(descriptor) = &contents.descriptor {
            return Ok(descriptor.number());
        }
        let descriptor = Descriptor::new()?;
        if contents.is_set {
            descriptor.set();
        }
        let number = descriptor.number();
        contents.descriptor = Some(Arc::new(descriptor));
        Ok(number)
    }

    /// Clears it. What watchers are told of without a lock, such as a request to stop, is to be
    /// looked at afterwards.
    pub fn clear(&self) {
        let mut contents = self.contents().lock();
        if contents.is_set {
            contents.is_set = false;
            if let Some(descriptor) = &contents.descriptor {
                descriptor.clear();
            }
        }
    }

    /// Gives the descriptor back to the system. It is told in vain from now on.
    pub fn close(&self) {
        self.contents().lock().descriptor = None;
    }

    /// Models only: waits until the descriptor is readable.
    #[cfg(loom)]
    pub fn wait(&self) {
        let descriptor = self.contents().lock().descriptor.clone();
        descriptor.unwrap().wait();
    }
}

impl Watcher for Notifier {
    fn tell(&self) {
        let mut contents = self.contents().lock();
        if !contents.is_set {
            contents.is_set = true;
            if let Some(descriptor) = &contents.descriptor {
                descriptor.set();
            }
        }
    }
}
