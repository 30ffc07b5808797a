//! Room in collections, for what comes next, whose size programs decide. If out of memory a call
//! ends before anything has changed: a function either returns [`OutOfMemory`], or unwinds with it
//! to the function that Lua called, which raises "not enough memory". Each function says which.

use hashbrown::{HashMap, HashSet};
use smallvec::{Array, SmallVec};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};
use std::panic::resume_unwind;
use std::sync::Arc;

/// Out of memory.
#[derive(Debug)]
pub struct OutOfMemory;

/// Unwinds with [`OutOfMemory`]. Not to be called if frames of Lua's are between the call and the
/// function that Lua called.
#[cold]
pub fn out_of_memory() -> ! {
    resume_unwind(Box::new(OutOfMemory))
}

/// A collection that grows.
pub trait Grow {
    /// How many more elements it has room for.
    fn spare(&self) -> usize;

    /// Makes room for `count` more elements; false if out of memory.
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
    [A: Array] SmallVec<A>;
    [K: Eq + Hash, V, S: BuildHasher] HashMap<K, V, S>;
    [K: Eq + Hash, V, S: BuildHasher] std::collections::HashMap<K, V, S>;
    [K: Eq + Hash, S: BuildHasher] HashSet<K, S>;
}

/// Makes room for `count` more elements; false if out of memory.
#[inline]
pub fn has_room(list: &mut impl Grow, count: usize) -> bool {
    list.spare() >= count || list.try_grow(count)
}

/// Makes room for `count` more elements.
///
/// Errors: out of memory.
#[inline]
pub fn try_room(list: &mut impl Grow, count: usize) -> Result<(), OutOfMemory> {
    if has_room(list, count) {
        Ok(())
    } else {
        Err(OutOfMemory)
    }
}

/// Makes room for `count` more elements. Unwinds if out of memory.
#[inline]
pub fn room(list: &mut impl Grow, count: usize) {
    if !has_room(list, count) {
        out_of_memory();
    }
}

/// Whether a block of `bytes` bytes can be allocated now: for what cannot be refused otherwise.
pub fn is_there(bytes: usize) -> bool {
    let mut block: Vec<u8> = Vec::new();
    let there = block.try_reserve_exact(bytes).is_ok();
    // Otherwise the compiler may assume that it can, and leave the allocation out.
    std::hint::black_box(&block);
    there
}

/// Unwinds if a block of `bytes` bytes cannot be allocated now.
pub fn demand(bytes: usize) {
    if !is_there(bytes) {
        out_of_memory();
    }
}

/// A shared copy of bytes. Unwinds if out of memory.
pub fn shared(bytes: &[u8]) -> Arc<[u8]> {
    // With the two counts in front of them.
    demand(bytes.len() + 16);
    bytes.into()
}

/// An empty list with room for `count` elements.
///
/// Errors: out of memory.
pub fn try_list<T>(count: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut list = Vec::new();
    match list.try_reserve_exact(count) {
        Ok(()) => Ok(list),
        Err(_) => Err(OutOfMemory),
    }
}

/// An empty list with room for `count` elements. Unwinds if out of memory.
pub fn list<T>(count: usize) -> Vec<T> {
    try_list(count).unwrap_or_else(|OutOfMemory| out_of_memory())
}

/// A list of all items. Unwinds if out of memory.
pub fn collect<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut list = list(items.size_hint().0);
    for item in items {
        room(&mut list, 1);
        list.push(item);
    }
    list
}

/// A copy of bytes.
///
/// Errors: out of memory.
#[inline]
pub fn try_copy(bytes: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    let mut copy = try_list(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// A copy of bytes. Unwinds if out of memory.
#[inline]
pub fn copy(bytes: &[u8]) -> Vec<u8> {
    try_copy(bytes).unwrap_or_else(|OutOfMemory| out_of_memory())
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
    fn memory_that_is_there_can_be_allocated() {
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
