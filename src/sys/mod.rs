//! The operating system: clock, state directory, presence of addresses, file events, log, TLS, archives, `unsafe` calls.

pub mod archive;
pub mod clock;
pub mod log;
pub mod os;
pub mod presence;
pub mod read;
pub mod state_dir;
pub mod tls;
pub mod watch;
