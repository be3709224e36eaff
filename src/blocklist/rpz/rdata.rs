//! RDATA of the record types in local data, in wire form.

use super::zone::{ZoneOrigin, ZoneRecord};
use crate::blocklist::reject::Reject;
use crate::dns::name::Name;
use crate::dns::rtype;

/// Parses the RDATA of a record.
pub(super) fn read(record: &ZoneRecord<'_>, origin: &ZoneOrigin) -> Result<Box<[u8]>, Reject> {
    let words: Vec<&str> = record.rdata.iter().map(String::as_str).collect();
    let rdata = match (record.rtype, words.as_slice()) {
        (_, ["\\#", length, digits @ ..]) => generic(length, digits)?,
        (rtype::A, [address]) => {
            address.parse::<std::net::Ipv4Addr>().map_err(|_| Reject::Syntax)?.octets().to_vec()
        }
        (rtype::AAAA, [address]) => {
            address.parse::<std::net::Ipv6Addr>().map_err(|_| Reject::Syntax)?.octets().to_vec()
        }
        (rtype::PTR, [target]) => name(target, origin)?,
        (rtype::MX, [preference, exchange]) => {
            [number(preference)?.to_vec(), name(exchange, origin)?].concat()
        }
        (rtype::SRV, [priority, weight, port, target]) => {
            let numbers = [number(priority)?, number(weight)?, number(port)?].concat();
            [numbers, name(target, origin)?].concat()
        }
        (rtype::TXT, [_, ..]) => {
            let strings: Option<Vec<Vec<u8>>> = words
                .iter()
                .map(|text| Some([&[u8::try_from(text.len()).ok()?], text.as_bytes()].concat()))
                .collect();
            strings.ok_or(Reject::Syntax)?.concat()
        }
        (rtype::A | rtype::AAAA | rtype::PTR | rtype::MX | rtype::SRV | rtype::TXT, _) => {
            return Err(Reject::Syntax);
        }
        _ => return Err(Reject::Unsupported),
    };
    Ok(rdata.into())
}

fn number(word: &str) -> Result<[u8; 2], Reject> {
    word.parse::<u16>().map(u16::to_be_bytes).map_err(|_| Reject::Syntax)
}

fn name(word: &str, origin: &ZoneOrigin) -> Result<Vec<u8>, Reject> {
    if word == "." {
        return Ok(vec![0]);
    }
    Ok(Name::from_text(&origin.absolute(word)?)?.as_wire().to_vec())
}

/// `\# length hex…` (RFC 3597 §5).
fn generic(length: &str, digits: &[&str]) -> Result<Vec<u8>, Reject> {
    let digits = digits.concat();
    let octet = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let octets: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(octet).collect();
    let octets = octets.filter(|_| digits.len() % 2 == 0).ok_or(Reject::Syntax)?;
    if length.parse() == Ok(octets.len()) { Ok(octets) } else { Err(Reject::Syntax) }
}
