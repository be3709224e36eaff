//! Free loopback ports, outside the kernel's ephemeral range.
//!
//! A port from `:0` can be taken by an outgoing connection of another test before the
//! gateway binds it; these cannot, and two test processes start at different places.
//!
//! A child that is being made holds a copy of every socket until it has become its
//! program: [`making_a_child`] keeps such copies from holding a port that was tried.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Below Linux's default `ip_local_port_range` (32768).
const RANGE: std::ops::Range<u32> = 12_000..32_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

static CHILDREN: Mutex<()> = Mutex::new(());

/// Hold this while a child process is made: no port is tried meanwhile.
pub(crate) fn making_a_child() -> MutexGuard<'static, ()> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A port that nobody on 127.0.0.1 uses for UDP or TCP, not handed out before.
pub(crate) fn free_port() -> u16 {
    let _nobody_is_forked = making_a_child();
    let size = RANGE.end - RANGE.start;
    for _ in 0..size {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = std::process::id().wrapping_mul(97).wrapping_add(step) % size;
        let port = u16::try_from(RANGE.start + place).unwrap();
        let is_free = TcpListener::bind(("127.0.0.1", port)).is_ok()
            && UdpSocket::bind(("127.0.0.1", port)).is_ok();
        if is_free {
            return port;
        }
    }
    panic!("no free port in {RANGE:?}");
}
