//! A slab: values under small numbers that stay valid until they are removed.

use std::ops::{Index, IndexMut};

/// The number of nothing.
pub const NONE: u32 = u32::MAX;

pub struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub const fn new() -> Slab<T> {
        Slab {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    pub fn insert(&mut self, value: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.entries[number as usize] = Some(value);
            return number;
        }
        let number = u32::try_from(self.entries.len()).expect("fewer than 2^32 entries");
        assert!(number != NONE, "fewer than 2^32 - 1 entries");
        self.entries.push(Some(value));
        number
    }

    pub fn remove(&mut self, number: u32) -> T {
        let value = self.entries[number as usize]
            .take()
            .expect("an occupied entry");
        self.free.push(number);
        if self.free.len() == self.entries.len() && self.entries.capacity() > 1024 {
            *self = Slab::new();
        }
        value
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(&self.entries)
            .filter_map(|(number, entry)| Some((number, entry.as_ref()?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        (0..)
            .zip(&mut self.entries)
            .filter_map(|(number, entry)| Some((number, entry.as_mut()?)))
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: u32) -> &T {
        self.entries[number as usize]
            .as_ref()
            .expect("an occupied entry")
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        self.entries[number as usize]
            .as_mut()
            .expect("an occupied entry")
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
