//! Room in collections for what comes next, of sizes that programs decide. Where there is no memory for it the call ends, before anything has
//! changed: it unwinds to the function that Lua called, which raises "not enough memory".

use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};
use std::panic::resume_unwind;
use std::sync::Arc;

/// There is no memory for something. A call that ends for that reason unwinds with it.
#[derive(Debug)]
pub struct OutOfMemory;

/// Ends the call. Not to be used where frames of Lua's are between it and the function that Lua called.
#[cold]
pub fn out_of_memory() -> ! {
    resume_unwind(Box::new(OutOfMemory))
}

/// A collection that grows.
pub trait Grow {
    /// How many more elements it has room for.
    fn spare(&self) -> usize;

    /// Makes room for so many more; false where there is no memory for that.
    fn try_grow(&mut self, count: usize) -> bool;
}

macro_rules! grow {
    ($([$($parameters:tt)*] $collection:ty;)*) => {$(
        impl<$($parameters)*> Grow for $collection {
            #[inline]
            fn spare(&self) -> usize {
                self.capacity() - self.len()
            }

            fn try_grow(&mut self, count: usize) -> bool {
                self.try_reserve(count).is_ok()
            }
        }
    )*};
}

grow! {
    [T] Vec<T>;
    [T] VecDeque<T>;
    [K: Eq + Hash, V, S: BuildHasher] HashMap<K, V, S>;
    [K: Eq + Hash, V, S: BuildHasher] std::collections::HashMap<K, V, S>;
    [K: Eq + Hash, S: BuildHasher] HashSet<K, S>;
}

/// Whether there is room for so many more elements now.
#[inline]
pub fn has_room(list: &mut impl Grow, count: usize) -> bool {
    list.spare() >= count || list.try_grow(count)
}

/// Makes room for so many more elements; ends the call where there is no memory for that.
#[inline]
pub fn room(list: &mut impl Grow, count: usize) {
    if !has_room(list, count) {
        out_of_memory();
    }
}

/// Whether so many bytes could be had now, for what has no way of its own to be refused.
pub fn is_there(bytes: usize) -> bool {
    let mut probe: Vec<u8> = Vec::new();
    let there = probe.try_reserve_exact(bytes).is_ok();
    // Else the compiler may take for granted that it is, and leave the allocation out.
    std::hint::black_box(&probe);
    there
}

/// Ends the call where so many bytes could not be had now.
pub fn demand(bytes: usize) {
    if !is_there(bytes) {
        out_of_memory();
    }
}

/// Bytes that are shared; ends the call where there is no memory for them.
pub fn shared(bytes: &[u8]) -> Arc<[u8]> {
    // With the two counts in front of them.
    demand(bytes.len() + 16);
    bytes.into()
}

/// An empty list with room for so many elements; ends the call where there is no memory for that.
pub fn list<T>(count: usize) -> Vec<T> {
    let mut list = Vec::new();
    if list.try_reserve_exact(count).is_err() {
        out_of_memory();
    }
    list
}

/// Collects what comes into a list; ends the call where there is no memory for that.
pub fn collect<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut list = list(items.size_hint().0);
    for item in items {
        room(&mut list, 1);
        list.push(item);
    }
    list
}

/// A copy of bytes; ends the call where there is no memory for that.
#[inline]
pub fn copy(bytes: &[u8]) -> Vec<u8> {
    let mut copy = list(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_unwinds_without_a_message() {
        let mut list = vec![1u64];
        let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            room(&mut list, usize::MAX / 16);
        }));
        assert!(end.is_err_and(|end| end.is::<OutOfMemory>()));
        assert_eq!(list, [1]);
        room(&mut list, 100);
        assert!(list.capacity() >= 101);
    }

    #[test]
    fn what_is_there_is_asked_for() {
        assert!(is_there(100) && !is_there(usize::MAX / 4 * 3));
        assert_eq!(&*shared(b"text"), b"text");
    }

    #[test]
    fn collections_know_their_room() {
        let mut map: HashMap<u32, u32> = HashMap::new();
        for n in 0..1000 {
            room(&mut map, 1);
            let before = map.capacity();
            map.insert(n, n);
            assert_eq!(map.capacity(), before);
        }
        let mut queue: VecDeque<u8> = VecDeque::new();
        assert!(!has_room(&mut queue, usize::MAX));
        assert_eq!(collect(0..10).len(), 10);
    }
}
