//! An arena for one Lua state: small blocks from chunks with a free list for each size, large ones
//! from the C library.
//!
//! It can remember its contents at one moment and return to them: a state with open libraries is
//! made again by copying some 30 KiB to the same addresses. One state uses it, on one thread at a
//! time, and frees each block with the size with which it asked for it.

#![allow(unsafe_code, reason = "an allocator hands out raw memory")]

use std::ffi::c_void;
use std::ptr;

/// Sizes of small blocks are multiples of this; it is also their alignment.
const BLOCK_UNIT: usize = 16;
/// The largest small block.
const LARGEST_SMALL_BLOCK: usize = 512;
/// Size of the first chunk: what a state with all libraries needs, and some more.
const FIRST_CHUNK: usize = 96 * 1024;
/// Size of the largest further chunk; they begin at an eighth of it and double.
const LARGEST_CHUNK: usize = 256 * 1024;

const SIZE_CLASSES: usize = LARGEST_SMALL_BLOCK / BLOCK_UNIT;

/// Memory of one state.
pub struct Arena {
    /// Chunks, the first one first.
    chunks: Vec<Chunk>,
    /// Where the next small block comes from.
    bump: *mut u8,
    end: *mut u8,
    /// Where small blocks come from when that is full: the rest of the first chunk, while blocks
    /// that the preparation freed are used up.
    rest: Vec<(*mut u8, *mut u8)>,
    /// First free block of each size; a free block begins with the address of the next.
    free: [*mut u8; SIZE_CLASSES],
    /// Everything comes from the first chunk, so that it can be remembered.
    preparing: bool,
    /// The state is being closed, and its finalizers have run: freed small blocks will not be asked
    /// for again.
    ending: bool,
    /// How many chunks the preparation used: large blocks that are in them did not come from the C
    /// library.
    prepared_chunks: usize,
    remembered: Option<Remembered>,
}

struct Chunk {
    start: *mut u8,
    len: usize,
}

/// What the arena held.
struct Remembered {
    contents: Vec<u8>,
    bump: *mut u8,
    end: *mut u8,
    rest: Vec<(*mut u8, *mut u8)>,
    free: [*mut u8; SIZE_CLASSES],
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: the chunk came from malloc and is freed once.
        unsafe { libc::free(self.start.cast()) }
    }
}

impl Chunk {
    fn new(len: usize) -> Option<Chunk> {
        // SAFETY: malloc has no requirements.
        let start: *mut u8 = unsafe { libc::malloc(len) }.cast();
        (!start.is_null()).then_some(Chunk { start, len })
    }

    fn end(&self) -> *mut u8 {
        // SAFETY: one past the end of the chunk.
        unsafe { self.start.add(self.len) }
    }

    fn contains(&self, block: *mut u8) -> bool {
        block >= self.start && block < self.end()
    }
}

/// The number of a block's size, for small blocks.
fn class(size: usize) -> usize {
    (size - 1) / BLOCK_UNIT
}

impl Arena {
    /// An arena with its first chunk. Returns `None` if memory runs out.
    pub fn new() -> Option<Arena> {
        let chunk = Chunk::new(FIRST_CHUNK)?;
        let (bump, end) = (chunk.start, chunk.end());
        Some(Arena {
            chunks: vec![chunk],
            bump,
            end,
            rest: Vec::new(),
            free: [ptr::null_mut(); SIZE_CLASSES],
            preparing: true,
            ending: false,
            prepared_chunks: usize::MAX,
            remembered: None,
        })
    }

