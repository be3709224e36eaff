//! The part of an answer that a test looks at: code, extended error, aliases.

use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};

use super::{Ede, Rcode, u16_at};
use crate::dns::name::Name;

/// The option of an extended error (RFC 8914 §2).
const EDE_OPTION: u16 = 15;

/// An answer, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerOutline {
    /// The id of its question.
    pub id: u16,
    /// Its code, without the upper bits of EDNS.
    pub rcode: Rcode,
    /// Its extended error.
    pub ede: Option<Ede>,
    /// The targets of its aliases, in lower case.
    pub aliases: Vec<Name>,
    /// Records of its answer section.
    pub records: usize,
}

impl AnswerOutline {
    /// Reads an answer; none for octets that are no answer to one question.
    pub fn of(octets: &[u8]) -> Option<Self> {
        let message = Message::from_vec(octets).ok()?;
        let is_answer = message.metadata.message_type == MessageType::Response;
        if !is_answer || message.queries.len() != 1 {
            return None;
        }
        let option = message.edns.as_ref().and_then(|edns| edns.option(EdnsCode::from(EDE_OPTION)));
        let ede = option.and_then(|option| match option {
            EdnsOption::Unknown(_, value) => u16_at(value, 0).map(Ede),
            _ => None,
        });
        let alias = |data: &RData| match data {
            RData::CNAME(target) => Name::from_text(&target.0.to_lowercase().to_ascii()).ok(),
            _ => None,
        };
        Some(Self {
            id: message.metadata.id,
            rcode: Rcode(u16::from(message.metadata.response_code.low())),
            ede,
            aliases: message.answers.iter().filter_map(|record| alias(&record.data)).collect(),
            records: message.answers.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer() -> Vec<u8> {
        let mut octets = vec![0x12, 0x34, 0x81, 0x83, 0, 1, 0, 1, 0, 0, 0, 1];
        octets.extend(b"\x03wWw\x07example\x00\x00\x01\x00\x01");
        // An alias of it: a.example.
        octets.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, b'A', 0xc0, 16]);
        // OPT with a cookie and an extended error.
        octets.extend([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 12]);
        octets.extend([0, 10, 0, 0, 0, 15, 0, 4, 0, 15, b'o', b'k']);
        octets
    }

    #[test]
    fn code_error_and_alias_are_read() {
        let outline = AnswerOutline::of(&answer()).unwrap();
        assert_eq!(
            (outline.id, outline.rcode, outline.ede),
            (0x1234, Rcode::NXDOMAIN, Some(Ede::BLOCKED))
        );
        assert_eq!(outline.aliases, [Name::from_text("a.example").unwrap()]);
        assert_eq!(outline.records, 1);
        let mut query = answer();
        query[2] = 1;
        assert_eq!(AnswerOutline::of(&query), None);
    }

    proptest! {
        #[test]
        fn no_octets_panic(at in 0..70_usize, octet in any::<u8>(), length in 0..80_usize) {
            let mut octets = answer();
            if let Some(place) = octets.get_mut(at) {
                *place = octet;
            }
            octets.truncate(length);
            let _ = AnswerOutline::of(&octets);
        }
    }
}
