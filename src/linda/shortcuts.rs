//! What one state remembers of the slots that it receives from: shortcuts to their elements.

use super::key::{Key, KeyRef};
use super::object::Linda;
use crate::message::Message;
use hashbrown::Equivalent;
use lanes_engine::queues::{BorrowedKey, Shortcut};

/// How many slots are remembered.
const SLOTS: usize = 8;

/// Shortcuts, by linda and key: those that were used last. A shortcut to a linda or slot that is
/// gone is harmless.
#[derive(Default)]
pub struct Shortcuts([Option<RememberedSlot>; SLOTS]);

struct RememberedSlot {
    /// Its address.
    linda: usize,
    key: Key,
    shortcut: Shortcut<Message>,
}

fn place(linda: &Linda, key: &KeyRef) -> (usize, usize) {
    let address = std::ptr::from_ref(linda) as usize;
    // Lindas are larger than 64 bytes.
    (address, (address >> 6).wrapping_add(key.hint()) % SLOTS)
}

impl Shortcuts {
    /// The shortcut to a slot, if there is one.
    #[inline]
    pub fn find(&self, linda: &Linda, key: &KeyRef) -> Option<&Shortcut<Message>> {
        let (address, place) = place(linda, key);
        let entry = self.0[place].as_ref()?;
        (entry.linda == address && key.equivalent(&entry.key)).then_some(&entry.shortcut)
    }

    /// Remembers the shortcut to a slot. Those of slots whose key is an object are not remembered:
    /// that would keep the object alive.
    pub fn remember(&mut self, linda: &Linda, key: &KeyRef, shortcut: Shortcut<Message>) {
        if let KeyRef::Object(_) = key {
            return;
        }
        let (address, place) = place(linda, key);
        match &mut self.0[place] {
            Some(entry) if entry.linda == address && key.equivalent(&entry.key) => {
                entry.shortcut = shortcut;
            }
            entry => {
                *entry = Some(RememberedSlot {
                    linda: address,
                    key: key.to_key(),
                    shortcut,
                });
            }
        }
    }
}
