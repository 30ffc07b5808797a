//! An operation that could not be done at once, and what has become of it.

use super::Values;
use crate::park::{Request, Waiter};
use crate::sync::{Arc, Mutex};

/// What an operation is to do.
pub enum Work<M> {
    Receive,
    ReceiveBatch { max: usize },
    Send(Values<M>),
}

/// What an operation came to.
pub enum Answer<M> {
    /// The position of the key among those asked for, and the element.
    Received(usize, M),
    ReceivedBatch(Vec<M>),
    Sent,
    /// The linda was cancelled, or the thread has been asked to stop.
    Refused(Work<M>),
    /// It was possible, but there was no memory for it.
    OutOfMemory(Work<M>),
}

/// A parked operation, in the wait lists of its keys through the chain of links that begins with `links`.
pub struct Operation<M> {
    pub ticket: Arc<Ticket<M>>,
    pub work: Work<M>,
    pub links: u32,
}

/// What a parked thread keeps of its operation. Answered under the lock of the linda, at most once; read without it.
pub struct Ticket<M> {
    waiter: Arc<Waiter>,
    answer: Mutex<Option<Answer<M>>>,
}

impl<M> Ticket<M> {
    pub fn new(waiter: &Arc<Waiter>) -> Arc<Ticket<M>> {
        Arc::new(Ticket {
            waiter: Arc::clone(waiter),
            answer: Mutex::new(None),
        })
    }

    /// The answer, once, if there is one.
    pub fn take_answer(&self) -> Option<Answer<M>> {
        self.answer.lock().take()
    }

    pub fn answer(&self, answer: Answer<M>) {
        *self.answer.lock() = Some(answer);
    }

    /// Whether the thread that waits has been asked to stop.
    pub fn is_asked_to_stop(&self) -> bool {
        self.waiter.request() != Request::None
    }

    /// To be called after answering, without the lock of the linda.
    pub fn wake(&self) {
        self.waiter.unpark();
    }
}

impl<M> Work<M> {
    pub fn is_send(&self) -> bool {
        matches!(self, Work::Send(_))
    }
}
