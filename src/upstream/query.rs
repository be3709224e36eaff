//! Upstream query: its wire form, and the match of a reply.
//!
//! Octets only: no socket, no clock. A reply is *mine* when it is a response, carries the query's
//! id and question, and its records end inside it. Law: any other message must never change the
//! state of the query, because anyone can send a datagram.

use crate::dns::message::Question;

/// The UDP payload we can take: below every path MTU in use (RFC 9715).
const PAYLOAD: u16 = 1232;
/// Octets of a message header (RFC 1035 §4.1.1).
const HEADER: usize = 12;
/// RD, in the third octet of the header.
const RD: u8 = 0x01;
/// TC, in the third octet.
const TC: u8 = 0x02;
/// QR, in the third octet.
const QR: u8 = 0x80;
/// CD, in the fourth octet.
const CD: u8 = 0x10;
/// AD, in the fourth octet: in a query, "say whether it is validated" (RFC 6840 §5.7).
const AD: u8 = 0x20;

/// A query ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct UpstreamQuery {
    octets: Vec<u8>,
    /// The question section in lower case, as it was asked.
    question: Vec<u8>,
}

/// The match of a received message with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// The reply.
    Mine,
    /// The reply but for its case (0x20): spoofed, or from a server that lower-cases names.
    OtherCase,
    /// Another message, or a malformed one.
    Other,
}

impl UpstreamQuery {
    /// A query with this id: RD, AD, EDNS with DO and CD as asked, and no option.
    pub(super) fn new(question: &Question, id: u16) -> Self {
        let checking = if question.checking_disabled { CD } else { 0 };
        let mut octets = Vec::with_capacity(HEADER + question.name.as_wire().len() + 15);
        octets.extend(id.to_be_bytes());
        octets.extend([RD, AD | checking, 0, 1, 0, 0, 0, 0, 0, 1]);
        octets.extend(question.name.as_wire());
        octets.extend(question.qtype.to_be_bytes());
        octets.extend([0, 1]);
        let section = octets.get(HEADER..).unwrap_or_default().to_vec();
        // OPT: the root as owner, type 41, payload, extended code and version 0, flags, no options.
        octets.extend([0, 0, 41]);
        octets.extend(PAYLOAD.to_be_bytes());
        octets.extend([0, 0, if question.dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]);
        Self { octets, question: section }
    }

    /// Gives each letter of the name the case of a bit of `bits` (0x20).
    ///
    /// A spoofer must guess it along with id and port. Length octets are at most 63 and so are
    /// never letters.
    pub(super) fn mix_case(&mut self, mut bits: impl FnMut() -> bool) {
        let name = self.question.len().saturating_sub(4);
        for octet in self.octets.iter_mut().skip(HEADER).take(name) {
            if octet.is_ascii_lowercase() && bits() {
                octet.make_ascii_uppercase();
            }
        }
    }

    /// The message, as it is sent.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Matches `reply` with this query.
    pub(super) fn judge(&self, reply: &[u8]) -> Match {
        let (Some(header), Some(id)) = (reply.get(..HEADER), self.octets.get(..2)) else {
            return Match::Other;
        };
        let response = header.get(2).is_some_and(|flags| flags & QR != 0);
        if !header.starts_with(id) || !response || !records_end_inside(reply) {
            return Match::Other;
        }
        // A server that could not read the question may leave it out (RFC 1035 §4.1.1).
        if count(reply, 4) == 0 && Rejection::of(reply).is_some() {
            return Match::Mine;
        }
        let end = HEADER + self.question.len();
        match (count(reply, 4), reply.get(HEADER..end), self.octets.get(HEADER..end)) {
            (1, Some(theirs), Some(ours)) if theirs == ours => Match::Mine,
            (1, Some(theirs), Some(ours)) if theirs.eq_ignore_ascii_case(ours) => Match::OtherCase,
            _ => Match::Other,
        }
    }

    /// Puts the question of a reply that is *mine* back into lower case.
    pub(super) fn restore_case(&self, reply: &mut [u8]) {
        if count(reply, 4) == 1
            && let Some(section) = reply.get_mut(HEADER..HEADER + self.question.len())
        {
            section.copy_from_slice(&self.question);
        }
    }
}

/// True for TC: the answer is longer than a datagram.
pub(super) fn is_truncated(reply: &[u8]) -> bool {
    reply.get(2).is_some_and(|flags| flags & TC != 0)
}

/// Whether the reply repeats a question; a bare header is no answer to hand on.
pub(super) fn has_question(reply: &[u8]) -> bool {
    count(reply, 4) == 1
}

/// A response code that sends the question to another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// FORMERR or NOTIMP.
    NotUnderstood,
}

