//! For how long a reply may be kept by those that only see its octets (RFC 8484 §5.1).

use crate::dns::message::rdata::records;
use crate::dns::message::{Rcode, u32_at};
use crate::dns::rtype;

/// The seconds for which a whole reply stays true: the least TTL of its answer; without one, what its
/// SOA says of its absence (RFC 2308 §5). 0 for an error, and for what cannot be read.
pub fn seconds(message: &[u8]) -> u32 {
    let rcode = Rcode(u16::from(message.get(3).copied().unwrap_or_default() & 0x0f));
    let is_truncated = message.get(2).is_none_or(|flags| flags & 0x02 != 0);
    if is_truncated || !matches!(rcode, Rcode::NOERROR | Rcode::NXDOMAIN) {
        return 0;
    }
    let Ok([answers, authorities]) = records(message) else { return 0 };
    // A chain that ends in nothing is no older than the proof of that.
    let negative = authorities.iter().filter(|record| record.rtype == rtype::SOA).map(|record| {
        let minimum = record.end.checked_sub(4).and_then(|at| u32_at(message, at));
        record.ttl(message).min(minimum.unwrap_or_default())
    });
    let positive = answers.iter().map(|record| record.ttl(message));
    positive.chain(negative).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::message::query::Query;
    use crate::dns::message::reply::{Data, write};

    fn reply(rcode: Rcode, data: Data<'_>, ttl: u32) -> Vec<u8> {
        let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01";
        let mut out = vec![0; 512];
        let query = Query::parse(query).unwrap();
        let length = write(&query, rcode, data, ttl, None, 512, &mut out).unwrap();
        out.truncate(length);
        out
    }

    #[test]
    fn a_reply_is_fresh_for_its_least_ttl() {
        let address: &[&[u8]] = &[&[192, 0, 2, 1]];
        assert_eq!(seconds(&reply(Rcode::NOERROR, Data::Records(address), 77)), 77);
        assert_eq!(seconds(&reply(Rcode::NXDOMAIN, Data::Negative, 30)), 30);
        assert_eq!(seconds(&reply(Rcode::SERVFAIL, Data::None, 30)), 0);
        assert_eq!(seconds(&reply(Rcode::NOERROR, Data::None, 30)), 0);
        let mut torn = reply(Rcode::NOERROR, Data::Records(address), 77);
        torn.pop();
        assert_eq!(seconds(&torn), 0);
        assert_eq!(seconds(&[]), 0);
    }
}
