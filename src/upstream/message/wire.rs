//! Octets of a message: header fields, and the walk over its records.

/// Octets of a message header (RFC 1035 §4.1.1).
pub(super) const HEADER: usize = 12;
/// QR, in the third octet of the header.
pub(super) const QR: u8 = 0x80;
/// TC, in the third octet.
const TC: u8 = 0x02;

/// A record, by its place in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordAt {
    /// Its owner's first octet.
    pub(super) owner: usize,
    /// Its type.
    pub(super) rtype: u16,
    /// The first octet of its TTL.
    pub(super) ttl: usize,
    /// The first octet of its RDATA, and the one behind the last.
    pub(super) rdata: (usize, usize),
}

/// True for TC: the answer is longer than a datagram.
pub(super) fn is_truncated(reply: &[u8]) -> bool {
    reply.get(2).is_some_and(|flags| flags & TC != 0)
}

/// The 16-bit number at `at`; 0 past the end.
pub(super) fn count(octets: &[u8], at: usize) -> u16 {
    match octets.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

/// Walks all records by their counts and lengths, names not followed; false where one does not end
/// inside the message.
pub(super) fn walk(message: &[u8], mut each: impl FnMut(RecordSection, RecordAt)) -> bool {
    let mut at = HEADER;
    for _ in 0..count(message, 4) {
        let Some(end) = after_name(message, at) else { return false };
        at = end + 4;
    }
    for (section, place) in
        [(RecordSection::Answer, 6), (RecordSection::Authority, 8), (RecordSection::Additional, 10)]
    {
        for _ in 0..count(message, place) {
            let Some(fixed) = after_name(message, at) else { return false };
            if message.len() < fixed + 10 {
                return false;
            }
            let end = fixed + 10 + usize::from(count(message, fixed + 8));
            if message.len() < end {
                return false;
            }
            let rtype = count(message, fixed);
            each(section, RecordAt { owner: at, rtype, ttl: fixed + 4, rdata: (fixed + 10, end) });
            at = end;
        }
    }
    at <= message.len()
}

/// A section of records (RFC 1035 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordSection {
    /// The answer.
    Answer,
    /// Authorities.
    Authority,
    /// Additional records, OPT among them.
    Additional,
}

/// The octet behind the name at `at`; a pointer ends it (RFC 1035 §4.1.4).
pub(super) fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0.. => return message.get(at + 1).map(|_| at + 2),
            _ => return None,
        }
    }
}
