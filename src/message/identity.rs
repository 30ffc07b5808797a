//! Which objects of a message have been seen: a map from address to number, quick for a handful of objects.

use crate::lua::Raising;
use hashbrown::HashMap;

/// How many objects are searched one by one before a hash map takes over.
const FEW: usize = 8;

/// What is remembered of an object: its number, and where its flags are in the buffer.
#[derive(Clone, Copy)]
pub struct Seen {
    /// Number of the object within the message.
    pub number: u32,
    /// Position of its flags byte.
    pub flags: usize,
}

/// Map from the address of an object to what is known of it. Valid while the objects are alive, that is, during one
/// encoding: all of them are reachable from the values being encoded.
#[derive(Default)]
pub struct Identity {
    few: Vec<(usize, Seen)>,
    many: HashMap<usize, Seen>,
}

impl Identity {
    /// What is known of the object at `address`.
    #[inline]
    pub fn get(&self, address: usize) -> Option<Seen> {
        if self.many.is_empty() {
            return self
                .few
                .iter()
                .find(|entry| entry.0 == address)
                .map(|entry| entry.1);
        }
        self.many.get(&address).copied()
    }

    /// The addresses of all objects.
    pub fn addresses(&self) -> impl Iterator<Item = usize> {
        let few = if self.many.is_empty() {
            self.few.as_slice()
        } else {
            &[]
        };
        few.iter()
            .map(|entry| entry.0)
            .chain(self.many.keys().copied())
    }

    /// Makes room for one more object; raises where there is no memory for it.
    #[inline]
    pub fn make_room(&mut self, raising: Raising) {
        if self.few.len() < FEW {
            raising.room(&mut self.few, 1);
        } else {
            let moved = if self.many.is_empty() { FEW } else { 0 };
            raising.room(&mut self.many, moved + 1);
        }
    }

    /// Remembers an object, for which there is room.
    #[inline]
    pub fn insert(&mut self, address: usize, seen: Seen) {
        if self.few.len() < FEW {
            self.few.push((address, seen));
        } else {
            if self.many.is_empty() {
                self.many.extend(self.few.iter().copied());
            }
            self.many.insert(address, seen);
        }
    }

    /// Forgets everything; gives the memory of a large map back.
    pub fn clear(&mut self) {
        self.few.clear();
        if self.many.capacity() > 1024 {
            self.many = HashMap::new();
        } else if !self.many.is_empty() {
            self.many.clear();
        }
    }
}
