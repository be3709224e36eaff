//! Why a list was not downloaded.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use hyper::StatusCode;

use crate::blocklist::ListRefusal;
use crate::config::file::quantity::{show_duration, show_size};

/// Why a list was not downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The host has no address.
    #[error("`{host}` cannot be resolved: {why}")]
    Name {
        /// The host.
        host: String,
        /// The failure of the look-up.
        why: String,
    },
    /// No server answers there.
    #[error("{address} cannot be reached: {error}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// The error of the system.
        error: io::Error,
    },
    /// The server's certificate is not for the host, or it speaks no TLS.
    #[error(
        "TLS with `{host}` failed: {error}; if its certificate is your own authority's, \
         set `tls_roots` in [lists]"
    )]
    Tls {
        /// The host.
        host: String,
        /// The error of the TLS library.
        error: io::Error,
    },
    /// The certificates to trust cannot be used.
    #[error("{path}: {why}; check `tls_roots` in [lists]")]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The server does not speak HTTP, or ended in the middle.
    #[error("the server does not keep to HTTP, or ended too early: {0}")]
    Http(#[from] hyper::Error),
    /// A status that is no success.
    #[error("the server says {0}")]
    Status(StatusCode),
    /// A redirect that is not followed.
    #[error("the server sends us to {to}: {why}")]
    Redirect {
        /// The target.
        to: String,
        /// The reason.
        why: &'static str,
    },
    /// The download exceeded its time limit.
    #[error("not downloaded within {}; `timeout` sets another limit", show_duration(*.0))]
    TooSlow(Duration),
    /// No octet arrived for this long.
    #[error("the server said nothing for {}", show_duration(*.0))]
    Silent(Duration),
    /// Next to no octets arrived for this long.
    #[error("the server sent {0} octets in {time}; it is given up", time = show_duration(*.1))]
    Dripping(usize, Duration),
    /// More octets than `max_size`.
    #[error("larger than {}; `max_size` sets another limit", show_size(*.0))]
    TooLarge(u64),
    /// A file of a repository has more octets than any has.
    #[error("more than {} came, which no such file has", show_size(*.0))]
    Endless(u64),
    /// A file of a repository did not come in time.
    #[error("the file did not come within {}", show_duration(*.0))]
    Late(Duration),
    /// A content encoding that was not requested.
    #[error("the server compressed it as `{0}`, which was not asked for")]
    Encoding(String),
    /// The copy cannot be stored.
    #[error("the copy cannot be kept in {path}: {error}")]
    Keep {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The packing is not that of its name, or it unpacks to too many octets.
    #[error("refused: it cannot be unpacked: {0}")]
    Unpack(io::Error),
    /// The body is no list.
    #[error("refused: {0}")]
    Refused(ListRefusal),
    /// Far fewer rules than the copy before.
    #[error(
        "refused: {rules} rules, and the copy before has {before}; if that is right, take it with \
         `lachan lists fetch --accept-shrunken`, or set `min_percent`"
    )]
    Shrunken {
        /// Rules of the download.
        rules: u64,
        /// Rules of the copy before.
        before: u64,
    },
}

impl FetchError {
    /// Whether the connection was cut, or there was none: the rest may come by another one.
    pub(super) fn is_cut(&self) -> bool {
        matches!(
            self,
            Self::Http(_)
                | Self::Silent(_)
                | Self::Dripping(..)
                | Self::Connect { .. }
                | Self::Name { .. }
        )
    }

    /// Whether a body arrived and was refused.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::Shrunken { .. } | Self::Unpack(_) | Self::TooLarge(_)
        )
    }
}
