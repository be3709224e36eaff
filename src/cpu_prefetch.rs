//! Hints to the processor: what will be read soon.
//!
//! Who answers many queries at once waits for memory once, together, and not at each.

use std::mem::size_of;

/// Octets of a line of the processor's cache.
pub const LINE: usize = 64;

/// Asks for the first `lines` lines of memory of a value; nothing is read.
#[inline]
pub fn fetch<T>(value: &T, lines: usize) {
    let lines = lines.min(size_of::<T>().div_ceil(LINE));
    for line in 0..lines {
        ask(std::ptr::from_ref(value).cast::<u8>().wrapping_add(line * LINE));
    }
}

/// Asks for the lines of memory that hold these octets; nothing is read.
#[inline]
pub fn fetch_octets(octets: &[u8]) {
    for line in 0..octets.len().div_ceil(LINE) {
        ask(octets.as_ptr().wrapping_add(line * LINE));
    }
}

#[inline]
#[expect(unsafe_code, reason = "a hint to the processor has no safe form")]
fn ask(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing and never faults, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the same.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{at}]",
            at = in(reg) at,
            options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = at;
}
