//! Messages, octet by octet (RFC 1035 §4.1).

use lachan::dns::name::Name;
use lachan::dns::rtype;

/// A pointer to the question's name.
pub(crate) const QNAME: &[u8] = &[0xc0, 12];

/// A name in wire form.
pub(crate) fn wire(name: &str) -> Vec<u8> {
    Name::from_text(name).unwrap().as_wire().to_vec()
}

/// A query with RD and without OPT.
pub(crate) fn query(name: &Name, qtype: u16) -> Vec<u8> {
    let head = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [head.as_slice(), name.as_wire(), &qtype.to_be_bytes(), &[0, 1]].concat()
}

/// Where the question of a message ends.
pub(crate) fn question_end(message: &[u8]) -> usize {
    let mut at = 12;
    while message[at] != 0 {
        at += 1 + usize::from(message[at]);
    }
    at + 5
}

/// A record whose owner is octets: a name, or a pointer.
pub(crate) fn record(owner: &[u8], rtype: u16, ttl: u32, rdata: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rdata.len()).unwrap().to_be_bytes();
    [owner, &rtype.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length, rdata].concat()
}

/// Upstream's response to a query: its question, and records in answer and authority.
pub(crate) fn response(
    query: &[u8],
    rcode: u8,
    answer: &[Vec<u8>],
    authority: &[Vec<u8>],
) -> Vec<u8> {
    let mut octets = query[..question_end(query)].to_vec();
    let counts = [answer.len() as u8, 0, authority.len() as u8, 0, 0];
    octets[2..7].copy_from_slice(&[0x81, 0x80 | rcode, 0, 1, 0]);
    octets[7..12].copy_from_slice(&counts);
    octets.extend(answer.concat());
    octets.extend(authority.concat());
    octets
}

/// Upstream's response to a query: an address for an hour, and no data for other types than A.
pub(crate) fn an_address(query: &[u8]) -> Vec<u8> {
    let end = question_end(query);
    let is_address = query[end - 4..end - 2] == rtype::A.to_be_bytes();
    let address = record(QNAME, rtype::A, 3600, &[192, 0, 2, 1]);
    response(query, 0, if is_address { std::slice::from_ref(&address) } else { &[] }, &[])
}

/// The TTL of the first record of a reply; its owner is a pointer.
pub(crate) fn first_ttl(reply: &[u8]) -> Option<u32> {
    let at = question_end(reply) + 6;
    reply.get(at..at + 4).map(|ttl| u32::from_be_bytes(ttl.try_into().unwrap()))
}
