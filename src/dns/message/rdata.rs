//! RDATA by type: whether it is whole, and where names stand in it.
//!
//! A type has a layout: the fields of its RDATA in their order. RDATA that ends before its
//! fields, or goes on behind them, is malformed, and so is a name that runs over its end: a
//! record like that is never handed on, and never ends the wait for a better reply. RDATA of
//! types without a layout is opaque (RFC 3597): it is copied as it is.

use crate::dns::message::{CLASS_IN, HEADER, Malformed, u16_at, u32_at, wire_name_at};
use crate::dns::rtype;

/// The most records of a message.
pub(super) const MAX_RECORDS: usize = 2000;

/// One field of RDATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// This many octets.
    Octets(usize),
    /// A name, compressed or not.
    Name,
    /// One character-string: a length and as many octets.
    Text,
    /// Character-strings up to the end, one at least (RFC 1035 §3.3.14).
    Texts,
    /// The options of an OPT record, up to the end (RFC 6891 §6.1.2).
    Options,
    /// This many octets or more, up to the end.
    Rest(usize),
    /// The parameters of a service, up to the end (RFC 9460 §2.2).
    Parameters,
    /// The types of an NSEC record, up to the end (RFC 4034 §4.1.2).
    Types,
}

/// The fields of a type's RDATA; none where it is opaque.
fn layout(rtype: u16) -> Option<&'static [Field]> {
    use Field::{Name, Octets, Options, Parameters, Rest, Text, Texts, Types};
    Some(match rtype {
        rtype::A => &[Octets(4)],
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME.
        rtype::NS | 3 | 4 | rtype::CNAME | 7..=9 | rtype::PTR | rtype::DNAME => &[Name],
        rtype::SOA => &[Name, Name, Octets(20)],
        // WKS.
        11 => &[Octets(5), Rest(0)],
        rtype::HINFO => &[Text, Text],
        // MINFO, RP.
        14 | 17 => &[Name, Name],
        // MX, AFSDB, RT, KX, LP.
        rtype::MX | 18 | 21 | 36 | 107 => &[Octets(2), Name],
        // TXT, SPF.
        rtype::TXT | 99 => &[Texts],
        // SIG, RRSIG.
        24 | rtype::RRSIG => &[Octets(18), Name, Rest(1)],
        // PX.
        26 => &[Octets(2), Name, Name],
        // AAAA; LOC, version 0.
        rtype::AAAA | 29 => &[Octets(16)],
        rtype::SRV => &[Octets(6), Name],
        // NAPTR.
        35 => &[Octets(4), Text, Text, Text, Name],
        rtype::OPT => &[Options],
        // CERT.
        37 => &[Octets(5), Rest(0)],
        // DS, DLV, CDS.
        rtype::DS | 32769 | 59 => &[Octets(4), Rest(1)],
        // SSHFP.
        44 => &[Octets(2), Rest(1)],
        // NSEC.
        47 => &[Name, Types],
        // KEY, DNSKEY, CDNSKEY.
        25 | rtype::DNSKEY | 60 => &[Octets(4), Rest(1)],
        // NSEC3: hash, flags, iterations, salt, next owner.
        50 => &[Octets(4), Text, Text, Types],
        // NSEC3PARAM.
        51 => &[Octets(4), Text],
        // TLSA, SMIMEA.
        52 | 53 => &[Octets(3), Rest(1)],
        // CSYNC.
        62 => &[Octets(6), Types],
        // ZONEMD.
        63 => &[Octets(6), Rest(1)],
        rtype::SVCB | rtype::HTTPS => &[Octets(2), Name, Parameters],
        // NID, L64.
        104 | 106 => &[Octets(10)],
        // L32, EUI48.
        105 | 108 => &[Octets(6)],
        // EUI64.
        109 => &[Octets(8)],
        // URI.
        256 => &[Octets(4), Rest(1)],
        // CAA: flags, tag, value.
        257 => &[Octets(1), Text, Rest(0)],
        _ => return None,
    })
}

/// One record of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordSpan {
    pub(super) at: usize,
    pub(super) rtype: u16,
    pub(super) class: u16,
    pub(super) ttl_at: usize,
    pub(super) rdata_at: usize,
    pub(super) end: usize,
}

impl RecordSpan {
    /// The record at `at`, read but for its RDATA; `fixed` is where its owner ends.
    pub(super) fn read(message: &[u8], at: usize, fixed: usize) -> Result<Self, Malformed> {
        let number = |at| u16_at(message, at).ok_or(Malformed);
        let rdata_at = fixed + 10;
        let end = rdata_at + usize::from(number(fixed + 8)?);
        let (rtype, class) = (number(fixed)?, number(fixed + 2)?);
        if end > message.len() {
            return Err(Malformed);
        }
        Ok(Self { at, rtype, class, ttl_at: fixed + 4, rdata_at, end })
    }

