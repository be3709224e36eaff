//! Upstream query: its wire form, and the match of a reply.
//!
//! Octets only: no socket, no clock. A reply is *mine* when it is a response, carries the query's
//! id and question, and its records end inside it. Law: any other message must never change the
//! state of the query, because anyone can send a datagram.

use super::letters::{lower_letters, mix_letters};
use super::wire::{HEADER, QR, count, is_truncated};
use crate::dns::message::{Question, well_formed};

/// The UDP payload we can take: below every path MTU in use (RFC 9715).
const PAYLOAD: u16 = 1232;
/// RD, in the third octet of the header.
const RD: u8 = 0x01;
/// The opcode, in the third octet; 0 is a query.
const OPCODE: u8 = 0x78;
/// CD, in the fourth octet.
const CD: u8 = 0x10;
/// AD, in the fourth octet: in a query, "say whether it is validated" (RFC 6840 §5.7).
const AD: u8 = 0x20;
/// Octets of an OPT record without options (RFC 6891 §6.1.2).
const OPT: usize = 11;

/// The form of a query that its server can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::upstream) struct QueryForm {
    /// Whether the letters of the name are of random case (0x20).
    pub(in crate::upstream) mixed: bool,
    /// Whether an OPT record is there (RFC 6891).
    pub(in crate::upstream) edns: bool,
}

impl QueryForm {
    /// The form over a stream, which cannot be spoofed.
    pub(in crate::upstream) const PLAIN: Self = Self { mixed: false, edns: true };
}

/// A query ready to be sent.
#[derive(Debug, Clone)]
pub(in crate::upstream) struct UpstreamQuery {
    octets: Vec<u8>,
    /// The length of the question section.
    question: usize,
}

/// The match of a received message with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::upstream) enum Match {
    /// The reply.
    Mine,
    /// The reply but for its case (0x20): spoofed, or from a server that lower-cases names.
    OtherCase,
    /// A header of the right id with an error and no question: of a server that could not read
    /// the query (RFC 1035 §4.1.1), or of anyone that guessed the id.
    Bare,
    /// Another message, or a malformed one.
    Other,
}

impl UpstreamQuery {
    /// A query with this id: RD, AD, DO and CD as asked, no option. `bits` are the letters' case.
    pub(in crate::upstream) fn new(
        question: &Question,
        id: u16,
        form: QueryForm,
        bits: impl FnMut() -> bool,
    ) -> Self {
        let checking = if question.checking_disabled { CD } else { 0 };
        let name = question.name.as_wire();
        let mut octets = Vec::with_capacity(HEADER + name.len() + 4 + OPT);
        octets.extend(id.to_be_bytes());
        octets.extend([RD, AD | checking, 0, 1, 0, 0, 0, 0, 0, u8::from(form.edns)]);
        octets.extend(name);
        octets.extend(question.qtype.to_be_bytes());
        octets.extend([0, 1]);
        if form.edns {
            // The root as owner, type 41, payload, extended code and version 0, flags, no options.
            octets.extend([0, 0, 41]);
            octets.extend(PAYLOAD.to_be_bytes());
            octets.extend([0, 0, if question.dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]);
        }
        if form.mixed {
            mix_letters(octets.get_mut(HEADER..HEADER + name.len()).unwrap_or_default(), bits);
        }
        Self { octets, question: name.len() + 4 }
    }

    /// The message, as it is sent.
    pub(in crate::upstream) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The name, as it is sent.
    fn name(&self) -> &[u8] {
        self.octets.get(HEADER..HEADER + self.question - 4).unwrap_or_default()
    }

    /// Whether a letter of the name is of upper case.
    pub(in crate::upstream) fn has_upper_case(&self) -> bool {
        self.name().iter().any(u8::is_ascii_uppercase)
    }

