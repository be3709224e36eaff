//! Records of the config: parsed from text once, laid out as an answer for each query.
//!
//! A record is written as in a zone file, on one line: `printer.school.lan 300 A 10.20.0.9`.
//! TTL and `IN` may be left out; every name is absolute, with or without its final dot.
//!
//! Off the hot path: local data is laid out as the message of an upstream, so that it takes
//! the same way through review as any other answer.

use hickory_proto::rr::{RData, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};

use crate::dns::message::{CLASS_IN, HEADER, Question, Rcode};
use crate::dns::name::{Name, NameError};
use crate::dns::rtype;

/// The types of local records.
const TYPES: [(&str, u16); 9] = [
    ("A", rtype::A),
    ("AAAA", rtype::AAAA),
    ("CNAME", rtype::CNAME),
    ("HTTPS", rtype::HTTPS),
    ("MX", rtype::MX),
    ("PTR", rtype::PTR),
    ("SRV", rtype::SRV),
    ("SVCB", rtype::SVCB),
    ("TXT", rtype::TXT),
];
/// The longest TTL, in seconds.
pub(crate) const MAX_TTL: u32 = 86_400;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalRecord {
    /// Its owner name.
    pub owner: Name,
    /// Its own TTL in seconds, if it has one.
    pub ttl: Option<u32>,
    /// Its type.
    pub rtype: u16,
    /// Its data in wire form.
    pub rdata: Box<[u8]>,
    /// The target of a CNAME.
    pub target: Option<Name>,
}

/// Why a text is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Too few words.
    #[error("a record is a name, a type and its data")]
    TooShort,
    /// The owner is no name.
    #[error("`{0}` is no name: {1}")]
    Owner(String, NameError),
    /// A wildcard.
    #[error("a name with `*` is not answered here; write each name, or use a forward zone")]
    Wildcard,
    /// A type that local records cannot have.
    #[error("`{0}` is no type that can be written here; known are {known}", known = known_types())]
    Type(String),
    /// The TTL is out of range.
    #[error("the TTL is {0}; it must be 0 to {MAX_TTL} seconds")]
    Ttl(u64),
    /// The data is not of the type.
    #[error("`{1}` is no data of type {0}")]
    Data(&'static str, String),
}

/// The types that can be written, for people.
pub(crate) fn known_types() -> String {
    TYPES.map(|(word, _)| format!("`{word}`")).join(", ")
}

/// Reads a record from one line.
///
/// # Errors
///
/// [`RecordError`]: the first thing that is wrong.
pub fn parse(line: &str) -> Result<LocalRecord, RecordError> {
    let (owner, mut rest) = word(line).ok_or(RecordError::TooShort)?;
    if owner.starts_with('*') {
        return Err(RecordError::Wildcard);
    }
    let owner =
        Name::from_text(owner).map_err(|error| RecordError::Owner(owner.to_owned(), error))?;
    let (mut next, mut after) = word(rest).ok_or(RecordError::TooShort)?;
    let mut ttl = None;
    if let Ok(seconds) = next.parse::<u64>() {
        let fits = u32::try_from(seconds).ok().filter(|&seconds| seconds <= MAX_TTL);
        ttl = Some(fits.ok_or(RecordError::Ttl(seconds))?);
        rest = after;
        (next, after) = word(rest).ok_or(RecordError::TooShort)?;
    }
    if next.eq_ignore_ascii_case("IN") {
        rest = after;
        (next, after) = word(rest).ok_or(RecordError::TooShort)?;
    }
    let found = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(next));
    let &(name, rtype) = found.ok_or_else(|| RecordError::Type(next.to_owned()))?;
    let text = after.trim();
    let wrong = || RecordError::Data(name, text.to_owned());
    if text.is_empty() {
        return Err(RecordError::TooShort);
    }
    let data = RData::try_from_str(RecordType::from(rtype), text).map_err(|_| wrong())?;
    let mut rdata = Vec::new();
    let mut encoder = BinEncoder::new(&mut rdata);
    data.emit(&mut encoder).map_err(|_| wrong())?;
    let target = match rtype {
        rtype::CNAME => Some(Name::from_wire(&rdata).map_err(|_| wrong())?.0),
        _ => None,
    };
    Ok(LocalRecord { owner, ttl, rtype, rdata: rdata.into(), target })
}

/// The first word of a line, and what follows it.
fn word(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (!word.is_empty()).then_some((word, rest))
}