    /// Its TTL as it stands.
    pub(super) fn ttl(&self, message: &[u8]) -> u32 {
        u32_at(message, self.ttl_at).unwrap_or(0)
    }

    /// Calls `on_name` with the place of each name in the RDATA, if it is whole; returns the
    /// place behind the last of them.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for RDATA that is not of its type.
    pub(super) fn names(
        &self,
        message: &[u8],
        mut on_name: impl FnMut(usize, usize),
    ) -> Result<usize, Malformed> {
        // The class of an OPT is a size.
        let is_known = self.class == CLASS_IN || self.rtype == rtype::OPT;
        let fields = layout(self.rtype).filter(|_| is_known).unwrap_or(&[]);
        let (mut at, mut behind) = (self.rdata_at, self.rdata_at);
        let message = message.get(..self.end).ok_or(Malformed)?;
        for field in fields {
            at = field.after(message, at)?;
            if *field == Field::Name {
                // A name ends its field: the one before began where the last field ended.
                on_name(behind, at);
            }
            behind = at;
        }
        let is_whole = fields.is_empty() || at == self.end;
        if is_whole { Ok(behind) } else { Err(Malformed) }
    }
}

impl Field {
    /// The place behind the field at `at` of octets that end where the RDATA does.
    fn after(self, octets: &[u8], at: usize) -> Result<usize, Malformed> {
        let rest = octets.get(at..).ok_or(Malformed)?;
        let taken = match self {
            Self::Octets(count) => count,
            Self::Name => return Ok(wire_name_at(octets, at)?.after),
            Self::Text => 1 + usize::from(*rest.first().ok_or(Malformed)?),
            Self::Texts => {
                let mut at = 1 + usize::from(*rest.first().ok_or(Malformed)?);
                while let Some(&length) = rest.get(at) {
                    at += 1 + usize::from(length);
                }
                at
            }
            Self::Options => {
                let mut at = 0;
                while at < rest.len() {
                    at += 4 + usize::from(u16_at(rest, at + 2).ok_or(Malformed)?);
                }
                at
            }
            Self::Rest(least) => rest.len().max(least),
            Self::Parameters => {
                parameters(rest)?;
                rest.len()
            }
            Self::Types => {
                let mut at = 0;
                while let Some(window) = rest.get(at..).filter(|window| !window.is_empty()) {
                    let length = *window.get(1).ok_or(Malformed)?;
                    if !(1..=32).contains(&length) {
                        return Err(Malformed);
                    }
                    at += 2 + usize::from(length);
                }
                at
            }
        };
        if taken <= rest.len() { Ok(at + taken) } else { Err(Malformed) }
    }
}

/// Checks the parameters of a service: keys that rise, each with a value of its form.
fn parameters(mut rest: &[u8]) -> Result<(), Malformed> {
    let mut last = None;
    while !rest.is_empty() {
        let key = u16_at(rest, 0).ok_or(Malformed)?;
        let length = usize::from(u16_at(rest, 2).ok_or(Malformed)?);
        let value = rest.get(4..4 + length).ok_or(Malformed)?;
        let is_fine = match key {
            // mandatory: keys.
            0 => length > 0 && length % 2 == 0,
            // alpn: strings.
            1 => length > 0 && Field::Texts.after(value, 0).is_ok(),
            // no-default-alpn.
            2 => length == 0,
            // port.
            3 => length == 2,
            // ipv4hint, ipv6hint.
            4 => length > 0 && length % 4 == 0,
            6 => length > 0 && length % 16 == 0,
            _ => true,
        };
        if !is_fine || last.is_some_and(|last| last >= key) {
            return Err(Malformed);
        }
        last = Some(key);
        rest = rest.get(4 + length..).unwrap_or(&[]);
    }
    Ok(())
}

/// The answer and authority records of a message.
pub(super) fn records(message: &[u8]) -> Result<[Vec<RecordSpan>; 2], Malformed> {
    let count = |at| u16_at(message, at).map(usize::from).ok_or(Malformed);
    let mut at = HEADER;
    for _ in 0..count(4)? {
        at = wire_name_at(message, at)?.after + 4;
    }
    let mut section = |count: usize| -> Result<Vec<RecordSpan>, Malformed> {
        let mut records = Vec::new();
        for _ in 0..count {
            let record = RecordSpan::read(message, at, wire_name_at(message, at)?.after)?;
            at = record.end;
            records.push(record);
        }
        Ok(records)
    };
    Ok([section(count(6)?)?, section(count(8)?)?])
}

