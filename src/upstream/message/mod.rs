//! Messages to and from upstream servers: octets only, no socket, no clock.
//!
//! - [`query`] is the query and the match of a reply with it.
//! - [`reading`] is what a matched reply says.
//! - `letters` mixes the case of names (0x20), and takes it back.

mod letters;
pub(super) mod query;
pub(super) mod reading;
mod wire;

use self::query::{Match, QueryForm, UpstreamQuery, has_question};
use self::reading::Reading;
use crate::dns::message::Question;

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

/// The message that is handed on of octets that came as the reply to a query of this id; with
/// `mixed`, to one with each letter of its name in upper case. Fuzz targets have no socket.
#[doc(hidden)]
pub fn heard_message(
    question: &Question,
    id: u16,
    mixed: bool,
    octets: &mut [u8],
) -> Option<Vec<u8>> {
    let form = QueryForm { mixed, edns: true };
    let query = UpstreamQuery::new(question, id, form, || true);
    match query.judge(octets) {
        Match::Mine => Reply::of(octets, &query, form).message(),
        Match::OtherCase | Match::Bare | Match::Other => None,
    }
}
