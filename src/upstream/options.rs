//! Limits of upstream queries, and the certificates to trust.

use std::time::Duration;

use crate::config::Upstream;
use crate::sys::clock::Dates;

/// The longest time for which a question stays under way.
const GIVE_UP: Duration = Duration::from_secs(10);

/// Limits of upstream queries, and the certificates to trust.
#[derive(Debug, Clone)]
pub struct Options {
    /// Time limit of one try at one server.
    pub timeout: Duration,
    /// Time limit of those that ask: clients give up after two seconds or so.
    pub deadline: Duration,
    /// Tries under way at one server; one more goes to the next server, and from half of them on a
    /// question is not sent to it again.
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
            deadline: config.deadline,
            server_in_flight: config.server_in_flight,
            tls_roots: config.roots.clone(),
            dates,
        }
    }

    /// Time limit of a question: its answer may come later than those that asked wait for it.
    pub(super) fn give_up(&self) -> Duration {
        (self.deadline * 2).min(GIVE_UP).max(self.deadline)
    }
}
