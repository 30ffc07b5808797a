//! A map that is quick for a handful of entries.

use crate::lua::Raising;
use hashbrown::HashMap;
use std::hash::Hash;

/// How many entries are searched one by one before a hash map takes over.
const FEW: usize = 8;

/// A map whose keys and values are cheap to copy.
pub struct Few<K, V> {
    few: Vec<(K, V)>,
    many: HashMap<K, V>,
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Few<K, V> {
        Few {
            few: Vec::new(),
            many: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Few<K, V> {
    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &K) -> Option<&V> {
        if self.many.is_empty() {
            return self
                .few
                .iter()
                .find(|entry| entry.0 == *key)
                .map(|entry| &entry.1);
        }
        self.many.get(key)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.many.is_empty() {
            return self
                .few
                .iter_mut()
                .find(|entry| entry.0 == *key)
                .map(|entry| &mut entry.1);
        }
        self.many.get_mut(key)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.few.len().max(self.many.len())
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        let few = if self.many.is_empty() {
            self.few.as_slice()
        } else {
            &[]
        };
        few.iter().map(|entry| &entry.0).chain(self.many.keys())
    }

    /// Makes room for one more entry; raises where there is no memory for it.
    #[inline]
    pub fn make_room(&mut self, raising: Raising) {
        if self.few.len() < FEW {
            raising.room(&mut self.few, 1);
        } else {
            let moved = if self.many.is_empty() { FEW } else { 0 };
            raising.room(&mut self.many, moved + 1);
        }
    }

    /// Adds an entry, for which there is room, with a key that has none yet.
    #[inline]
    pub fn insert(&mut self, key: K, value: V) {
        if self.few.len() < FEW {
            self.few.push((key, value));
        } else {
            if self.many.is_empty() {
                self.many.extend(self.few.iter().cloned());
            }
            self.many.insert(key, value);
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
