//! CPU prefetch: hints to load cache lines before they are read.
//!
//! A worker with a batch of queries issues the loads of all of them first, and so waits for memory
//! once a batch, not once a query.

use std::mem::size_of;

/// Octets of a cache line.
pub const LINE: usize = 64;

/// Prefetches the first `lines` cache lines of a value.
#[inline]
pub fn fetch<T>(value: &T, lines: usize) {
    let lines = lines.min(size_of::<T>().div_ceil(LINE));
    for line in 0..lines {
        ask(std::ptr::from_ref(value).cast::<u8>().wrapping_add(line * LINE));
    }
}

/// Prefetches the cache lines of these octets.
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
    // SAFETY: PRFM reads nothing and never faults, whatever the address; the registers and flags
    // are as declared.
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
