//! A notifier of a state: what it watches, and the descriptor that tells an event loop of it
//! (docs/manual/loops.md).

use crate::lane::Record;
use crate::linda::{Key, Linda};
use lanes_engine::memory::grow::{OutOfMemory, try_room};
use lanes_engine::park::{Notifier as Signal, SharedWatcher, Waiter};
use lanes_engine::queues::WatchFor;
use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One thing that is watched.
pub enum Source {
    /// A slot of a linda.
    Slot(Arc<Linda>, Key, WatchFor),
    /// The end of a lane.
    End(Arc<Record>),
}

/// What `receive` returns of what is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Elements: all sources are slots of one linda.
    Elements,
    /// The end of the lane that is the only source.
    End,
    /// Nothing: it clears the notifier, and the caller looks at the sources afterwards.
    Nothing,
}

/// What the userdata of a notifier holds.
pub struct Notifier {
    /// What `receive` returns.
    pub shows: Shows,
    signal: Arc<Signal>,
    watcher: SharedWatcher,
    /// The waiter of the state.
    waiter: Arc<Waiter>,
    /// What is watched, in the order of what `receive` looks at.
    pub sources: RefCell<Vec<Source>>,
    closed: Cell<bool>,
    /// How many notifiers of the universe are open.
    open: Arc<AtomicUsize>,
}

impl Notifier {
    /// A notifier that watches nothing but requests to its state. `open` counts those of the
    /// universe.
    ///
    /// Errors: the system has no descriptor for it; out of memory (`ErrorKind::OutOfMemory`).
    pub fn new(
        waiter: &Arc<Waiter>,
        shows: Shows,
        open: &Arc<AtomicUsize>,
    ) -> io::Result<Notifier> {
        let signal = Signal::new()?;
        let watcher: SharedWatcher = signal.clone();
        let notifier = Notifier {
            shows,
            signal,
            watcher,
            waiter: Arc::clone(waiter),
            sources: RefCell::default(),
            closed: Cell::new(false),
            open: Arc::clone(open),
        };
        open.fetch_add(1, Ordering::SeqCst);
        let watched = waiter.watch(&notifier.watcher);
        watched.map_err(|OutOfMemory| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(notifier)
    }

    /// Watches one thing more.
    ///
    /// Errors: out of memory, and nothing has changed.
    pub fn watch(&self, source: Source) -> Result<(), OutOfMemory> {
        let mut sources = self.sources.borrow_mut();
        try_room(&mut *sources, 1)?;
        match &source {
            Source::Slot(linda, key, what) => {
                linda.queues.watch(&key.borrowed(), *what, &self.watcher)?;
            }
            Source::End(record) => {
                if !record.end.watch(&self.watcher)? {
                    self.watcher.tell();
                }
            }
        }
        sources.push(source);
        Ok(())
    }

    /// Its descriptor: readable while it is set.
    pub fn signal(&self) -> &Signal {
        &self.signal
    }

    /// Whether `close` has been called.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Watches nothing any more, and gives the descriptor back to the system.
    pub fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        self.waiter.unwatch(&self.watcher);
        for source in self.sources.take() {
            match source {
                Source::Slot(linda, key, what) => {
                    linda.queues.unwatch(&key.borrowed(), what, &self.watcher);
                }
                Source::End(record) => record.end.unwatch(&self.watcher),
            }
        }
        self.signal.close();
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.close();
    }
}
