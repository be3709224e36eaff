//! Transports to a server: UDP with TCP behind it, TCP, TLS, HTTPS.

mod connection;
pub(super) mod https;
mod sockets;
pub(super) mod stream;
pub(super) mod udp;

use std::sync::atomic::{AtomicBool, Ordering};

/// A sign that a try may fail: another server is asked, and the try goes on.
#[derive(Debug, Default)]
pub(super) struct Hint(AtomicBool);

impl Hint {
    /// Gives the sign.
    pub(super) fn give(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Takes it back; whether it was given.
    pub(super) fn take(&self) -> bool {
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}
