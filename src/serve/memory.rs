//! How memory is given back.
//!
//! Lists come and go in pieces of 128 KiB and more. glibc's allocator learns from
//! the first of them that such pieces are common, and from then on keeps them in a
//! heap that never shrinks: each reload would leave its own size behind. Fixing the
//! threshold keeps large pieces apart, and freed means returned.

/// Pieces of at least this many octets go back to the system when freed.
pub const RETURNED_FROM: usize = 128 << 10;

/// Sets the allocator up. To be called once, before threads start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt is the only way to fix glibc's threshold from inside")]
pub fn set_up() {
    let threshold = i32::try_from(RETURNED_FROM).unwrap_or(i32::MAX);
    // SAFETY: mallopt takes two integers and touches only the allocator's own settings;
    // no other thread runs yet.
    let was_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, threshold) };
    if was_set == 0 {
        tracing::debug!("the allocator keeps its own threshold");
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn set_up() {}
