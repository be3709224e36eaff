//! The operating system: clock, programs of the machine, state directory, presence of addresses, file events, log, mapped files, memory, panics, TLS, certificates, archives, the service manager, `unsafe` calls.

pub mod archive;
pub mod authority;
pub mod certificate;
pub mod certificates;
pub mod clock;
pub mod command;
pub mod exposed;
pub mod log;
pub mod mapped;
pub mod memory;
pub mod os;
pub mod panics;
pub mod presence;
pub mod read;
pub mod service;
pub mod state_dir;
pub mod tls;
pub mod watch;
