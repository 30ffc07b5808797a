//! Soft requests that came without a wake-up. A lane that waits notices such a request at the next
//! wake-up of its linda, whatever caused it (docs/manual/cancellation.md); here nobody is woken in
//! vain, so an operation that may wake somebody looks for lanes with requests first.

use super::object::Linda;
use lanes_engine::queues::Who;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many lanes of the process have such a request and have not ended.
static LANES: AtomicUsize = AtomicUsize::new(0);

/// There is one more lane with such a request.
pub fn add() {
    LANES.fetch_add(1, Ordering::Release);
}

/// A lane with such a request has ended.
pub fn remove() {
    LANES.fetch_sub(1, Ordering::Release);
}

/// To be called before an operation on a linda that may wake these waiters: ends the waits of those
/// that have such a request.
#[inline]
pub fn before(linda: &Linda, may_wake: Who) {
    if LANES.load(Ordering::Acquire) != 0 {
        end_waits(linda, may_wake);
    }
}

#[cold]
fn end_waits(linda: &Linda, who: Who) {
    if who != Who::None {
        linda.queues.refuse_asked(who);
    }
}
