//! Canned messages, octet by octet, so that "arrives whole" can be an equality.

use lachan::dns::message::Question;
use lachan::dns::name::Name;

use crate::kit::wire::question_end;

/// `NOERROR`, `SERVFAIL`, …: the codes of RFC 1035 §4.1.1 that the tests use.
pub(crate) const NOERROR: u8 = 0;
pub(crate) const FORMERR: u8 = 1;
pub(crate) const SERVFAIL: u8 = 2;
pub(crate) const NXDOMAIN: u8 = 3;
pub(crate) const REFUSED: u8 = 5;

/// A question for `name`, type A, nothing set.
pub(crate) fn question(name: &str) -> Question {
    Question {
        name: Name::from_text(name).unwrap(),
        qtype: 1,
        dnssec_ok: false,
        checking_disabled: false,
        upstream: lachan::dns::route::UpstreamId::MAIN,
    }
}

/// A reply to `query`: its id and question, QR, RD, RA and AD set, then `tail`.
pub(crate) fn reply(query: &[u8], rcode: u8, counts: [u8; 3], tail: &[u8]) -> Vec<u8> {
    let [answers, authorities, additionals] = counts;
    let mut octets = query[..2].to_vec();
    octets.extend([0x81, 0xa0 | rcode, 0, 1, 0, answers, 0, authorities, 0, additionals]);
    octets.extend(&query[12..question_end(query)]);
    octets.extend(tail);
    octets
}

/// An OPT record with one Extended DNS Error (RFC 8914).
pub(crate) fn opt_with_ede(code: u8, text: &str) -> Vec<u8> {
    let length = text.len() as u8;
    let mut octets = vec![0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, length + 6];
    octets.extend([0, 15, 0, length + 2, 0, code]);
    octets.extend(text.as_bytes());
    octets
}

/// NXDOMAIN with an SOA in authority, AD set and an EDE.
pub(crate) fn nxdomain(query: &[u8]) -> Vec<u8> {
    // Owner: the root. TTL 900. MNAME and RNAME the root, five numbers.
    let mut tail = vec![0, 0, 6, 0, 1, 0, 0, 3, 132, 0, 22, 0, 0];
    tail.extend([0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 60]);
    tail.extend(opt_with_ede(15, "blocked here"));
    reply(query, NXDOMAIN, [0, 1, 1], &tail)
}

/// One A record for the name asked, with `last` as the last octet of the address.
pub(crate) fn address(query: &[u8], last: u8) -> Vec<u8> {
    reply(query, NOERROR, [1, 0, 0], &[0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, last])
}

/// A failure with an EDE, so that the whole message can be told from its code.
pub(crate) fn failure(query: &[u8], rcode: u8) -> Vec<u8> {
    reply(query, rcode, [0, 0, 1], &opt_with_ede(22, "no reachable authority"))
}

/// An empty reply with TC set (RFC 1035 §4.1.1).
pub(crate) fn truncated(query: &[u8]) -> Vec<u8> {
    let mut octets = reply(query, NOERROR, [0, 0, 0], &[]);
    octets[2] |= 0x02;
    octets
}
