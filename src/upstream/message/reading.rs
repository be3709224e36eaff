//! Reading of a matched reply: whose word counts, and what may be wrong with the query instead.
//!
//! Octets only. Law: a code other than NOERROR and NXDOMAIN is never an answer (but YXDOMAIN of a
//! DNAME, RFC 6672 §2.2); neither is a reply without records of a server that neither is
//! authoritative nor resolves (lame). Records that answer another question are no answer.

use super::wire::{HEADER, RecordAt, RecordSection, after_name, count, is_truncated, walk};
use crate::dns::message::{CLASS_IN, name_at};
use crate::dns::rtype;
use crate::upstream::health::Failure;

/// AA, in the third octet of the header.
const AA: u8 = 0x04;
/// RA, in the fourth octet.
const RA: u8 = 0x80;
const SOA: u16 = 6;
const OPT: u16 = 41;
const ANY: u16 = 255;

/// What a reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::upstream) enum Reading {
    /// TC: the answer is elsewhere.
    Truncated,
    /// Records.
    Positive,
    /// The name or the type does not exist, with the zone's SOA.
    Negative,
    /// Neither records nor an SOA, or a negative answer of a server without RA and AA: a portal,
    /// a router that strips records, or a lame server. Believed if no server says more.
    Doubtful,
    /// The server could not read the query: its OPT may be at fault (RFC 6891 §7).
    NotUnderstood,
    /// The server does not serve this question.
    Rejected(Failure),
}

impl Reading {
    /// Reads a reply whose records end inside it, or that is truncated.
    pub(in crate::upstream) fn of(reply: &[u8]) -> Self {
        if is_truncated(reply) {
            return Self::Truncated;
        }
        let (mut has_dname, mut has_soa, mut extended) = (false, false, None);
        let (question, mut has_answer) = (Asked::of(reply), false);
        walk(reply, |section, record| match (section, record.rtype) {
            (RecordSection::Answer, rtype::DNAME) => (has_dname, has_answer) = (true, true),
            (RecordSection::Answer, _) => {
                has_answer = has_answer || question.is_answered_by(reply, record);
            }
            (RecordSection::Authority, SOA) => has_soa = true,
            (RecordSection::Additional, OPT) => extended = reply.get(record.ttl).copied(),
            _ => {}
        });
        let flags = (reply.get(2).copied().unwrap_or(0), reply.get(3).copied().unwrap_or(0));
        let code = u16::from(extended.unwrap_or(0)) << 4 | u16::from(flags.1 & 0x0f);
        let serves = flags.0 & AA != 0 || flags.1 & RA != 0;
        match code {
            0 if has_answer => Self::Positive,
            3 if has_answer => Self::Negative,
            0 | 3 if !serves && !has_soa => Self::Rejected(Failure::Lame),
            3 if serves => Self::Negative,
            0 if serves && has_soa => Self::Negative,
            0 | 3 => Self::Doubtful,
            6 if has_dname => Self::Negative,
            // FORMERR with an OPT is from a server that understands EDNS.
            1 | 4 if extended.is_none() => Self::NotUnderstood,
            // BADVERS: version 0 is the only one there is.
            16 => Self::NotUnderstood,
            1 | 4 => Self::Rejected(Failure::NotUnderstood),
            2 => Self::Rejected(Failure::ServFail),
            5 => Self::Rejected(Failure::Refused),
            _ => Self::Rejected(Failure::Lame),
        }
    }

    /// What is left where the query had no OPT to be at fault.
    pub(in crate::upstream) fn without_opt(self) -> Self {
        match self {
            Self::NotUnderstood => Self::Rejected(Failure::NotUnderstood),
            other => other,
        }
    }

    /// The failure of a server whose reply is no answer.
    pub(in crate::upstream) fn failure(self) -> Option<Failure> {
        match self {
            Self::Positive | Self::Negative | Self::Doubtful => None,
            // Over TCP and HTTPS everything fits: TC there is an error of the server.
            Self::Truncated => Some(Failure::Truncated),
            Self::NotUnderstood => Some(Failure::NotUnderstood),
            Self::Rejected(failure) => Some(failure),
        }
    }

    /// Whether two readings say the same of a name.
    pub(in crate::upstream) fn agrees(self, other: Self) -> bool {
        let negative = |one| matches!(one, Self::Negative | Self::Doubtful);
        self == other || negative(self) && negative(other)
    }
}

/// The question that a reply repeats.
struct Asked {
    qtype: u16,
}

impl Asked {
    fn of(reply: &[u8]) -> Self {
        Self { qtype: after_name(reply, HEADER).map_or(0, |end| count(reply, end)) }
    }

    /// Whether a record of the answer section begins the answer: the question's name has it, and
    /// it is of the type that was asked for, or an alias.
    fn is_answered_by(&self, reply: &[u8], record: RecordAt) -> bool {
        let is_type = self.qtype == ANY || [self.qtype, rtype::CNAME].contains(&record.rtype);
        is_type && count(reply, record.ttl - 2) == CLASS_IN && is_name(reply, record.owner)
    }
}

