//! The allocator of the library itself; Lua states have another. When the system is out of memory
//! blocks come from a reserve, because allocations within Rust's own library cannot be refused
//! without ending the process. Calls that begin while the reserve is in use are refused. So calls
//! that are under way end as usual, and the program sees an error.

#![allow(unsafe_code, reason = "an allocator hands out raw memory")]

use linked_list_allocator::LockedHeap;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Size of the reserve in bytes. The system provides the memory when it is first used.
const SIZE: usize = 1 << 20;

/// The largest block that comes from the reserve, in bytes. Larger ones are allocated in ways that
/// can be refused.
const LARGEST_BLOCK: usize = 1 << 17;

/// The block, in bytes, that the system must be able to provide when a call begins while the
/// reserve is in use.
const REQUIRED_BLOCK: usize = 1 << 16;

/// The system's memory, and the reserve behind it.
pub struct Memory {
    reserve: LockedHeap,
    /// Blocks of the reserve that are in use.
    used: AtomicUsize,
}

#[repr(align(4096))]
struct Area(UnsafeCell<MaybeUninit<[u8; SIZE]>>);

// SAFETY: only the heap of the reserve, which has a lock, uses it.
unsafe impl Sync for Area {}

static AREA: Area = Area(UnsafeCell::new(MaybeUninit::uninit()));

#[global_allocator]
static MEMORY: Memory = Memory {
    reserve: LockedHeap::empty(),
    used: AtomicUsize::new(0),
};

/// Whether a call that begins now must be refused: the reserve is in use, and the system is still
/// out of memory.
#[inline]
pub fn is_short() -> bool {
    MEMORY.used.load(Ordering::Relaxed) > 0 && !MEMORY.system_has_enough()
}

/// Whether a test refuses an allocation of `size` bytes by the system.
#[inline]
fn refused(size: usize) -> bool {
    #[cfg(feature = "hooks")]
    return crate::memory::faults::refuses_ours(size);
    #[cfg(not(feature = "hooks"))]
    {
        let _ = size;
        false
    }
}

impl Memory {
    #[cold]
    fn system_has_enough(&self) -> bool {
        let Ok(layout) = Layout::from_size_align(REQUIRED_BLOCK, 16) else {
            return false;
        };
        if refused(REQUIRED_BLOCK) {
            return false;
        }
        // SAFETY: the size is not 0; the block is freed with its own layout.
        unsafe {
            // Otherwise the compiler may assume that there is such a block, and leave the
            // allocation out.
            let block = std::hint::black_box(System.alloc(layout));
            if block.is_null() {
                return false;
            }
            System.dealloc(block, layout);
        }
        true
    }

    #[inline]
    fn is_reserve(block: *mut u8) -> bool {
        (block as usize).wrapping_sub(AREA.0.get() as usize) < SIZE
    }

    /// Allocates a block from the reserve. Returns null if that is full, or the block too large.
    #[cold]
    fn take(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST_BLOCK {
            return ptr::null_mut();
        }
        let mut heap = self.reserve.lock();
        if heap.size() == 0 {
            // SAFETY: only the heap uses the area, and this happens once, under the lock.
            unsafe { heap.init(AREA.0.get().cast(), SIZE) };
        }
        match heap.allocate_first_fit(layout) {
            Ok(block) => {
                self.used.fetch_add(1, Ordering::Relaxed);
                block.as_ptr()
            }
            Err(()) => ptr::null_mut(),
        }
    }

