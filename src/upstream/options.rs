//! Bounds and trust of upstream servers.

use std::time::Duration;

use crate::config::Upstream;
use crate::sys::clock::Dates;

/// How upstream servers are asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// For one try at one server.
    pub timeout: Duration,
    /// For one question, all tries together; a client gives up after two seconds or so.
    pub deadline: Duration,
    /// How often a question goes out over UDP when no server answers and there are
    /// fewer servers than this.
    pub attempts: usize,
    /// Questions waiting at once; one more is [`AskError::Busy`].
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
