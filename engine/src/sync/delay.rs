//! Delays at random in test builds, if LANES_DELAYS is in the environment: threads then meet in
//! orders that are very rare otherwise.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

/// The longest delay in microseconds, from LANES_DELAYS; 0 (no delays) if that is missing or not a
/// number.
static LONGEST: LazyLock<u64> = LazyLock::new(|| {
    let value = std::env::var("LANES_DELAYS").ok();
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
});

thread_local! {
    /// The state of this thread's random numbers; 0 before the first.
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

/// Delays the calling thread, once in `rarity` calls on average: lets others run, or sleeps up to
/// the longest time. All orders of magnitude are equally likely.
pub fn at_random(rarity: u64) {
    let longest = *LONGEST;
    if longest == 0 {
        return;
    }
    let random = next();
    if !random.is_multiple_of(rarity) {
        return;
    }
    match random >> 32 & 15 {
        0..4 => thread::yield_now(),
        magnitude => {
            let longest = longest >> (15 - magnitude);
            thread::sleep(Duration::from_micros((random >> 36) % (longest + 1)));
        }
    }
}

/// Xorshift (Marsaglia 2003).
fn next() -> u64 {
    RANDOM.with(|state| {
        let mut x = state.get();
        if x == 0 {
            x = RandomState::new().hash_one(thread::current().id()) | 1;
        }
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        x
    })
}
