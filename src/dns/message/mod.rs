//! DNS messages: octets ⇄ query and reply.
//!
//! - [`query`] parses queries in place.
//! - [`reply`] writes replies of our own: refusals, blocked and local answers.
//! - [`answer`] stores upstream answers, and writes them again from the cache.
//! - [`local`] parses the records of the config, and lays them out as an answer.
//! - [`rewrite`] turns the answer to one name into the answer to another, and joins answers.
//! - [`outline`] reads the part of an answer that a test looks at, [`freshness`] how long it lasts.
//! - `rdata` has the layout of each type; [`well_formed`] checks a message by it. `compose` writes
//!   records of one message into another.
//!
//! Laws for octets from strangers: no read past the end, no pointer that points forward,
//! nothing allocated for a query.

pub mod answer;
mod compose;
pub mod freshness;
pub mod local;
pub mod outline;
pub mod query;
mod rdata;
pub mod reply;
pub mod rewrite;

pub use rdata::well_formed;

use crate::dns::name::{Folded, MAX_OCTETS, Name};
use crate::dns::route::UpstreamId;

/// Octets of the header (RFC 1035 §4.1.1).
pub const HEADER: usize = 12;
/// The largest message over any transport: its length has two octets in front of it.
pub const MAX_MESSAGE: usize = 65_535;
/// The largest UDP message that is sent or announced, against fragmentation.
pub const MAX_UDP: u16 = 1232;
/// The largest UDP message that a client without EDNS accepts (RFC 1035 §2.3.4).
pub const MIN_UDP: u16 = 512;

/// Class IN.
pub const CLASS_IN: u16 = 1;

/// Codes of EDNS options (RFC 6891 §9).
pub mod option {
    /// The connection may be idle for a time (RFC 7828).
    pub const KEEPALIVE: u16 = 11;
    /// Octets that hide the length of the rest (RFC 7830).
    pub const PADDING: u16 = 12;
    /// Extended errors (RFC 8914).
    pub const EDE: u16 = 15;
}

/// Response codes (RFC 1035 §4.1.1, RFC 6895 §2.3), as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rcode(pub u16);

impl Rcode {
    /// No error.
    pub const NOERROR: Self = Self(0);
    /// The message cannot be understood.
    pub const FORMERR: Self = Self(1);
    /// The server failed.
    pub const SERVFAIL: Self = Self(2);
    /// The name does not exist.
    pub const NXDOMAIN: Self = Self(3);
    /// A DNAME makes the name too long (RFC 6672 §2.2).
    pub const YXDOMAIN: Self = Self(6);
    /// The opcode is not known.
    pub const NOTIMP: Self = Self(4);
    /// Refused by policy.
    pub const REFUSED: Self = Self(5);
    /// EDNS version not known (RFC 6891 §9).
    pub const BADVERS: Self = Self(16);

    /// The mnemonic used in metrics; `OTHER` for codes that are never made here.
    pub fn id(self) -> &'static str {
        match self {
            Self::NOERROR => "NOERROR",
            Self::FORMERR => "FORMERR",
            Self::SERVFAIL => "SERVFAIL",
            Self::NXDOMAIN => "NXDOMAIN",
            Self::NOTIMP => "NOTIMP",
            Self::REFUSED => "REFUSED",
            Self::BADVERS => "BADVERS",
            _ => "OTHER",
        }
    }
}

/// Extended DNS error codes (RFC 8914 §5.2) that are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ede(pub u16);

impl Ede {
    /// The answer is past its TTL, and upstream gives no newer one (RFC 8767).
    pub const STALE: Self = Self(3);
    /// The answer is not the name's own.
    pub const FORGED: Self = Self(4);
    /// The failure is cached from an earlier question (RFC 9520).
    pub const CACHED_ERROR: Self = Self(13);
    /// Not ready: the data that an answer needs is not loaded yet.
    pub const NOT_READY: Self = Self(14);
    /// Blocked by the operator of this resolver.
    pub const BLOCKED: Self = Self(15);
    /// Blocked by order of an authority outside.
    pub const CENSORED: Self = Self(16);
    /// The client may not use this resolver.
    pub const PROHIBITED: Self = Self(18);
    /// As [`Ede::STALE`], for a name that did not exist.
    pub const STALE_NXDOMAIN: Self = Self(19);
    /// No upstream server could be reached.
    pub const NO_REACHABLE_AUTHORITY: Self = Self(22);
    /// An upstream server gave an answer that cannot be used.
    pub const NETWORK_ERROR: Self = Self(23);
    /// Upstream sent malformed data.
    pub const INVALID_DATA: Self = Self(24);
}

/// Whether a message is truncated (TC).
pub fn is_truncated(message: &[u8]) -> bool {
    message.get(2).is_some_and(|flags| flags & 0x02 != 0)
}