/// An upstream's message that answers `question` with these records of its name.
///
/// Without records it is a NODATA answer: an SOA has the `ttl`.
pub fn message(question: &Question, ttl: u32, rdata: &[&[u8]]) -> Vec<u8> {
    let [high, low] = (rdata.len() as u16).to_be_bytes();
    let authorities = u8::from(rdata.is_empty());
    let rcode = Rcode::NOERROR.0 as u8;
    let mut message = vec![0, 0, 0x81, 0x80 | rcode, 0, 1, high, low, 0, authorities, 0, 0];
    message.extend_from_slice(question.name.as_wire());
    message.extend_from_slice(&question.qtype.to_be_bytes());
    message.extend_from_slice(&CLASS_IN.to_be_bytes());
    let mut record = |rtype: u16, rdata: &[u8]| {
        message.extend_from_slice(&[0xc0, HEADER as u8]);
        message.extend_from_slice(&rtype.to_be_bytes());
        message.extend_from_slice(&CLASS_IN.to_be_bytes());
        message.extend_from_slice(&ttl.to_be_bytes());
        message.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
        message.extend_from_slice(rdata);
    };
    for rdata in rdata {
        record(question.qtype, rdata);
    }
    if rdata.is_empty() {
        // lachan.invalid, as in every SOA that this program makes.
        let mut soa = b"\x06lachan\x07invalid\x00\x00".to_vec();
        for number in [1, 3600, 600, 86_400, ttl] {
            soa.extend_from_slice(&number.to_be_bytes());
        }
        record(rtype::SOA, &soa);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::message::answer::{Answer, TtlLimits};
    use crate::dns::route::UpstreamId;

    #[test]
    fn records_are_read_as_in_a_zone_file() {
        let record = parse("Printer.School.lan. 60 IN a 10.20.0.9").unwrap();
        assert_eq!(record.owner.to_string(), "printer.school.lan.");
        assert_eq!((record.ttl, record.rtype, &*record.rdata), (Some(60), 1, &[10, 20, 0, 9][..]));
        let record = parse("www.school.lan\tCNAME web.school.lan").unwrap();
        assert_eq!(record.target.unwrap().to_string(), "web.school.lan.");
        assert_eq!(&*record.rdata, b"\x03web\x06school\x03lan\x00");
        let record = parse("school.lan MX 10 mail.school.lan.").unwrap();
        assert_eq!(&*record.rdata, b"\x00\x0a\x04mail\x06school\x03lan\x00");
        let record = parse("school.lan TXT \"two words\" three").unwrap();
        assert_eq!(&*record.rdata, b"\x09two words\x05three");
        let record = parse("_ldap._tcp.school.lan SRV 0 5 389 dc.school.lan").unwrap();
        assert_eq!(&*record.rdata, b"\x00\x00\x00\x05\x01\x85\x02dc\x06school\x03lan\x00");
        let record = parse("9.0.20.10.in-addr.arpa PTR printer.school.lan").unwrap();
        assert_eq!(record.rtype, rtype::PTR);
        assert_eq!(parse("a.lan AAAA fd00::1").unwrap().rdata.len(), 16);
    }

    #[test]
    fn what_is_no_record_is_told() {
        let wrong = |line| parse(line).unwrap_err().to_string();
        for line in ["", "a.lan", "a.lan 60", "a.lan IN", "a.lan A", "a.lan 60 IN A  "] {
            assert_eq!(wrong(line), "a record is a name, a type and its data", "{line:?}");
        }
        assert_eq!(wrong("a.lan A 10.20.0"), "`10.20.0` is no data of type A");
        assert_eq!(wrong("a.lan A fd00::1"), "`fd00::1` is no data of type A");
        assert_eq!(
            wrong("a.lan 99999999999 A 10.0.0.1"),
            "the TTL is 99999999999; it must be 0 to 86400 seconds"
        );
        assert!(wrong("a.lan SOA x").starts_with("`SOA` is no type that can be written here"));
        assert!(wrong("*.lan A 10.0.0.1").contains("forward zone"));
        assert!(wrong("a..lan A 10.0.0.1").starts_with("`a..lan` is no name"));
    }

    #[test]
    fn a_message_of_local_data_is_an_answer() {
        let name = Name::from_text("a.lan").unwrap();
        let question = Question {
            name,
            qtype: 1,
            dnssec_ok: false,
            checking_disabled: false,
            upstream: UpstreamId::MAIN,
        };
        let limits = TtlLimits { min: 0, max: u32::MAX, max_negative: u32::MAX };
        let take = |rdata: &[&[u8]]| {
            Answer::take(&message(&question, 60, rdata), &question, &limits).unwrap()
        };
        let answer = take(&[&[10, 0, 0, 1], &[10, 0, 0, 2]]);
        assert_eq!((answer.lifetime(), answer.has_internal()), (60, true));
        let negative = take(&[]);
        assert_eq!((negative.rcode(), negative.lifetime()), (Rcode::NOERROR, 60));
    }
}
