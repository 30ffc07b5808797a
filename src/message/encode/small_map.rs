//! A map that is fast for a few entries.

use crate::lua::Raising;
use hashbrown::HashMap;
use std::hash::Hash;

/// Up to this number of entries they are in a list that is searched one by one; with more, they are
/// in a hash map.
const LIST_LIMIT: usize = 8;

/// A hash map larger than this is freed when it is cleared.
const KEPT_ENTRIES: usize = 1024;

/// A map whose keys and values are cheap to copy.
pub(super) struct SmallMap<K, V> {
    list: Vec<(K, V)>,
    /// All entries, once there are more than [`LIST_LIMIT`]; empty before.
    map: HashMap<K, V>,
}

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> SmallMap<K, V> {
        SmallMap {
            list: Vec::new(),
            map: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> SmallMap<K, V> {
    /// The value of a key; `None` if the key is missing.
    #[inline]
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        if self.map.is_empty() {
            return self
                .list
                .iter()
                .find(|entry| entry.0 == *key)
                .map(|entry| &entry.1);
        }
        self.map.get(key)
    }

    /// The value of a key, mutable; `None` if the key is missing.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.map.is_empty() {
            return self
                .list
                .iter_mut()
                .find(|entry| entry.0 == *key)
                .map(|entry| &mut entry.1);
        }
        self.map.get_mut(key)
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.list.len().max(self.map.len())
    }

    /// All keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        let list = if self.map.is_empty() {
            self.list.as_slice()
        } else {
            &[]
        };
        list.iter().map(|entry| &entry.0).chain(self.map.keys())
    }

    /// Makes room for one more entry; raises if memory runs out.
    #[inline]
    pub(super) fn make_room(&mut self, raising: Raising) {
        if self.list.len() < LIST_LIMIT {
            raising.room(&mut self.list, 1);
        } else {
            let moved = if self.map.is_empty() { LIST_LIMIT } else { 0 };
            raising.room(&mut self.map, moved + 1);
        }
    }

    /// Adds an entry with a key that is missing. `make_room` has been called for it.
    #[inline]
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.list.len() < LIST_LIMIT {
            self.list.push((key, value));
        } else {
            if self.map.is_empty() {
                self.map.extend(self.list.iter().cloned());
            }
            self.map.insert(key, value);
        }
    }

    /// Removes all entries.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        if self.map.capacity() > KEPT_ENTRIES {
            self.map = HashMap::new();
        } else if !self.map.is_empty() {
            self.map.clear();
        }
    }
}
