//! Messages to and from upstream servers: octets only, no socket, no clock.
//!
//! - [`query`] is the query and the match of a reply with it.
//! - [`reading`] is what a matched reply says.
//! - `letters` mixes the case of names (0x20), and takes it back.

mod letters;
pub(super) mod query;
pub(super) mod reading;
mod wire;

use self::query::{QueryForm, UpstreamQuery, has_question};
use self::reading::Reading;

/// A reply that is matched with its query, and what it says.
#[derive(Debug)]
pub(super) struct Reply {
    /// The message, its letters as the question has them.
    pub(super) octets: Vec<u8>,
    /// What it says.
    pub(super) reading: Reading,
}

impl Reply {
    /// The reply to a query that was sent in this form.
    pub(super) fn of(octets: &mut [u8], query: &UpstreamQuery, form: QueryForm) -> Self {
        query.restore_case(octets);
        let reading = Reading::of(octets);
        let reading = if form.edns { reading } else { reading.without_opt() };
        Self { octets: octets.to_vec(), reading }
    }

    /// The message, if it repeats its question: a bare header is no answer to hand on.
    pub(super) fn message(self) -> Option<Vec<u8>> {
        Some(self.octets).filter(|octets| has_question(octets))
    }
}
