//! Dropping chains of lindas: the messages of a linda may hold the last references to other lindas,
//! whose messages do so in turn. Lindas are dropped inside each other up to a depth, and one after
//! another beyond, because such a chain can be longer than any stack.

use super::key::Key;
use super::object::Linda;
use crate::message::Message;
use lanes_engine::memory::grow;
use std::cell::{Cell, RefCell};

type Queues = lanes_engine::queues::Queues<Key, Message>;

/// How many lindas are dropped inside each other. Each level takes some 500 bytes of the stack.
const DEEPEST_DROP: u32 = 64;

thread_local! {
    /// How many lindas this thread is dropping, one inside another.
    static DROP_DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Queues that the outermost drop has still to drop.
    static POSTPONED: RefCell<Vec<Queues>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Linda {
    fn drop(&mut self) {
        if self.queues.were_used() {
            drop_queues(std::mem::replace(&mut self.queues, Queues::new()));
        }
    }
}

fn drop_queues(queues: Queues) {
    let depth = DROP_DEPTH.get();
    let rest = if depth < DEEPEST_DROP {
        Some(queues)
    } else {
        postpone(queues)
    };
    DROP_DEPTH.set(depth + 1);
    drop(rest);
    while depth == 0
        && let Some(queues) = POSTPONED
            .try_with(|later| later.borrow_mut().pop())
            .ok()
            .flatten()
    {
        drop(queues);
    }
    DROP_DEPTH.set(depth);
}

/// Leaves the queues to the outermost drop. Returns them if that is not possible: memory has run
/// out, or the thread is ending.
fn postpone(queues: Queues) -> Option<Queues> {
    let mut queues = Some(queues);
    let _ = POSTPONED.try_with(|later| {
        let mut later = later.borrow_mut();
        if grow::has_room(&mut *later, 1) {
            later.extend(queues.take());
        }
    });
    queues
}
