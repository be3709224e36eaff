//! Queries, parsed in place.
//!
//! Header, one question and OPT are read; every octet of the message is accounted for.
//! Octets that cannot be understood are answered FORMERR by the header alone; octets that
//! must not be answered at all are dropped.
//!
//! A query is parsed once. [`Query`] is a view of octets that lie elsewhere; [`QueryLayout`]
//! is the result of the parse without the octets, for storage beside them ([`OwnedQuery`]).

use std::ops::Deref;

use crate::dns::message::{HEADER, MAX_UDP, MIN_UDP, Question, Rcode, name_at, option, u16_at};
use crate::dns::name::{Folded, MAX_LABEL, MAX_OCTETS, Name};
use crate::dns::route::UpstreamId;
use crate::dns::rtype;

/// Positions and fields of a parsed query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLayout {
    /// The end of the question, which starts behind the header.
    question_end: usize,
    /// The type asked for.
    pub qtype: u16,
    /// The class asked for.
    pub qclass: u16,
    /// The OPT record, if there was one.
    pub edns: Option<Edns>,
    /// What its reply says of the connection.
    pub reply: ReplyOptions,
}

/// A query that can be answered: a parsed view of its octets.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    octets: &'a [u8],
    layout: QueryLayout,
}

/// A query with octets of its own: a view costs no second parse.
///
/// It has the octets that a reply needs, header and question; of the OPT record the layout has
/// the fields. So a query of any length takes 271 octets at most while it waits.
#[derive(Debug, Clone)]
pub struct OwnedQuery {
    octets: Box<[u8]>,
    layout: QueryLayout,
}

impl OwnedQuery {
    /// The view of it.
    pub fn view(&self) -> Query<'_> {
        self.layout.over(&self.octets)
    }
}

impl QueryLayout {
    /// The view of the octets that this layout was parsed from.
    #[inline]
    pub fn over(self, octets: &[u8]) -> Query<'_> {
        Query { octets, layout: self }
    }
}

impl Deref for Query<'_> {
    type Target = QueryLayout;

    #[inline]
    fn deref(&self) -> &QueryLayout {
        &self.layout
    }
}

/// The fields of an OPT record (RFC 6891 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edns {
    /// The largest UDP message the client accepts, as announced.
    pub udp_size: u16,
    /// The version; we speak 0.
    pub version: u8,
    /// DNSSEC records are wanted.
    pub dnssec_ok: bool,
    /// The client has padded its query (RFC 7830).
    pub is_padded: bool,
    /// The client speaks of idle connections (RFC 7828 §3.1).
    pub asks_keepalive: bool,
}

/// Options of a reply that belong to the connection and not to the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplyOptions {
    /// Replies to padded queries are padded (RFC 8467 §4.1).
    pub pads: bool,
    /// How long the connection may be idle, in units of 100 ms (RFC 7828 §3.2).
    pub keepalive: Option<u16>,
}

impl ReplyOptions {
    /// None: over UDP nothing of a connection is said.
    pub const NONE: Self = Self { pads: false, keepalive: None };

    /// Those of them that a query asked for.
    #[inline]
    fn asked_by(self, edns: Option<Edns>) -> Self {
        edns.map_or(Self::NONE, |edns| Self {
            pads: self.pads && edns.is_padded,
            keepalive: self.keepalive.filter(|_| edns.asks_keepalive),
        })
    }
}

/// Why some octets are not a query that can be answered as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswerable {
    /// Too short for a header, or a response: silence (an answer could loop).
    Drop,
    /// Answer with this code and the header alone.
    Header(Rcode),
}

const QR: u8 = 0x80;
const OPCODE: u8 = 0x78;

impl<'a> Query<'a> {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// [`Unanswerable`] with what to do instead.
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Unanswerable> {
        let (Some(&flags), true) = (octets.get(2), octets.len() >= HEADER) else {
            return Err(Unanswerable::Drop);
        };
        if flags & QR != 0 {
            return Err(Unanswerable::Drop);
        }
        if flags & OPCODE != 0 {
            return Err(Unanswerable::Header(Rcode::NOTIMP));
        }
        Self::parse_body(octets).ok_or(Unanswerable::Header(Rcode::FORMERR))
    }

