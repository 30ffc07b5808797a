//! A slab: values under small numbers that stay valid until they are removed.

use crate::memory::grow::{OutOfMemory, try_room};
use std::ops::{Index, IndexMut};

/// No number of a value.
pub const NONE: u32 = u32::MAX;

/// An empty slab gives its memory back if it has more places than this.
const KEPT_PLACES: usize = 1024;

pub struct Slab<T> {
    places: Vec<Place<T>>,
    /// The first vacant place, or NONE.
    vacant: u32,
    occupied: u32,
}

enum Place<T> {
    Occupied(T),
    /// The next vacant place, or NONE.
    Vacant(u32),
}

impl<T> Slab<T> {
    pub const fn new() -> Slab<T> {
        Slab {
            places: Vec::new(),
            vacant: NONE,
            occupied: 0,
        }
    }

    /// Makes room for `count` more values.
    ///
    /// Errors: out of memory.
    pub fn make_room(&mut self, count: usize) -> Result<(), OutOfMemory> {
        let vacant = self.places.len() - self.occupied as usize;
        try_room(&mut self.places, count.saturating_sub(vacant))
    }

    /// Stores a value and returns its number.
    pub fn insert(&mut self, value: T) -> u32 {
        self.occupied += 1;
        let number = self.vacant;
        if let Some(place) = self.places.get_mut(number as usize) {
            let Place::Vacant(next) = *place else {
                unreachable!("a vacant place")
            };
            self.vacant = next;
            *place = Place::Occupied(value);
            return number;
        }
        let number = u32::try_from(self.places.len())
            .ok()
            .filter(|number| *number != NONE);
        self.places.push(Place::Occupied(value));
        number.expect("fewer than 2^32 - 1 places")
    }

    /// Removes and returns the value under a number. There must be one.
    pub fn remove(&mut self, number: u32) -> T {
        let place = std::mem::replace(
            &mut self.places[number as usize],
            Place::Vacant(self.vacant),
        );
        let Place::Occupied(value) = place else {
            unreachable!("an occupied place")
        };
        self.vacant = number;
        self.occupied -= 1;
        if self.occupied == 0 && self.places.capacity() > KEPT_PLACES {
            *self = Slab::new();
        }
        value
    }

    /// The value under a number; `None` if there is none.
    #[inline]
    pub fn get(&self, number: u32) -> Option<&T> {
        match self.places.get(number as usize) {
            Some(Place::Occupied(value)) => Some(value),
            _ => None,
        }
    }

    /// All numbers and values.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(&self.places)
            .filter_map(|(number, place)| match place {
                Place::Occupied(value) => Some((number, value)),
                Place::Vacant(_) => None,
            })
    }

    /// All values.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().filter_map(|place| match place {
            Place::Occupied(value) => Some(value),
            Place::Vacant(_) => None,
        })
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: u32) -> &T {
        match &self.places[number as usize] {
            Place::Occupied(value) => value,
            Place::Vacant(_) => unreachable!("an occupied place"),
        }
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        match &mut self.places[number as usize] {
            Place::Occupied(value) => value,
            Place::Vacant(_) => unreachable!("an occupied place"),
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
        assert_eq!(slab.places.capacity(), 0);
        assert_eq!(slab.insert(1), 0);
    }
}