/// An upstream question: class IN, always recursive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name, in lower case.
    pub name: Name,
    /// The type (RFC 1035 §3.2.2), as a number.
    pub qtype: u16,
    /// The client's DO bit (RFC 3225).
    pub dnssec_ok: bool,
    /// The client's CD bit (RFC 4035 §3.2.2).
    pub checking_disabled: bool,
    /// The upstream that is asked.
    pub upstream: UpstreamId,
}

/// The octets do not hold what they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is malformed")]
pub struct Malformed;

/// Two octets at `at`, in network order.
#[inline]
pub(crate) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|&pair| u16::from_be_bytes(pair))
}

/// Four octets at `at`, in network order.
#[inline]
pub(crate) fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|&four| u32::from_be_bytes(four))
}

/// Reads a name that may be compressed (RFC 1035 §4.1.4).
///
/// Returns the name and where the octets after it start. A pointer must point
/// to before the label it stands in, so that the work is bounded by the message.
///
/// # Errors
///
/// [`Malformed`] for anything else than a whole name of at most 255 octets.
pub fn name_at(message: &[u8], start: usize) -> Result<(Folded, usize), Malformed> {
    name_from(|at| message.get(at..), start)
}

/// As [`name_at`], for a message of which `from` gives what starts at a position: so that a
/// message need not lie in one piece. No label may lie across two pieces.
pub(crate) fn name_from<'a>(
    from: impl Fn(usize) -> Option<&'a [u8]>,
    start: usize,
) -> Result<(Folded, usize), Malformed> {
    let name = wire_name_from(from, start)?;
    let (folded, _) = Folded::from_wire(name.as_wire()).map_err(|_| Malformed)?;
    Ok((folded, name.after))
}

/// A name of a message, written out, in its own letters.
struct WireName {
    octets: [u8; MAX_OCTETS],
    length: usize,
    /// The position behind it.
    after: usize,
}

impl WireName {
    fn as_wire(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or(&[0])
    }
}

fn wire_name_at(message: &[u8], start: usize) -> Result<WireName, Malformed> {
    wire_name_from(|at| message.get(at..), start)
}

fn wire_name_from<'a>(
    from: impl Fn(usize) -> Option<&'a [u8]>,
    start: usize,
) -> Result<WireName, Malformed> {
    let mut octets = [0; MAX_OCTETS];
    let (mut length, mut at, mut after, mut lowest) = (0, start, None, start);
    loop {
        let rest = from(at).ok_or(Malformed)?;
        let octet = *rest.first().ok_or(Malformed)?;
        match octet >> 6 {
            0 => {
                let label = rest.get(..=usize::from(octet)).ok_or(Malformed)?;
                let to = octets.get_mut(length..length + label.len()).ok_or(Malformed)?;
                to.copy_from_slice(label);
                length += label.len();
                at += label.len();
                if octet == 0 {
                    return Ok(WireName { octets, length, after: after.unwrap_or(at) });
                }
            }
            3 => {
                let target = usize::from(u16_at(rest, 0).ok_or(Malformed)? & 0x3fff);
                after.get_or_insert(at + 2);
                if target >= lowest || target < HEADER {
                    return Err(Malformed);
                }
                lowest = target;
                at = target;
            }
            _ => return Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_only_go_back() {
        let mut message = vec![0; HEADER];
        message.extend(b"\x03WWW\xc0\x12\x07example\x00");
        // The pointer at 16 goes to 18, forward.
        assert_eq!(name_at(&message, 12).map(|_| ()), Err(Malformed));
        let mut message = vec![0; HEADER];
        message.extend(b"\x07Example\x00\x03www\xc0\x0c");
        let (name, after) = name_at(&message, 21).unwrap();
        assert_eq!((format!("{name:?}").as_str(), after), ("www.example.", 27));
        // Into itself, into the header, past the end.
        for octets in [b"\xc0\x0c".as_slice(), b"\xc0\x00", b"\xc0", b"\x3f", b"\x80\x00", b""] {
            let message = [vec![0; HEADER], octets.to_vec()].concat();
            assert_eq!(name_at(&message, 12).map(|_| ()), Err(Malformed));
        }
    }

    #[test]
    fn a_chain_of_pointers_cannot_make_a_long_name() {
        let mut message = vec![0; HEADER];
        message.extend(b"\x00");
        for _ in 0..300 {
            let back = message.len();
            let target = if back == HEADER + 1 { HEADER } else { back - 4 };
            message.extend([1, b'a', 0xc0 | (target >> 8) as u8, target as u8]);
        }
        let last = message.len() - 4;
        assert_eq!(name_at(&message, last).map(|_| ()), Err(Malformed));
        assert!(name_at(&message, HEADER + 1 + 4 * 100).is_ok());
    }
}