    #[inline]
    fn parse_body(octets: &'a [u8]) -> Option<Self> {
        let count = |at| u16_at(octets, at);
        // One question (RFC 9619), and a query brings no answer.
        if (count(4)?, count(6)?, count(8)?) != (1, 0, 0) {
            return None;
        }
        let at = name_end(octets)?;
        let (qtype, qclass) = (u16_at(octets, at)?, u16_at(octets, at + 2)?);
        let question_end = at + 4;
        let reply = ReplyOptions::NONE;
        let layout = QueryLayout { question_end, qtype, qclass, edns: None, reply };
        let mut query = Self { octets, layout };
        let mut at = question_end;
        for _ in 0..count(10)? {
            at = query.additional(at)?;
        }
        // OPT is no type to ask for (RFC 6891 §6.1.1).
        (at == octets.len() && qtype != rtype::OPT).then_some(query)
    }

    /// Reads one additional record; returns where the next one starts.
    fn additional(&mut self, at: usize) -> Option<usize> {
        let is_root = self.octets.get(at) == Some(&0);
        let fixed = if is_root { at + 1 } else { name_at(self.octets, at).ok()?.1 };
        let rdata = fixed + 10;
        let end = rdata + usize::from(u16_at(self.octets, fixed + 8)?);
        let options = self.octets.get(rdata..end)?;
        if u16_at(self.octets, fixed)? == rtype::OPT {
            if !is_root || self.edns.is_some() {
                return None;
            }
            let options = options_of(options)?;
            self.layout.edns = Some(Edns {
                udp_size: u16_at(self.octets, fixed + 2)?,
                version: *self.octets.get(fixed + 5)?,
                dnssec_ok: self.octets.get(fixed + 6)? & 0x80 != 0,
                is_padded: options.is_padded,
                asks_keepalive: options.asks_keepalive,
            });
        }
        Some(end)
    }

    /// The header and the question, in the client's case.
    #[inline]
    pub fn head(&self) -> &'a [u8] {
        self.octets.get(..self.question_end).unwrap_or(&[])
    }

    /// The name of the question in the client's case, root octet included.
    #[inline]
    pub fn wire_name(&self) -> &'a [u8] {
        self.octets.get(HEADER..self.question_end - 4).unwrap_or(&[0])
    }

    /// Reads the name in lower case into `name`.
    ///
    /// # Errors
    ///
    /// None for octets that [`Query::parse`] accepted; [`Unanswerable`] for any others.
    #[inline]
    pub fn fold_into(&self, name: &mut Folded) -> Result<(), Unanswerable> {
        let folded = name.refill(self.wire_name());
        folded.map(|_| ()).map_err(|_| Unanswerable::Header(Rcode::FORMERR))
    }

    /// The layout, for a later view of the same octets.
    #[inline]
    pub fn layout(&self) -> QueryLayout {
        self.layout
    }

    /// The same query; its reply has those of `options` that it asked for.
    #[inline]
    #[must_use]
    pub fn over(mut self, options: ReplyOptions) -> Self {
        self.layout.reply = options.asked_by(self.edns);
        self
    }

    /// The same query with a copy of its head.
    pub fn to_owned(&self) -> OwnedQuery {
        OwnedQuery { octets: self.head().into(), layout: self.layout }
    }

    /// The upstream question for this query: of `name`, to `upstream`.
    pub fn question(&self, name: Name, upstream: UpstreamId) -> Question {
        Question {
            name,
            qtype: self.qtype,
            dnssec_ok: self.dnssec_ok(),
            checking_disabled: self.checking_disabled(),
            upstream,
        }
    }

    #[inline]
    fn flag(&self, at: usize, bit: u8) -> bool {
        self.octets.get(at).is_some_and(|flags| flags & bit != 0)
    }

    /// RD: the client wants us to resolve.
    #[inline]
    pub fn recursion_desired(&self) -> bool {
        self.flag(2, 0x01)
    }

    /// AD: the client understands AD in the answer (RFC 6840 §5.7).
    #[inline]
    pub fn authentic_data(&self) -> bool {
        self.flag(3, 0x20)
    }

    /// CD: the client checks signatures itself (RFC 4035 §3.2.2).
    #[inline]
    pub fn checking_disabled(&self) -> bool {
        self.flag(3, 0x10)
    }

    /// DO: the client wants DNSSEC records.
    #[inline]
    pub fn dnssec_ok(&self) -> bool {
        self.edns.is_some_and(|edns| edns.dnssec_ok)
    }

    /// The largest answer that may go back by UDP, in octets.
    #[inline]
    pub fn udp_limit(&self) -> usize {
        let size = self.edns.map_or(MIN_UDP, |edns| edns.udp_size.clamp(MIN_UDP, MAX_UDP));
        usize::from(size)
    }
}

/// Where the name behind the header ends, if it is one without pointers and not too long.
#[inline]
fn name_end(octets: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        let length = usize::from(*octets.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
        // Room for the root octet must remain.
        if length > MAX_LABEL || at >= HEADER + MAX_OCTETS {
            return None;
        }
    }
}