    /// Matches `reply` with this query.
    pub(in crate::upstream) fn judge(&self, reply: &[u8]) -> Match {
        let (Some(header), Some(id)) = (reply.get(..HEADER), self.octets.get(..2)) else {
            return Match::Other;
        };
        // Of another opcode it answers what was never asked.
        let response = header.get(2).is_some_and(|flags| flags & (QR | OPCODE) == QR);
        if !header.starts_with(id) || !response {
            return Match::Other;
        }
        if count(reply, 4) == 0 {
            // NOERROR and NXDOMAIN are no errors: without a question they say nothing.
            let is_error = !matches!(header.get(3).map(|flags| flags & 0x0f), Some(0 | 3) | None);
            return if is_error && well_formed(reply) { Match::Bare } else { Match::Other };
        }
        // What is cut is fetched over TCP, so it does not matter where it was cut.
        if !is_truncated(reply) && !well_formed(reply) {
            return Match::Other;
        }
        let end = HEADER + self.question;
        match (count(reply, 4), reply.get(HEADER..end), self.octets.get(HEADER..end)) {
            (1, Some(theirs), Some(ours)) if theirs == ours => Match::Mine,
            (1, Some(theirs), Some(ours)) if theirs.eq_ignore_ascii_case(ours) => Match::OtherCase,
            _ => Match::Other,
        }
    }

    /// Puts the letters of a reply that is *mine* back into lower case: those of the question, and
    /// those of each name that repeats a label of it as it was sent.
    pub(in crate::upstream) fn restore_case(&self, reply: &mut [u8]) {
        if count(reply, 4) == 1
            && let Some(name) = reply.get_mut(HEADER..HEADER + self.question - 4)
        {
            name.make_ascii_lowercase();
        }
        if self.has_upper_case() {
            lower_letters(reply, self.name());
        }
    }
}

/// Whether the reply repeats a question; a bare header is no answer to hand on.
pub(in crate::upstream) fn has_question(reply: &[u8]) -> bool {
    count(reply, 4) == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;
    use crate::dns::route::UpstreamId;
    use proptest::prelude::*;

    fn query_in(form: QueryForm) -> UpstreamQuery {
        let name = Name::from_text("www.example").unwrap();
        let question = Question {
            name,
            qtype: 1,
            dnssec_ok: true,
            checking_disabled: true,
            upstream: UpstreamId::MAIN,
        };
        UpstreamQuery::new(&question, 0x1234, form, || true)
    }

    fn query() -> UpstreamQuery {
        query_in(QueryForm::PLAIN)
    }

    fn reply_to(query: &UpstreamQuery, flags: [u8; 2], tail: &[u8]) -> Vec<u8> {
        let mut reply = query.octets()[..2].to_vec();
        reply.extend(flags);
        reply.extend([0, 1, 0, u8::from(!tail.is_empty()), 0, 0, 0, 0]);
        reply.extend(&query.octets()[12..29]);
        reply.extend(tail);
        reply
    }

    fn bare_reply() -> Vec<u8> {
        [[0x12, 0x34, 0x81, 0x81].as_slice(), &[0; 8]].concat()
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
        let mut echo = good.clone();
        echo[2] &= !QR;
        assert_eq!(query.judge(&echo), Match::Other);
        for opcode in 1..16 {
            for (reply, rest) in [(&good, [0x81, 0x80]), (&bare_reply(), [0x81, 0x81])] {
                let mut other = reply.clone();
                other[2..4].copy_from_slice(&[rest[0] | opcode << 3, rest[1]]);
                assert_eq!(query.judge(&other), Match::Other, "opcode {opcode}");
            }
        }
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
    fn truncated_reply_may_be_cut_anywhere_behind_its_question() {
        let query = query();
        let good = reply_to(&query, [0x83, 0x80], ADDRESS);
        for length in 0..good.len() {
            let wanted = if length < 29 { Match::Other } else { Match::Mine };
            assert_eq!(query.judge(&good[..length]), wanted, "{length} octets");
        }
    }

    #[test]
    fn without_edns_there_is_no_opt() {
        let query = query_in(QueryForm { mixed: false, edns: false });
        assert_eq!(query.octets()[10..12], [0, 0]);
        assert_eq!(query.octets().len(), 29);
    }

    #[test]
    fn bare_header_is_an_error_but_not_an_answer() {
        let query = query();
        let bare = |rcode: u8| [0x12, 0x34, 0x81, 0x80 | rcode, 0, 0, 0, 0, 0, 0, 0, 0];
        for rcode in 0..16 {
            let wanted = if matches!(rcode, 0 | 3) { Match::Other } else { Match::Bare };
            assert_eq!(query.judge(&bare(rcode)), wanted, "{rcode}");
        }
        assert!(!has_question(&bare(1)));
    }

    #[test]
    fn mixed_case_must_come_back_and_is_put_back() {
        let plain = query();
        let query = query_in(QueryForm { mixed: true, edns: true });
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
