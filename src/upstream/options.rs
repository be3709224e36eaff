//! Limits of upstream queries, and the certificates to trust.

use std::time::Duration;

use crate::config::Upstream;
use crate::sys::clock::Dates;

/// Limits of upstream queries, and the certificates to trust.
#[derive(Debug, Clone)]
pub struct Options {
    /// Time limit of one try at one server.
    pub timeout: Duration,
    /// Time limit of one question, all tries together: clients give up after two seconds or so.
    pub deadline: Duration,
    /// Tries of one question over UDP where no server answers and there are fewer servers than
    /// this.
    pub attempts: usize,
    /// Questions waiting at once; one more is [`AskError::Busy`](crate::upstream::AskError::Busy).
    pub in_flight: usize,
    /// Tries under way at one server; one more goes to the next.
    pub server_in_flight: usize,
    /// Certificates, in PEM, that are trusted besides the public ones.
    pub tls_roots: Option<Vec<u8>>,
    /// Whether the dates of certificates can be judged.
    pub dates: Dates,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(1500),
            deadline: Duration::from_millis(1900),
            attempts: 3,
            in_flight: 4096,
            server_in_flight: 2048,
            tls_roots: None,
            dates: Dates::default(),
        }
    }
}

impl Options {
    /// The options of a config; `dates` says whether the dates of certificates can be judged.
    pub fn of(config: &Upstream, dates: Dates) -> Self {
        Self {
            timeout: config.timeout,
            in_flight: config.in_flight,
            server_in_flight: config.server_in_flight,
            tls_roots: config.roots.clone(),
            dates,
            ..Self::default()
        }
    }
}