/// Whether a message can be read to its end: header, questions, and records whose RDATA is
/// whole for its type.
///
/// A reply that is not must never end the wait for the right one: anybody can send it. What a
/// truncated reply lacks makes it malformed as well, so TC is looked at first.
pub fn well_formed(message: &[u8]) -> bool {
    let walk = || -> Result<(), Malformed> {
        let count = |at| u16_at(message, at).map(usize::from).ok_or(Malformed);
        let records = count(6)? + count(8)? + count(10)?;
        if records > MAX_RECORDS {
            return Err(Malformed);
        }
        let mut at = HEADER;
        for _ in 0..count(4)? {
            at = wire_name_at(message, at)?.after + 4;
        }
        for _ in 0..records {
            let record = RecordSpan::read(message, at, wire_name_at(message, at)?.after)?;
            record.names(message, |_, _| ())?;
            at = record.end;
        }
        if at <= message.len() { Ok(()) } else { Err(Malformed) }
    };
    walk().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(rtype: u16, rdata: &[u8]) -> Vec<u8> {
        let mut message = vec![0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        message.extend(b"\x03www\x07example\x00\x00\x01\x00\x01\xc0\x0c");
        message.extend(rtype.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend((rdata.len() as u16).to_be_bytes());
        message.extend(rdata);
        message
    }

    fn whole(rtype: u16) -> &'static [u8] {
        match rtype {
            rtype::A => &[192, 0, 2, 1],
            rtype::CNAME | rtype::PTR | rtype::NS | rtype::DNAME => b"\x01a\xc0\x10",
            rtype::SOA => b"\xc0\x0c\xc0\x10\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01",
            rtype::MX => b"\x00\x0a\xc0\x0c",
            rtype::TXT => b"\x02ab\x00",
            rtype::AAAA => &[0xfd; 16],
            rtype::SRV => b"\0\0\0\x05\x01\x85\x02dc\xc0\x10",
            35 => b"\0\x0a\0\x0a\x01s\x07SIP+D2U\x00\xc0\x0c",
            rtype::DS => b"\x30\x39\x0d\x02\xab\xcd",
            rtype::RRSIG => b"\0\x01\x0d\x02\0\0\x0e\x10\0\0\0\0\0\0\0\0\x30\x39\xc0\x10sig",
            47 => b"\xc0\x0c\x00\x06\x40\x00\x00\x00\x00\x03",
            50 => b"\x01\x00\x00\x00\x02ab\x04hash\x00\x01\x40",
            rtype::HTTPS => b"\x00\x01\x00\x00\x01\x00\x03\x02h2\x00\x04\x00\x04\xc0\x00\x02\x01",
            257 => b"\x00\x05issueca.example",
            _ => unreachable!("no example of type {rtype}"),
        }
    }

    const TYPES: [u16; 17] = [1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 39, 43, 46, 47, 50, 65, 257];

    #[test]
    fn rdata_is_whole_or_malformed() {
        for rtype in TYPES {
            assert!(well_formed(&message(rtype, whole(rtype))), "type {rtype}");
            // A text may be empty, and a value or a proof may end anywhere.
            if matches!(rtype, 16 | 43 | 46 | 47 | 50 | 65 | 257) {
                continue;
            }
            let rdata = whole(rtype);
            for length in 0..rdata.len() {
                assert!(!well_formed(&message(rtype, &rdata[..length])), "{length} of {rtype}");
            }
            assert!(
                !well_formed(&message(rtype, &[rdata, &[0]].concat())),
                "type {rtype} and more"
            );
        }
        // What nobody here knows is opaque.
        assert!(well_formed(&message(65_280, &[])) && well_formed(&message(65_280, &[0xc0])));
    }

    #[test]
    fn names_end_in_their_rdata_and_parameters_have_their_form() {
        for (rtype, rdata) in [
            (rtype::SOA, b"\x00".as_slice()),
            (rtype::MX, b"\x00\x0a\x04mail"),
            // A pointer of which one octet is there.
            (rtype::CNAME, b"\x01a\xc0"),
            (rtype::TXT, b"\x05ab"),
            (rtype::TXT, b""),
            (rtype::OPT, b"\x00\x03\x00"),
            (rtype::OPT, b"\x00\x03\x00\x02a"),
            (rtype::RRSIG, b"\0\x01"),
            (47, b"\xc0\x0c\x00\x00"),
            (rtype::HTTPS, b"\x00\x01"),
            (rtype::HTTPS, b"\x00\x01\x00\x00\x04\x00\x03\x01\x02\x03"),
            (rtype::HTTPS, b"\x00\x01\x00\x00\x03\x00\x02\x01\xbb\x00\x01\x00\x03\x02h2"),
            (rtype::HTTPS, b"\x00\x01\x00\x00\x01\x00\x03\x05h2"),
            (rtype::HTTPS, b"\x00\x01\x00\x00\x04\x00\x00"),
        ] {
            assert!(!well_formed(&message(rtype, rdata)), "type {rtype}: {rdata:02x?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_octets_never_panic(
            octets in proptest::collection::vec(any::<u8>(), 0..300),
            number in 0..TYPES.len(),
        ) {
            well_formed(&octets);
            well_formed(&message(TYPES[number], &octets));
        }
    }
}
