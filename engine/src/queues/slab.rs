//! A slab: values under small numbers that stay valid until they are removed.

use crate::memory::grow::room;
use std::ops::{Index, IndexMut};

/// The number of nothing.
pub const NONE: u32 = u32::MAX;

/// Entries up to which an empty slab keeps its memory.
const KEPT: usize = 1024;

pub struct Slab<T> {
    entries: Vec<Entry<T>>,
    /// The first vacant entry, or NONE.
    vacant: u32,
    occupied: u32,
}

enum Entry<T> {
    Occupied(T),
    /// The next vacant entry, or NONE.
    Vacant(u32),
}

impl<T> Slab<T> {
    pub const fn new() -> Slab<T> {
        Slab {
            entries: Vec::new(),
            vacant: NONE,
            occupied: 0,
        }
    }

    /// Makes room for so many more values; unwinds where there is no memory for that.
    pub fn make_room(&mut self, count: usize) {
        let vacant = self.entries.len() - self.occupied as usize;
        room(&mut self.entries, count.saturating_sub(vacant));
    }

    pub fn insert(&mut self, value: T) -> u32 {
        self.occupied += 1;
        let number = self.vacant;
        if let Some(entry) = self.entries.get_mut(number as usize) {
            let Entry::Vacant(next) = *entry else {
                unreachable!("a vacant entry")
            };
            self.vacant = next;
            *entry = Entry::Occupied(value);
            return number;
        }
        let number = u32::try_from(self.entries.len())
            .ok()
            .filter(|number| *number != NONE);
        self.entries.push(Entry::Occupied(value));
        number.expect("fewer than 2^32 - 1 entries")
    }

    pub fn remove(&mut self, number: u32) -> T {
        let entry = std::mem::replace(
            &mut self.entries[number as usize],
            Entry::Vacant(self.vacant),
        );
        let Entry::Occupied(value) = entry else {
            unreachable!("an occupied entry")
        };
        self.vacant = number;
        self.occupied -= 1;
        if self.occupied == 0 && self.entries.capacity() > KEPT {
            *self = Slab::new();
        }
        value
    }

    /// The value under a number, if there is one.
    #[inline]
    pub fn get(&self, number: u32) -> Option<&T> {
        match self.entries.get(number as usize) {
            Some(Entry::Occupied(value)) => Some(value),
            _ => None,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(&self.entries)
            .filter_map(|(number, entry)| match entry {
                Entry::Occupied(value) => Some((number, value)),
                Entry::Vacant(_) => None,
            })
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Occupied(value) => Some(value),
            Entry::Vacant(_) => None,
        })
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: u32) -> &T {
        match &self.entries[number as usize] {
            Entry::Occupied(value) => value,
            Entry::Vacant(_) => unreachable!("an occupied entry"),
        }
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        match &mut self.entries[number as usize] {
            Entry::Occupied(value) => value,
            Entry::Vacant(_) => unreachable!("an occupied entry"),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_valid_and_are_reused() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        assert_eq!((slab[a], slab[b]), ("a", "b"));
        assert_eq!(slab.remove(a), "a");
        assert_eq!(slab.insert("c"), a);
        slab[b] = "d";
        assert_eq!((slab.get(b), slab.get(7)), (Some(&"d"), None));
        assert_eq!(slab.iter().collect::<Vec<_>>(), [(a, &"c"), (b, &"d")]);
    }

    #[test]
    fn a_large_slab_gives_its_memory_back_when_empty() {
        let mut slab = Slab::new();
        let numbers: Vec<u32> = (0..5000).map(|value| slab.insert(value)).collect();
        for (value, number) in numbers.into_iter().enumerate() {
            assert_eq!(slab.remove(number), value);
        }
        assert_eq!(slab.entries.capacity(), 0);
        assert_eq!(slab.insert(1), 0);
    }
}
