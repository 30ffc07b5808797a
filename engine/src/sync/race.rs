//! Points at which threads race, for test builds to delay them there.

/// A point at which another thread may come first. Test builds delay the calling thread here, once
/// in `rarity` times on average, if `LANES_DELAYS` is set.
#[inline(always)]
pub fn race_point(rarity: u64) {
    #[cfg(all(feature = "hooks", not(loom)))]
    super::delay::at_random(rarity);
    let _ = rarity;
}
