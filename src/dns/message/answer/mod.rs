//! Upstream answers: taken in once, sent many times.
//!
//! [`Answer::take`] keeps the records that answer the question (its chain of CNAME and DNAME,
//! the records at the end of it, the SOA of a negative answer, DNSSEC proofs where they were
//! asked for) in their octets from upstream, with the positions of each TTL, target name and
//! address. Everything else that an upstream might add is left out, so that it cannot be
//! believed (RFC 2181 §5.4.1): what stands behind an alias that leads to another upstream is no
//! business of this one ([`Answer::take_link`]).
//!
//! [`Answer::write`] copies the records behind the question of the moment, so that
//! compression pointers still point right, and lowers the TTLs by the answer's age.
//!
//! Law: [`Answer::targets`] and [`Answer::addresses`], read from the stored records, are those
//! of any whole reply that [`Answer::write`] makes of them.

mod take;
mod write;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use write::{Body, Form};

use crate::dns::message::{Ede, Malformed, Rcode, name_from};
use crate::dns::name::{Folded, Name};

/// The most aliases between a question and its records, over all upstreams that are asked for
/// them.
pub const MAX_CHAIN: usize = 11;

/// Bounds on the TTLs of stored answers, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TtlLimits {
    /// TTLs below are raised to this.
    pub min: u32,
    /// TTLs above are lowered to this.
    pub max: u32,
    /// TTLs of negative answers are lowered to this (RFC 2308 §5).
    pub max_negative: u32,
}

/// An upstream answer, ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    rcode: Rcode,
    is_authentic: bool,
    answers: u16,
    authorities: u16,
    /// Answer and authority records, as they lie behind the question.
    records: Box<[u8]>,
    /// The positions of the TTLs in `records`: two octets each, in the machine's order.
    ttls: Box<[[u8; 2]]>,
    /// The positions in `records` of the names that CNAME, DNAME, SVCB and HTTPS point to.
    targets: Box<[u16]>,
    /// The positions in `records` of the addresses: of A and AAAA, and the hints of SVCB and
    /// HTTPS.
    addresses: Box<[AddressAt]>,
    has_internal: bool,
    ede: Option<(Ede, Box<[u8]>)>,
    lifetime: u32,
    /// Aliases in it.
    aliases: u8,
    /// The name it ends in, if that is to be asked where it belongs.
    next: Option<Name>,
}

/// The position of an address in the records, and its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AddressAt {
    at: u16,
    is_v6: bool,
}

impl AddressAt {
    fn read(self, records: &[u8]) -> Result<IpAddr, Malformed> {
        let octets = records.get(usize::from(self.at)..).ok_or(Malformed)?;
        if self.is_v6 {
            octets.first_chunk().map(|&octets| IpAddr::V6(Ipv6Addr::from(octets)))
        } else {
            octets.first_chunk().map(|&octets| IpAddr::V4(Ipv4Addr::from(octets)))
        }
        .ok_or(Malformed)
    }
}

impl Answer {
    /// A failure: a code, and no record.
    pub fn failure(rcode: Rcode) -> Self {
        Self {
            rcode,
            is_authentic: false,
            answers: 0,
            authorities: 0,
            records: Box::default(),
            ttls: Box::default(),
            targets: Box::default(),
            addresses: Box::default(),
            has_internal: false,
            ede: None,
            lifetime: 0,
            aliases: 0,
            next: None,
        }
    }

    /// Whether upstream failed: its code is neither NOERROR nor NXDOMAIN, nor the YXDOMAIN of a
    /// DNAME.
    pub fn is_failure(&self) -> bool {
        !matches!(self.rcode, Rcode::NOERROR | Rcode::NXDOMAIN) && self.answers == 0
    }

    /// The name that the answer ends in without its records: to be asked where it belongs.
    pub fn next(&self) -> Option<&Name> {
        self.next.as_ref()
    }

    /// The same answer, of an upstream that has said all it knows about its last name: if that is
    /// nothing, the answer is not to be cached.
    #[must_use]
    pub fn closed(self) -> Self {
        if self.next.is_none() { self } else { Self { next: None, lifetime: 0, ..self } }
    }

    /// The number of aliases in it.
    pub fn alias_count(&self) -> usize {
        usize::from(self.aliases)
    }

    /// Whether it says nothing: NOERROR without an answer, and without the SOA of a negative one.
    ///
    /// Portals answer so, and home routers that strip the SOA.
    pub fn says_nothing(&self) -> bool {
        self.rcode == Rcode::NOERROR && self.records.is_empty()
    }

    /// The same answer, sent with this extended error.
    #[must_use]
    pub fn with_ede(self, code: Ede, text: &[u8]) -> Self {
        Self { ede: Some((code, text.into())), ..self }
    }

    /// The extended error it is sent with.
    pub fn ede(&self) -> Option<(Ede, &[u8])> {
        self.ede.as_ref().map(|(code, text)| (*code, text.as_ref()))
    }

    /// The response code.
    pub fn rcode(&self) -> Rcode {
        self.rcode
    }

    /// Seconds for which it may be cached; 0 is never.
    pub fn lifetime(&self) -> u32 {
        self.lifetime
    }

    /// Its octets, positions included.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.records.len()
            + 2 * (self.ttls.len() + self.targets.len())
            + size_of::<AddressAt>() * self.addresses.len()
            + self.ede.as_ref().map_or(0, |(_, text)| text.len())
            + self.next.as_ref().map_or(0, |name| name.as_wire().len())
    }

    /// The number of names it points to: policy must review them.
    #[inline]
    pub fn target_count(&self) -> usize {
        self.targets.len()
    }

    /// Whether it holds addresses.
    #[inline]
    pub fn has_addresses(&self) -> bool {
        !self.addresses.is_empty()
    }

    /// Whether one of its addresses belongs to no public host.
    #[inline]
    pub fn has_internal(&self) -> bool {
        self.has_internal
    }

    /// The addresses in it.
    pub fn addresses(&self) -> impl Iterator<Item = Result<IpAddr, Malformed>> {
        self.addresses.iter().map(|address| address.read(&self.records))
    }

    /// The names it points to. `head` is header and question of a query that it answers: the
    /// records may point into the question's name.
    pub fn targets<'a>(
        &'a self,
        head: &'a [u8],
    ) -> impl Iterator<Item = Result<Folded, Malformed>> + 'a {
        let from = move |at: usize| match at.checked_sub(head.len()) {
            None => head.get(at..),
            Some(at) => self.records.get(at..),
        };
        let places = self.targets.iter().map(move |&at| head.len() + usize::from(at));
        places.map(move |at| Ok(name_from(from, at)?.0))
    }
}

#[cfg(test)]
mod tests;
