//! The part of an answer that a test looks at: code, extended error, aliases.

use super::{Ede, HEADER, Rcode, name_at, u16_at};
use crate::dns::name::Name;
use crate::dns::rtype;

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
        let is_answer = octets.get(2)? & 0x80 != 0;
        let count = |at| u16_at(octets, at).map(usize::from);
        if !is_answer || count(4)? != 1 {
            return None;
        }
        let mut outline = Self {
            id: u16_at(octets, 0)?,
            rcode: Rcode(u16::from(octets.get(3)? & 0x0f)),
            ede: None,
            aliases: Vec::new(),
            records: count(6)?,
        };
        let (_, end) = name_at(octets, HEADER).ok()?;
        let mut at = end + 4;
        for number in 0..count(6)? + count(8)? + count(10)? {
            let (_, fixed) = name_at(octets, at).ok()?;
            let rdata = fixed + 10;
            let end = rdata + count(fixed + 8)?;
            match u16_at(octets, fixed)? {
                rtype::CNAME if number < outline.records => {
                    outline.aliases.push(name_at(octets, rdata).ok()?.0.to_name());
                }
                rtype::OPT => outline.ede = ede(octets.get(rdata..end)?),
                _ => {}
            }
            at = end;
        }
        (at <= octets.len()).then_some(outline)
    }
}

/// The first extended error among the options of an OPT record.
fn ede(mut options: &[u8]) -> Option<Ede> {
    loop {
        let (code, length) = (u16_at(options, 0)?, usize::from(u16_at(options, 2)?));
        if code == EDE_OPTION && length >= 2 {
            return u16_at(options, 4).map(Ede);
        }
        options = options.get(4 + length..)?;
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