    /// Ends the preparation. With `remember` the arena can return to what it holds now.
    pub fn prepared(&mut self, remember: bool) {
        // What did not fit the first chunk cannot be remembered.
        let whole = self.preparing && self.chunks.len() == 1;
        self.preparing = false;
        self.prepared_chunks = self.chunks.len();
        if let (true, Some(first)) = (remember && whole, self.chunks.first()) {
            // The rest of the chunk is at the bottom of the stack, or it is where blocks come from
            // now.
            let unused = self.rest.first().map_or(self.bump, |rest| rest.0);
            let used = unused as usize - first.start as usize;
            // SAFETY: every byte up to `bump` that matters has been written; the others are copied
            // as malloc left them.
            let contents = unsafe { std::slice::from_raw_parts(first.start, used) }.to_vec();
            self.remembered = Some(Remembered {
                contents,
                bump: self.bump,
                end: self.end,
                rest: self.rest.clone(),
                free: self.free,
            });
        }
    }

    /// Called when the state is being closed and its finalizers have run.
    pub fn end(&mut self) {
        self.ending = true;
    }

    /// Whether the arena can return to what it held.
    pub fn can_return(&self) -> bool {
        self.remembered.is_some()
    }

    /// Returns to what the arena held when it was prepared. The state that used it since then is
    /// closed, and has freed the blocks that came from the C library.
    pub fn return_to_prepared(&mut self) -> bool {
        let (Some(remembered), Some(first)) = (&self.remembered, self.chunks.first()) else {
            return false;
        };
        // SAFETY: the first chunk is at least as long as what was copied from it.
        unsafe {
            ptr::copy_nonoverlapping(
                remembered.contents.as_ptr(),
                first.start,
                remembered.contents.len(),
            )
        };
        self.bump = remembered.bump;
        self.end = remembered.end;
        self.rest.clone_from(&remembered.rest);
        self.free = remembered.free;
        self.ending = false;
        self.chunks.truncate(1);
        true
    }

    /// Allocates, resizes or frees, as an allocator function of Lua does.
    ///
    /// # Safety
    /// `block` is null, or came from this arena with `old` bytes.
    #[inline]
    pub unsafe fn allocate(&mut self, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
        let block: *mut u8 = block.cast();
        // SAFETY: passed on from the caller; the copy goes from a block of `old` bytes to one of
        // `new`.
        unsafe {
            if block.is_null() {
                return self.take(new).cast();
            }
            if new == 0 {
                self.give(block, old);
                return ptr::null_mut();
            }
            if old <= LARGEST_SMALL_BLOCK {
                if new <= LARGEST_SMALL_BLOCK && class(old.max(1)) == class(new) {
                    return block.cast();
                }
            } else if new > LARGEST_SMALL_BLOCK && !self.is_ours(block) {
                return libc::realloc(block.cast(), new);
            }
            let moved = self.take(new);
            if moved.is_null() {
                // Lua takes it for granted that a block can shrink.
                return if new <= old {
                    block.cast()
                } else {
                    ptr::null_mut()
                };
            }
            ptr::copy_nonoverlapping(block, moved, old.min(new));
            self.give(block, old);
            moved.cast()
        }
    }

    #[inline]
    unsafe fn take(&mut self, size: usize) -> *mut u8 {
        if size == 0 {
            return ptr::null_mut();
        }
        if size <= LARGEST_SMALL_BLOCK {
            let first = self.free[class(size)];
            if !first.is_null() {
                // SAFETY: a free block begins with the address of the next.
                self.free[class(size)] = unsafe { first.cast::<*mut u8>().read() };
                return first;
            }
            return self.bump((class(size) + 1) * BLOCK_UNIT);
        }
        if self.preparing {
            // Not from the rest of a chunk, which is for small blocks.
            if self.end as usize - (self.bump as usize) < size
                && let Some(rest) = self.rest.first_mut()
                && rest.1 as usize - rest.0 as usize >= size.next_multiple_of(BLOCK_UNIT)
            {
                let block = rest.0;
                // SAFETY: the region has room for the block.
                rest.0 = unsafe { block.add(size.next_multiple_of(BLOCK_UNIT)) };
                return block;
            }
            return self.bump(size.next_multiple_of(BLOCK_UNIT));
        }
        // SAFETY: malloc has no requirements.
        unsafe { libc::malloc(size) }.cast()
    }

