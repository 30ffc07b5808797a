//! The monitors of a lane: slots of lindas that are told of its end (docs/manual/failures.md).
//!
//! The lane seals its monitors before it captures the outcome. A monitor is either in the list by
//! then, or `add` refuses it, and the caller reads the outcome of the lane that has ended.

use super::outcome::Stage;
use crate::linda::{Key, Linda, soft_requests};
use crate::message::Message;
use lanes_engine::memory::grow;
use lanes_engine::park::{Deadline, Refusal, Wait, Waiter};
use lanes_engine::queues::{Values, Who};
use lanes_engine::sync::{Mutex, Seal};
use std::sync::Arc;

/// The messages that are sent if none can be made at the end (out of memory): for a lane that has
/// returned, one that has failed, and one that was cancelled.
pub struct Spare {
    pub done: Message,
    pub failed: Message,
    pub cancelled: Message,
}

/// The monitors of a lane.
#[derive(Default)]
pub struct Monitors {
    seal: Seal,
    /// None until the first monitor is added, so that lanes without monitors pay nothing.
    list: Mutex<Option<Box<List>>>,
}

#[derive(Default)]
struct List {
    targets: Vec<(Arc<Linda>, Key)>,
    spare: Option<Spare>,
    message: Option<Message>,
}

impl Monitors {
    /// Adds a slot. Returns false if the lane has ended or is about to. Unwinds if out of memory.
    pub fn add(&self, linda: &Arc<Linda>, key: &Key, spare: Spare) -> bool {
        let mut list = self.list.lock();
        if list.is_none() {
            grow::demand(size_of::<List>());
        }
        let list = list.get_or_insert_default();
        grow::room(&mut list.targets, 1);
        let target = (Arc::clone(linda), key.clone());
        if !self.seal.admit() {
            return false;
        }
        list.targets.push(target);
        list.spare.get_or_insert(spare);
        true
    }

    /// Seals the list: no monitor can be added afterwards. Returns whether there are any.
    #[inline]
    pub fn seal(&self) -> bool {
        self.seal.seal()
    }

    /// Sets the message that is sent at the end.
    pub fn prepare(&self, message: Message) {
        if let Some(list) = &mut *self.list.lock() {
            list.message = Some(message);
        }
    }

    /// Sends the message of the end to all slots and removes them. A full slot and a cancelled
    /// linda do not receive it.
    pub fn tell(&self, stage: Stage) {
        let list = self.list.lock().take();
        let Some(list) = list else {
            return;
        };
        let List {
            targets,
            spare,
            message,
        } = *list;
        let message = message.or_else(|| {
            spare.map(|spare| match stage {
                Stage::Error => spare.failed,
                Stage::Cancelled => spare.cancelled,
                _ => spare.done,
            })
        });
        if let Some(message) = message {
            for (linda, key) in &targets {
                let _ = send(linda, key, message.clone());
            }
        }
    }
}

/// Sends a message without waiting; requests to the calling state have no effect.
///
/// Errors: the slot is full (`Refusal::TimedOut`); the linda is cancelled; out of memory.
pub fn send(linda: &Linda, key: &Key, message: Message) -> Result<(), Refusal> {
    soft_requests::before(linda, Who::Read);
    let wait = Wait {
        waiter: &Waiter::new(),
        deadline: Deadline::Now,
        interrupted: None,
        sleeps: None,
    };
    linda
        .queues
        .send(&wait, &key.borrowed(), Values::One(message), &[])
        .map_err(|(refusal, _)| refusal)
}