/// Whether the name at `at` is the question's.
fn is_name(reply: &[u8], at: usize) -> bool {
    // As nearly all servers write it: a pointer to the question.
    reply.get(at..at + 2) == Some(&[0xc0, HEADER as u8])
        || matches!((name_at(reply, at), name_at(reply, HEADER)),
            (Ok((owner, _)), Ok((name, _))) if owner.as_wire() == name.as_wire())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Name, flags, sections, and the reading of all that.
    type Row<'a> = (&'a str, [u8; 2], [&'a [u8]; 3], Reading);

    const RECORD: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];

    fn typed(rtype: u8) -> Vec<u8> {
        let mut record = RECORD.to_vec();
        record[3] = rtype;
        record
    }

    /// An OPT with the upper bits of the code.
    fn opt(extended: u8) -> Vec<u8> {
        vec![0, 0, 41, 4, 208, extended, 0, 0, 0, 0, 0]
    }

    fn reply(flags: [u8; 2], [answer, authority, additional]: [&[u8]; 3]) -> Vec<u8> {
        let counts = [answer, authority, additional].map(|part| u8::from(!part.is_empty()));
        let mut reply = vec![1, 2, flags[0] | 0x81, flags[1], 0, 1];
        reply.extend(counts.iter().flat_map(|&count| [0, count]));
        reply.extend([1, b'x', 0, 0, 1, 0, 1]);
        [&reply, answer, authority, additional].concat()
    }

    #[test]
    fn each_shape_has_its_reading() {
        let (none, a): (&[u8], &[u8]) = (&[], RECORD);
        let (soa, dname, ns) = (typed(6), typed(39), typed(2));
        let (plain, version) = (opt(0), opt(1));

        let chaos = [&RECORD[..5], &[3], &RECORD[6..]].concat();
        let other_name = [&[1, b'y', 0], &RECORD[2..]].concat();
        let spelled_out = [&[1, b'X', 0], &RECORD[2..]].concat();
        let (alias, text) = (typed(5), typed(16));

        let rows: [Row<'_>; 26] = [
            ("address", [0, RA], [a, none, none], Reading::Positive),
            ("its name spelled out", [0, RA], [&spelled_out, none, none], Reading::Positive),
            ("alias", [0, RA], [&alias, none, none], Reading::Positive),
            ("another type", [0, RA], [&text, none, none], Reading::Doubtful),
            ("another name", [0, RA], [&other_name, none, none], Reading::Doubtful),
            ("another class", [0, RA], [&chaos, none, none], Reading::Doubtful),
            (
                "another name, neither RA nor AA",
                [0, 0],
                [&other_name, none, none],
                Reading::Rejected(Failure::Lame),
            ),
            ("address, neither RA nor AA", [0, 0], [a, none, none], Reading::Positive),
            ("NODATA", [0, RA], [none, &soa, none], Reading::Negative),
            ("NODATA of an authority", [AA, 0], [none, &soa, none], Reading::Negative),
            ("NODATA without SOA", [0, RA], [none, none, none], Reading::Doubtful),
            ("referral with RA", [0, RA], [none, &ns, none], Reading::Doubtful),
            ("referral", [0, 0], [none, &ns, none], Reading::Rejected(Failure::Lame)),
            (
                "empty, neither RA nor AA",
                [0, 0],
                [none, none, none],
                Reading::Rejected(Failure::Lame),
            ),
            ("SOA, neither RA nor AA", [0, 0], [none, &soa, none], Reading::Doubtful),
            ("NXDOMAIN", [0, RA | 3], [none, &soa, none], Reading::Negative),
            ("NXDOMAIN, neither", [0, 3], [none, none, none], Reading::Rejected(Failure::Lame)),
            ("YXDOMAIN of a DNAME", [0, RA | 6], [&dname, none, none], Reading::Negative),
            ("YXDOMAIN", [0, RA | 6], [none, none, none], Reading::Rejected(Failure::Lame)),
            ("NOTAUTH", [0, RA | 9], [none, none, none], Reading::Rejected(Failure::Lame)),
            ("FORMERR", [0, RA | 1], [none, none, none], Reading::NotUnderstood),
            ("NOTIMP", [0, RA | 4], [none, none, none], Reading::NotUnderstood),
            (
                "FORMERR with OPT",
                [0, RA | 1],
                [none, none, &plain],
                Reading::Rejected(Failure::NotUnderstood),
            ),
            ("BADVERS", [0, RA], [none, none, &version], Reading::NotUnderstood),
            ("BADCOOKIE", [0, RA | 7], [none, none, &version], Reading::Rejected(Failure::Lame)),
            ("REFUSED", [0, RA | 5], [none, none, none], Reading::Rejected(Failure::Refused)),
        ];
        for (name, flags, sections, wanted) in rows {
            assert_eq!(Reading::of(&reply(flags, sections)), wanted, "{name}");
        }
        assert_eq!(Reading::of(&reply([2, RA], [none, none, none])), Reading::Truncated);
    }

    proptest! {
        #[test]
        fn hostile_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = Reading::of(&octets);
        }
    }
}
