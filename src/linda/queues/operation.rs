//! An operation that could not be done at once, and what has become of it.

use super::Values;
use crate::park::Waiter;
use crate::sync::Arc;

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
    /// The linda was cancelled.
    Refused(Work<M>),
}

/// Lies in the linda from parking until its own thread takes it away, so its number stays its own.
pub enum Operation<M> {
    /// In the wait lists of its keys, through the chain of links that begins with `links`.
    Parked {
        waiter: Arc<Waiter>,
        work: Work<M>,
        links: u32,
    },
    /// In no wait list any more.
    Completed(Answer<M>),
}

impl<M> Work<M> {
    pub fn is_send(&self) -> bool {
        matches!(self, Work::Send(_))
    }
}