    /// # Safety
    /// The block is one of the reserve, with this layout, and is not used any more.
    #[cold]
    unsafe fn give_back(&self, block: *mut u8, layout: Layout) {
        if let Some(block) = ptr::NonNull::new(block) {
            // SAFETY: by the contract of this function.
            unsafe { self.reserve.lock().deallocate(block, layout) };
            self.used.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Moves a block to a new block of another size, into the reserve or out of it. Returns null if
    /// out of memory.
    ///
    /// # Safety As for `GlobalAlloc::realloc`.
    #[cold]
    unsafe fn move_block(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by the contract of `realloc`, the size is right for the alignment and not 0; the
        // block has the bytes that are copied.
        unsafe {
            let wanted = Layout::from_size_align_unchecked(size, layout.align());
            let place = if Self::is_reserve(block) {
                self.alloc(wanted)
            } else {
                self.take(wanted)
            };
            if !place.is_null() {
                ptr::copy_nonoverlapping(block, place, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            place
        }
    }
}

// SAFETY: blocks come from the system or from the heap of the reserve, which keep to the contract,
// and are returned to the one that they came from.
unsafe impl GlobalAlloc for Memory {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = if refused(layout.size()) {
            ptr::null_mut()
        } else {
            // SAFETY: passed on from the caller.
            unsafe { System.alloc(layout) }
        };
        if block.is_null() {
            self.take(layout)
        } else {
            block
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: passed on from the caller, to where the block came from.
        unsafe {
            if Self::is_reserve(block) {
                self.give_back(block, layout);
            } else {
                System.dealloc(block, layout);
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = if refused(layout.size()) {
            ptr::null_mut()
        } else {
            // SAFETY: passed on from the caller.
            unsafe { System.alloc_zeroed(layout) }
        };
        if !block.is_null() {
            return block;
        }
        let block = self.take(layout);
        if !block.is_null() {
            // SAFETY: the block has that size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let grows = size > layout.size();
        if !Self::is_reserve(block) && (!grows || !refused(size)) {
            // SAFETY: passed on from the caller.
            let moved = unsafe { System.realloc(block, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: passed on from the caller.
        unsafe { self.move_block(block, layout, size) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 16).unwrap()
    }

    fn fill(block: *mut u8, size: usize) {
        for i in 0..size {
            // SAFETY: within a block of this size.
            unsafe { block.add(i).write(i as u8) };
        }
    }

    fn is_filled(block: *mut u8, size: usize) -> bool {
        // SAFETY: within a block of this size, which was filled.
        (0..size).all(|i| unsafe { block.add(i).read() } == i as u8)
    }

    // One test, because there is one reserve.
    #[test]
    fn the_reserve_serves_and_is_whole_again() {
        assert!(!is_short());
        let small = MEMORY.take(layout(1000));
        assert!(Memory::is_reserve(small) && small.addr().is_multiple_of(16));
        assert_eq!(MEMORY.used.load(Ordering::Relaxed), 1);
        fill(small, 1000);
        // The system has memory: calls go on, and what grows moves there.
        assert!(!is_short());
        // SAFETY: blocks are used with their own layouts, and given back once.
        unsafe {
            let moved = MEMORY.realloc(small, layout(1000), 3000);
            assert!(!Memory::is_reserve(moved) && is_filled(moved, 1000));
            assert_eq!(MEMORY.used.load(Ordering::Relaxed), 0);
            fill(moved, 3000);
            let back = MEMORY.move_block(moved, layout(3000), 2000);
            assert!(Memory::is_reserve(back) && is_filled(back, 2000));
            MEMORY.dealloc(back, layout(2000));
        }
        assert!(MEMORY.take(layout(LARGEST_BLOCK + 1)).is_null());
        // To the last block, from several threads, twice.
        for _ in 0..2 {
            let all: Vec<Vec<usize>> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            std::iter::from_fn(|| {
                                let block = MEMORY.take(layout(4096));
                                (!block.is_null()).then(|| {
                                    fill(block, 4096);
                                    block.addr()
                                })
                            })
                            .collect()
                        })
                    })
                    .collect();
                threads.into_iter().map(|t| t.join().unwrap()).collect()
            });
            let count: usize = all.iter().map(Vec::len).sum();
            assert!(count > SIZE / 4096 - 8, "{count}");
            assert_eq!(MEMORY.used.load(Ordering::Relaxed), count);
            for address in all.into_iter().flatten() {
                let block = AREA.0.get().cast::<u8>().with_addr(address);
                assert!(is_filled(block, 4096));
                // SAFETY: taken above, with this layout.
                unsafe { MEMORY.dealloc(block, layout(4096)) };
            }
            assert_eq!(MEMORY.used.load(Ordering::Relaxed), 0);
        }
    }
}