/// What is read of the options of an OPT record.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    is_padded: bool,
    asks_keepalive: bool,
}

/// Reads the options of an OPT record; none if they do not fill its RDATA exactly (RFC 6891 §6.1.2).
#[inline]
fn options_of(mut options: &[u8]) -> Option<Options> {
    let mut found = Options::default();
    while !options.is_empty() {
        match u16_at(options, 0)? {
            option::PADDING => found.is_padded = true,
            option::KEEPALIVE => found.asks_keepalive = true,
            _ => {}
        }
        options = options.get(4 + usize::from(u16_at(options, 2)?)..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(additional: &[u8], arcount: u8) -> Vec<u8> {
        let mut octets = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, arcount];
        octets.extend(b"\x03WwW\x07example\x00\x00\x41\x00\x01");
        octets.extend(additional);
        octets
    }

    const OPT: &[u8] = &[0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0];

    #[test]
    fn header_question_and_opt_are_read() {
        let octets = query(OPT, 1);
        let query = Query::parse(&octets).unwrap();
        let mut name = Folded::ROOT;
        query.fold_into(&mut name).unwrap();
        assert_eq!(format!("{name:?}"), "www.example.");
        let owned = query.to_owned();
        assert_eq!(owned.view().layout(), query.layout());
        assert_eq!(owned.view().head(), query.head());
        assert_eq!((query.qtype, query.qclass), (65, 1));
        assert!(query.dnssec_ok() && query.recursion_desired());
        assert_eq!(query.udp_limit(), 1232);
        assert_eq!(query.head().len(), 12 + 13 + 4);
        assert_eq!(query.wire_name(), b"\x03WwW\x07example\0");
    }

    #[test]
    fn what_is_no_query_is_refused_or_dropped() {
        let formerr = Some(Unanswerable::Header(Rcode::FORMERR));
        let outcome = |octets: &[u8]| Query::parse(octets).err();
        let good = query(&[], 0);
        assert_eq!(outcome(&good), None);
        assert_eq!(outcome(&good[..11]), Some(Unanswerable::Drop));
        let with = |at: usize, octet: u8| {
            let mut octets = good.clone();
            octets[at] = octet;
            octets
        };
        assert_eq!(outcome(&with(2, 0x81)), Some(Unanswerable::Drop));
        assert_eq!(outcome(&with(2, 0x11)), Some(Unanswerable::Header(Rcode::NOTIMP)));
        assert_eq!(outcome(&with(5, 0)), formerr);
        assert_eq!(outcome(&with(5, 2)), formerr);
        assert_eq!(outcome(&with(7, 1)), formerr);
        assert_eq!(outcome(&with(12, 0x40)), formerr);
        assert_eq!(outcome(&with(12, 0xc0)), formerr);
        assert_eq!(outcome(&[good.clone(), vec![0]].concat()), formerr);
        assert_eq!(outcome(&query(&[OPT, OPT].concat(), 2)), formerr);
        assert_eq!(outcome(&query(&OPT[..10], 1)), formerr);
        // An option longer than its OPT.
        assert_eq!(outcome(&query(&[0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 4, 0, 10, 0, 9], 1)), formerr);
        // Asking for OPT.
        assert_eq!(outcome(&with(26, 41)), formerr);
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Query::parse(&octets);
        }

        #[test]
        fn a_query_has_a_name_that_can_be_read(
            name in proptest::collection::vec(any::<u8>(), 0..300),
            label in 0..70_u8,
        ) {
            let mut octets = query(&[], 0);
            let labels = name.chunks(usize::from(label).max(1));
            let wire = labels.flat_map(|octets| [&[octets.len() as u8], octets].concat());
            let wire: Vec<u8> = wire.chain([0]).collect();
            octets.splice(HEADER..HEADER + 13, wire.iter().copied());
            let is_name = Folded::from_wire(&wire).is_ok();
            let query = Query::parse(&octets);
            prop_assert_eq!(query.is_ok(), is_name);
            if let Ok(query) = query {
                let mut name = Folded::ROOT;
                prop_assert_eq!(query.fold_into(&mut name), Ok(()));
                prop_assert_eq!(name.as_wire(), wire.to_ascii_lowercase());
            }
        }

        #[test]
        fn no_mutation_panics(at in 0..40_usize, octet: u8, cut in 0..40_usize) {
            let mut octets = query(OPT, 1);
            let at = at % octets.len();
            octets[at] = octet;
            let _ = Query::parse(&octets[..octets.len() - cut % octets.len()]);
        }
    }
}