impl Rejection {
    /// The rejection in the header of `reply`, if it is one.
    pub(super) fn of(reply: &[u8]) -> Option<Self> {
        match reply.get(3)? & 0x0f {
            1 | 4 => Some(Self::NotUnderstood),
            2 => Some(Self::ServFail),
            5 => Some(Self::Refused),
            _ => None,
        }
    }
}

/// The 16-bit number at `at`; 0 past the end.
fn count(octets: &[u8], at: usize) -> u16 {
    match octets.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

/// Walks all sections by their counts and lengths; names are not followed.
fn records_end_inside(message: &[u8]) -> bool {
    fn walk(message: &[u8]) -> Option<()> {
        let mut rest = message.get(HEADER..)?;
        for _ in 0..count(message, 4) {
            rest = after_name(rest)?.get(4..)?;
        }
        let records = [6, 8, 10].map(|at| u32::from(count(message, at))).iter().sum::<u32>();
        for _ in 0..records {
            rest = after_name(rest)?;
            let length = usize::from(u16::from_be_bytes([*rest.get(8)?, *rest.get(9)?]));
            rest = rest.get(10 + length..)?;
        }
        Some(())
    }
    walk(message).is_some()
}

/// The octets after the name at the front of `octets`; a pointer ends it (RFC 1035 §4.1.4).
fn after_name(octets: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        match *octets.get(at)? {
            0 => return octets.get(at + 1..),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0.. => return octets.get(at + 2..),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;
    use crate::dns::route::UpstreamId;
    use proptest::prelude::*;

    fn query() -> UpstreamQuery {
        let name = Name::from_text("www.example").unwrap();
        let question = Question {
            name,
            qtype: 1,
            dnssec_ok: true,
            checking_disabled: true,
            upstream: UpstreamId::MAIN,
        };
        UpstreamQuery::new(&question, 0x1234)
    }

    fn reply_to(query: &UpstreamQuery, flags: [u8; 2], tail: &[u8]) -> Vec<u8> {
        let mut reply = query.octets()[..2].to_vec();
        reply.extend(flags);
        reply.extend([0, 1, 0, u8::from(!tail.is_empty()), 0, 0, 0, 0]);
        reply.extend(&query.octets()[12..29]);
        reply.extend(tail);
        reply
    }

    const ADDRESS: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];

    #[test]
    fn query_asks_for_what_the_client_asked_and_nothing_else() {
        let expected = b"\x12\x34\x01\x30\0\x01\0\0\0\0\0\x01\x03www\x07example\0\0\x01\0\x01\
                         \0\0\x29\x04\xd0\0\0\x80\0\0\0";
        assert_eq!(query().octets(), expected);
    }

    #[test]
    fn reply_must_have_id_question_and_qr() {
        let query = query();
        let good = reply_to(&query, [0x81, 0x80], ADDRESS);
        assert_eq!(query.judge(&good), Match::Mine);
        for at in [0, 1, 13, 26, 28] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(query.judge(&bad), Match::Other, "octet {at}");
        }
        let mut echo = good;
        echo[2] &= !QR;
        assert_eq!(query.judge(&echo), Match::Other);
    }

    #[test]
    fn reply_cut_anywhere_is_not_mine() {
        let query = query();
        let good = reply_to(&query, [0x81, 0x80], ADDRESS);
        for length in 0..good.len() {
            assert_eq!(query.judge(&good[..length]), Match::Other, "{length} octets");
        }
    }

    #[test]
    fn bare_header_is_a_rejection_but_not_an_answer() {
        let query = query();
        let bare = |rcode: u8| [0x12, 0x34, 0x81, 0x80 | rcode, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(query.judge(&bare(1)), Match::Mine);
        assert_eq!(query.judge(&bare(0)), Match::Other);
        assert_eq!(query.judge(&bare(3)), Match::Other);
        assert!(!has_question(&bare(1)));
    }

    #[test]
    fn mixed_case_must_come_back_and_is_put_back() {
        let plain = query();
        let mut query = query();
        query.mix_case(|| true);
        assert_eq!(&query.octets()[12..25], b"\x03WWW\x07EXAMPLE\0");
        assert_eq!(query.judge(&reply_to(&plain, [0x81, 0x80], ADDRESS)), Match::OtherCase);
        let mut reply = reply_to(&query, [0x81, 0x80], ADDRESS);
        assert_eq!(query.judge(&reply), Match::Mine);
        query.restore_case(&mut reply);
        assert_eq!(reply, reply_to(&plain, [0x81, 0x80], ADDRESS));
    }

    proptest! {
        #[test]
        fn hostile_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..600)) {
            let query = query();
            let mut framed = reply_to(&query, [0x81, 0x80], &octets);
            let _ = (query.judge(&octets), query.judge(&framed));
            query.restore_case(&mut framed);
        }
    }
}