    #[inline]
    fn bump(&mut self, size: usize) -> *mut u8 {
        while self.end as usize - (self.bump as usize) < size {
            match self.rest.pop() {
                Some(rest) => (self.bump, self.end) = rest,
                None if self.grow(size) => {}
                None => return ptr::null_mut(),
            }
        }
        let block = self.bump;
        // SAFETY: the chunk has room for the block.
        self.bump = unsafe { block.add(size) };
        block
    }

    /// Adds a chunk with room for `size` bytes.
    #[cold]
    fn grow(&mut self, size: usize) -> bool {
        let doubled = (LARGEST_CHUNK / 8) << self.chunks.len().saturating_sub(1).min(3);
        let Some(chunk) = Chunk::new(doubled.max(size)) else {
            return false;
        };
        self.bump = chunk.start;
        self.end = chunk.end();
        self.chunks.push(chunk);
        true
    }

    #[inline]
    unsafe fn give(&mut self, block: *mut u8, size: usize) {
        if size <= LARGEST_SMALL_BLOCK {
            if size == 0 || self.ending {
                return;
            }
            // SAFETY: the block is no longer used, and has room for an address.
            unsafe { block.cast::<*mut u8>().write(self.free[class(size)]) };
            self.free[class(size)] = block;
        } else if !self.is_ours(block) {
            // SAFETY: a large block that is in no chunk came from malloc.
            unsafe { libc::free(block.cast()) }
        } else if self.preparing {
            // Small blocks come from here next.
            self.rest.push((self.bump, self.end));
            self.bump = block;
            // SAFETY: the end of the block, whose size was rounded up.
            self.end = unsafe { block.add(size.next_multiple_of(BLOCK_UNIT)) };
        }
        // After the preparation, a large block that the preparation allocated stays unused until
        // the arena returns to its contents, or ends.
    }

