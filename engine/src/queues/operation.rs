//! A parked operation, and its outcome.

use super::Values;
use super::choice::Choice;
use crate::park::{Request, Waiter};
use crate::sync::{Arc, Mutex};

/// Which parked operations are meant; `None`: none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    None,
    /// Those that receive.
    Read,
    /// Those that send.
    Write,
    Both,
}

/// What a parked operation is to do.
pub enum Work<M> {
    Receive,
    ReceiveBatch {
        max: usize,
    },
    /// The values are whole.
    Send(Values<M>),
}

/// How a parked operation ended.
pub enum Outcome<M> {
    /// The position of the key among those of the operation, and the element.
    Received(usize, M),
    ReceivedBatch(Vec<M>),
    Sent,
    /// The linda was cancelled, the thread has been asked to stop, or another case of the `select`
    /// has been chosen.
    Refused(Work<M>),
    /// The operation was possible, but out of memory.
    OutOfMemory(Work<M>),
}

/// A parked operation. Its links, which begin with `links`, are in the wait lists of its keys.
pub struct Operation<M> {
    pub ticket: Arc<Ticket<M>>,
    pub work: Work<M>,
    pub links: u32,
}

/// The part of a parked operation that its thread reads without the lock of the linda. The outcome
/// is written under that lock, at most once.
pub struct Ticket<M> {
    waiter: Arc<Waiter>,
    outcome: Mutex<Option<Outcome<M>>>,
    /// What the operation shares with the others of its `select`, and its number among them.
    choice: Option<(Arc<Choice>, u32)>,
}

impl<M> Ticket<M> {
    pub fn new(waiter: &Arc<Waiter>) -> Arc<Ticket<M>> {
        Arc::new(Ticket {
            waiter: Arc::clone(waiter),
            outcome: Mutex::new(None),
            choice: None,
        })
    }

    /// The ticket of case number `case` of a `select`.
    pub fn choosing(waiter: &Arc<Waiter>, choice: &Arc<Choice>, case: u32) -> Arc<Ticket<M>> {
        Arc::new(Ticket {
            waiter: Arc::clone(waiter),
            outcome: Mutex::new(None),
            choice: Some((Arc::clone(choice), case)),
        })
    }

    /// Whether the operation may be done, or refused. It may not if another case of its `select`
    /// has been chosen. To be called at most once, under the lock of the linda; if it returns true,
    /// `complete` follows under the same lock.
    pub fn claim(&self) -> bool {
        match &self.choice {
            Some((choice, case)) => choice.claim(*case),
            None => true,
        }
    }

    /// Removes and returns the outcome, if there is one.
    pub fn take_outcome(&self) -> Option<Outcome<M>> {
        self.outcome.lock().take()
    }

    /// Ends the operation. `wake` must follow.
    pub fn complete(&self, outcome: Outcome<M>) {
        *self.outcome.lock() = Some(outcome);
    }

    /// Whether the thread that waits has been asked to stop.
    pub fn is_asked_to_stop(&self) -> bool {
        self.waiter.request() != Request::None
    }

    /// Wakes the thread. To be called after `complete`, without the lock of the linda.
    pub fn wake(&self) {
        self.waiter.unpark();
    }
}

impl<M> Work<M> {
    pub fn is_send(&self) -> bool {
        matches!(self, Work::Send(_))
    }
}

impl Who {
    /// Whether an operation with this work is meant.
    pub fn includes<M>(self, work: &Work<M>) -> bool {
        match self {
            Who::None => false,
            Who::Read => !work.is_send(),
            Who::Write => work.is_send(),
            Who::Both => true,
        }
    }
}
