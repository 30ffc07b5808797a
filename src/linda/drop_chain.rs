//! What a linda leaves behind: its messages may hold the last references to other lindas, whose messages do so in turn. They are
//! dropped one inside the other only so deep, and later beyond, because a chain of lindas can be longer than any stack.

use super::key::Key;
use super::object::Linda;
use crate::message::Message;
use lanes_engine::memory::grow;
use std::cell::{Cell, RefCell};

type Queues = lanes_engine::queues::Queues<Key, Message>;

/// How many lindas are dropped inside each other: a level takes some 500 bytes of the stack.
const DEEPEST: u32 = 64;

thread_local! {
    /// How many lindas this thread is dropping, one inside the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What the outermost of them has to drop.
    static LATER: RefCell<Vec<Queues>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Linda {
    fn drop(&mut self) {
        if self.queues.were_used() {
            drop_queues(std::mem::replace(&mut self.queues, Queues::new()));
        }
    }
}

fn drop_queues(queues: Queues) {
    let depth = DEPTH.get();
    let rest = if depth < DEEPEST {
        Some(queues)
    } else {
        postpone(queues)
    };
    DEPTH.set(depth + 1);
    drop(rest);
    while depth == 0
        && let Some(queues) = LATER
            .try_with(|later| later.borrow_mut().pop())
            .ok()
            .flatten()
    {
        drop(queues);
    }
    DEPTH.set(depth);
}

/// Leaves the queues to the outermost drop. Gives them back where that cannot be: for lack of memory, or at the end of the thread.
fn postpone(queues: Queues) -> Option<Queues> {
    let mut queues = Some(queues);
    let _ = LATER.try_with(|later| {
        let mut later = later.borrow_mut();
        if grow::has_room(&mut *later, 1) {
            later.extend(queues.take());
        }
    });
    queues
}
