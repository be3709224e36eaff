//! Why the resolver did not start, or ended.

use std::io;
use std::net::SocketAddr;

use crate::load::assemble::AssembleError;
use crate::metrics::MetricsError;
use crate::upstream::UpstreamError;

/// Why the resolver did not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Config or lists.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// No upstream server can be used.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// A socket cannot be opened.
    #[error("cannot listen on {address} ({proto}): {error}; {}", advice(error))]
    Listen {
        /// The address of the config.
        address: SocketAddr,
        /// `udp`, `tcp`, `admin` or `portal`.
        proto: &'static str,
        /// The error of the system.
        error: io::Error,
    },
    /// Threads, signals: what no config can mend.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
    /// Two metrics of one name.
    #[error("cannot start: {0}")]
    Metrics(#[from] MetricsError),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; stop it or change the address",
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE; use the systemd unit or another port"
        }
        io::ErrorKind::AddrNotAvailable => "the address is not of this machine",
        _ => "check the address",
    }
}
