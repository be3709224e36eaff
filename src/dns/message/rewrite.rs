//! Rewriting: the answer to one name becomes the answer to another.
//!
//! Off the hot path: the result is cached like any other answer.

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::CNAME;
use hickory_proto::rr::{Name as ProtoName, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

use crate::dns::message::{Malformed, Question};
use crate::dns::name::Name;

/// The longest TTL of a rewritten answer, in seconds: its target may change.
const MAX_TTL: u32 = 300;

/// Puts a CNAME from the name of `asked` in front of `message`, the answer for `target`.
///
/// All records get one TTL, the least of theirs and at most five minutes. The result claims
/// neither AD nor signatures: it is not the zone's own.
///
/// # Errors
///
/// [`Malformed`] if the message cannot be read.
pub fn rewrite(message: &[u8], asked: &Question, target: &Name) -> Result<Vec<u8>, Malformed> {
    let mut message = Message::from_vec(message).map_err(|_| Malformed)?;
    let (from, to) = (proto_name(&asked.name)?, proto_name(target)?);
    let ttl = message.answers.iter().map(|record| record.ttl).fold(MAX_TTL, u32::min);
    for record in &mut message.answers {
        record.ttl = ttl;
    }
    for query in &mut message.queries {
        query.set_name(from.clone());
    }
    message.answers.retain(|record| record.record_type() != RecordType::RRSIG);
    message.authorities.retain(|record| record.record_type() == RecordType::SOA);
    message.answers.insert(0, Record::from_rdata(from, ttl, RData::CNAME(CNAME(to))));
    message.additionals.clear();
    message.edns = None;
    message.metadata.authentic_data = false;
    message.to_vec().map_err(|_| Malformed)
}

fn proto_name(name: &Name) -> Result<ProtoName, Malformed> {
    ProtoName::read(&mut BinDecoder::new(name.as_wire())).map_err(|_| Malformed)
}