    /// Whether a large block is in a chunk: it was allocated in the preparation.
    #[inline]
    fn is_ours(&self, block: *mut u8) -> bool {
        self.chunks
            .iter()
            .take(self.prepared_chunks)
            .any(|chunk| chunk.contains(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Allocates through the arena and fills the block.
    fn filled(arena: &mut Arena, size: usize, byte: u8) -> *mut u8 {
        // SAFETY: a fresh block of that size.
        unsafe {
            let block = arena.allocate(ptr::null_mut(), 0, size).cast::<u8>();
            assert!(!block.is_null());
            block.write_bytes(byte, size);
            block
        }
    }

    fn holds(block: *mut u8, size: usize, byte: u8) -> bool {
        // SAFETY: the block has that size and was filled.
        unsafe { std::slice::from_raw_parts(block, size) }
            .iter()
            .all(|&found| found == byte)
    }

    #[test]
    fn blocks_keep_their_contents_when_they_are_resized() {
        let mut arena = Arena::new().unwrap();
        arena.prepared(false);
        for size in [1, 15, 16, 17, 100, 511, 512, 513, 5000] {
            for new in [1, 16, 40, 512, 513, 6000, 100_000] {
                let block = filled(&mut arena, size, 7);
                // SAFETY: the block came from the arena with that size.
                unsafe {
                    let moved = arena.allocate(block.cast(), size, new).cast::<u8>();
                    assert!(holds(moved, size.min(new), 7), "{size} to {new}");
                    arena.allocate(moved.cast(), new, 0);
                }
            }
        }
    }

    #[test]
    fn blocks_that_were_given_back_are_used_again() {
        let mut arena = Arena::new().unwrap();
        let block = filled(&mut arena, 40, 1);
        // SAFETY: the block came from the arena with that size.
        unsafe { arena.allocate(block.cast(), 40, 0) };
        assert_eq!(filled(&mut arena, 33, 2), block);
    }

    #[test]
    fn blocks_do_not_overlap() {
        let mut arena = Arena::new().unwrap();
        let sizes = || (1..3000).map(|n| n % 700 + 1);
        let blocks: Vec<_> = sizes()
            .map(|size| (filled(&mut arena, size, size as u8), size))
            .collect();
        assert!(
            blocks
                .iter()
                .all(|&(block, size)| holds(block, size, size as u8))
        );
        arena.prepared(true);
        for (block, size) in blocks {
            // SAFETY: the block came from the arena with that size.
            unsafe { arena.allocate(block.cast(), size, 0) };
        }
    }

    #[test]
    fn it_returns_to_what_it_held_when_it_was_prepared() {
        let mut arena = Arena::new().unwrap();
        let (small, large) = (filled(&mut arena, 100, 1), filled(&mut arena, 5000, 2));
        arena.prepared(true);
        assert!(arena.can_return());
        let later: Vec<_> = (0..10_000).map(|_| filled(&mut arena, 64, 3)).collect();
        // SAFETY: the blocks came from the arena with these sizes.
        unsafe {
            small.write_bytes(9, 100);
            arena.allocate(small.cast(), 100, 0);
            large.write_bytes(9, 5000);
            arena.allocate(large.cast(), 5000, 0);
        }
        assert!(arena.return_to_prepared());
        assert!(holds(small, 100, 1) && holds(large, 5000, 2));
        assert_eq!(filled(&mut arena, 64, 4), later[0]);
    }

    #[test]
    fn large_blocks_that_the_preparation_gave_back_are_used_for_small_ones() {
        let mut arena = Arena::new().unwrap();
        let (first, second) = (filled(&mut arena, 1000, 1), filled(&mut arena, 2000, 2));
        // SAFETY: the block came from the arena with that size.
        unsafe { arena.allocate(first.cast(), 1000, 0) };
        let (small, large) = (filled(&mut arena, 64, 3), filled(&mut arena, 3000, 4));
        assert_eq!(small, first);
        assert!(large > second);
        arena.prepared(true);
        let next = filled(&mut arena, 64, 5);
        for _ in 0..2000 {
            filled(&mut arena, 64, 6);
        }
        assert!(arena.return_to_prepared());
        assert!(holds(second, 2000, 2) && holds(small, 64, 3) && holds(large, 3000, 4));
        assert_eq!(filled(&mut arena, 64, 5), next);
        let others: Vec<_> = (0..2000).map(|_| filled(&mut arena, 64, 6)).collect();
        assert!(holds(second, 2000, 2) && holds(large, 3000, 4) && holds(next, 64, 5));
        assert!(others.iter().all(|&block| holds(block, 64, 6)));
    }

    #[test]
    fn an_ending_arena_takes_back_large_blocks_only_until_it_returns() {
        let mut arena = Arena::new().unwrap();
        arena.prepared(true);
        let (small, large) = (filled(&mut arena, 64, 1), filled(&mut arena, 5000, 1));
        arena.end();
        // SAFETY: the blocks came from the arena with these sizes.
        unsafe {
            arena.allocate(small.cast(), 64, 0);
            arena.allocate(large.cast(), 5000, 0);
        }
        assert_ne!(filled(&mut arena, 64, 2), small);
        assert!(arena.return_to_prepared());
        let again = filled(&mut arena, 64, 3);
        assert_eq!(again, small);
        // SAFETY: as above.
        unsafe { arena.allocate(again.cast(), 64, 0) };
        assert_eq!(filled(&mut arena, 64, 4), again);
    }

    #[test]
    fn what_does_not_fit_the_first_chunk_is_not_remembered() {
        let mut arena = Arena::new().unwrap();
        filled(&mut arena, FIRST_CHUNK, 1);
        filled(&mut arena, 10, 1);
        arena.prepared(true);
        assert!(!arena.can_return());
    }
}
