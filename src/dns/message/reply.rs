//! Replies of our own, written in place.
//!
//! Laws: a reply echoes the question octet for octet (the client may have put a secret into
//! the case of its letters), carries OPT exactly when the query did (RFC 6891 §7), never sets
//! AA, and never claims AD for records that we made.
//!
//! A reply that does not fit is sent truncated: the question, OPT and TC.

use crate::dns::message::query::{Query, ReplyOptions};
use crate::dns::message::{CLASS_IN, Ede, HEADER, MAX_UDP, Rcode, option};
use crate::dns::rtype;

/// The longest text of an extended error, in octets.
pub const MAX_EDE_TEXT: usize = 96;

/// Padded replies have a multiple of this length, in octets (RFC 8467 §4.1).
const PADDING_BLOCK: usize = 468;

/// An extended error with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdeText<'a> {
    /// The code.
    pub code: Ede,
    /// A short text; cut at [`MAX_EDE_TEXT`].
    pub text: &'a [u8],
}

impl EdeText<'_> {
    /// A code without a text.
    pub fn bare(code: Ede) -> Self {
        Self { code, text: &[] }
    }
}

/// The answer record of a reply that we make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data<'a> {
    /// None.
    None,
    /// None; an SOA in authority has the TTL of the negative answer (RFC 2308 §3).
    Negative,
    /// One record of the type asked for with each of these RDATA.
    Records(&'a [&'a [u8]]),
    /// One record of another type (HINFO for ANY), with this RDATA.
    Other(u16, &'a [u8]),
}

/// Writes a reply and returns its length, or `None` if `out` cannot hold even a header.
///
/// `limit` is the largest reply the client takes, in octets; `ttl` is in seconds
/// and is the TTL of every record.
#[inline]
pub fn write(
    query: &Query<'_>,
    rcode: Rcode,
    data: Data<'_>,
    ttl: u32,
    ede: Option<EdeText<'_>>,
    limit: usize,
    out: &mut [u8],
) -> Option<usize> {
    let limit = limit.min(out.len());
    let mut writer = ReplyWriter { out: out.get_mut(..limit)?, at: 0 };
    let mut head = Head { rcode, answers: 0, authorities: 0, truncated: false, authentic: false };
    writer.question(query)?;
    let after_question = writer.at;
    let written = match data {
        Data::None => Some(()),
        Data::Negative => {
            head.authorities = 1;
            writer.soa(ttl)
        }
        Data::Records(each) => {
            head.answers = each.len() as u16;
            each.iter().try_for_each(|rdata| writer.record(query.qtype, ttl, rdata))
        }
        Data::Other(rtype, rdata) => {
            head.answers = 1;
            writer.record(rtype, ttl, rdata)
        }
    };
    if written.and_then(|()| writer.opt(query, rcode, ede)).is_none() {
        writer.at = after_question;
        head = Head { answers: 0, authorities: 0, truncated: true, ..head };
        writer.opt(query, rcode, None)?;
    }
    writer.head(query, head)?;
    Some(writer.at)
}

/// Writes a truncated reply: the client is to retry over TCP.
pub fn write_truncated(query: &Query<'_>, out: &mut [u8]) -> Option<usize> {
    let mut writer = ReplyWriter { out, at: 0 };
    writer.question(query)?;
    writer.opt(query, Rcode::NOERROR, None)?;
    let (rcode, truncated) = (Rcode::NOERROR, true);
    writer.head(query, Head { rcode, answers: 0, authorities: 0, truncated, authentic: false })?;
    Some(writer.at)
}

/// Writes the reply to octets that are no query: the header alone.
pub fn write_header(query: &[u8], rcode: Rcode, out: &mut [u8]) -> Option<usize> {
    let &[id_high, id_low, flags, ..] = query.first_chunk::<HEADER>()?;
    let head =
        [id_high, id_low, 0x80 | flags & 0x79, 0x80 | rcode.0 as u8 & 0x0f, 0, 0, 0, 0, 0, 0, 0, 0];
    out.get_mut(..HEADER)?.copy_from_slice(&head);
    Some(HEADER)
}

/// The varying parts of a reply's header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) rcode: Rcode,
    pub(crate) answers: u16,
    pub(crate) authorities: u16,
    pub(crate) truncated: bool,
    pub(crate) authentic: bool,
}

/// A reply under construction.
pub(crate) struct ReplyWriter<'a> {
    pub(crate) out: &'a mut [u8],
    pub(crate) at: usize,
}

impl ReplyWriter<'_> {
    #[inline]
    pub(crate) fn put(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.at + octets.len();
        self.out.get_mut(self.at..end)?.copy_from_slice(octets);
        self.at = end;
        Some(())
    }

    /// Room for the header, then the question octet for octet.
    #[inline]
    pub(crate) fn question(&mut self, query: &Query<'_>) -> Option<()> {
        self.put(query.head())
    }

    #[inline]
    fn record(&mut self, rtype: u16, ttl: u32, rdata: &[u8]) -> Option<()> {
        let [type_high, type_low] = rtype.to_be_bytes();
        let [class_high, class_low] = CLASS_IN.to_be_bytes();
        let [a, b, c, d] = ttl.to_be_bytes();
        let [length_high, length_low] = (rdata.len() as u16).to_be_bytes();
        self.put(&[
            // The owner is the question's name.
            0xc0,
            HEADER as u8,
            type_high,
            type_low,
            class_high,
            class_low,
            a,
            b,
            c,
            d,
            length_high,
            length_low,
        ])?;
        self.put(rdata)
    }

    /// An SOA at the question's name: the resolver made this answer, for `ttl` seconds.
    #[inline]
    fn soa(&mut self, ttl: u32) -> Option<()> {
        const MNAME_AND_RNAME: &[u8] = b"\x06lachan\x07invalid\x00\x00";
        let mut rdata = [0; MNAME_AND_RNAME.len() + 20];
        let (names, numbers) = rdata.split_at_mut(MNAME_AND_RNAME.len());
        names.copy_from_slice(MNAME_AND_RNAME);
        // Serial, refresh, retry, expire, minimum.
        for (to, value) in numbers.chunks_exact_mut(4).zip([1, 3600, 600, 86_400, ttl]) {
            to.copy_from_slice(&value.to_be_bytes());
        }
        self.record(rtype::SOA, ttl, &rdata)
    }

    /// OPT, if the query had one; it is the last record, so that padding knows the length.
    #[inline]
    pub(crate) fn opt(
        &mut self,
        query: &Query<'_>,
        rcode: Rcode,
        ede: Option<EdeText<'_>>,
    ) -> Option<()> {
        let Some(edns) = query.edns else { return Some(()) };
        let [size_high, size_low] = MAX_UDP.to_be_bytes();
        let dnssec_ok = if edns.dnssec_ok { 0x80 } else { 0 };
        self.put(&[
            0,
            0,
            rtype::OPT as u8,
            size_high,
            size_low,
            (rcode.0 >> 4) as u8,
            0,
            dnssec_ok,
            0,
            // The length of the options, when it is known.
            0,
            0,
        ])?;
        let options_at = self.at;
        if let Some(ede) = ede {
            let text = ede.text.get(..MAX_EDE_TEXT).unwrap_or(ede.text);
            let [length_high, length_low] = (2 + text.len() as u16).to_be_bytes();
            let [code_high, code_low] = ede.code.0.to_be_bytes();
            self.put(&[0, option::EDE as u8, length_high, length_low, code_high, code_low])?;
            self.put(text)?;
        }
        if query.reply != ReplyOptions::NONE {
            self.connection_options(query.reply)?;
        }
        let length = ((self.at - options_at) as u16).to_be_bytes();
        self.out.get_mut(options_at - 2..options_at)?.copy_from_slice(&length);
        Some(())
    }

    /// The options of the connection; padding last (RFC 8467 §4.1).
    #[cold]
    fn connection_options(&mut self, options: ReplyOptions) -> Option<()> {
        if let Some(idle) = options.keepalive {
            let [high, low] = idle.to_be_bytes();
            self.put(&[0, option::KEEPALIVE as u8, 0, 2, high, low])?;
        }
        if options.pads {
            let bare = self.at + 4;
            // A reply that fills its limit is padded as far as that goes.
            let whole = bare.next_multiple_of(PADDING_BLOCK).min(self.out.len());
            if let Some(count) = whole.checked_sub(bare) {
                let [high, low] = (count as u16).to_be_bytes();
                self.put(&[0, option::PADDING as u8, high, low])?;
                self.out.get_mut(self.at..whole)?.fill(0);
                self.at = whole;
            }
        }
        Some(())
    }

    /// The header, last: now the counts are known.
    #[inline]
    pub(crate) fn head(&mut self, query: &Query<'_>, head: Head) -> Option<()> {
        let &[id_high, id_low, flags_high, flags_low, ..] = query.head().first_chunk::<HEADER>()?;
        let tc = if head.truncated { 0x02 } else { 0 };
        let ad = if head.authentic { 0x20 } else { 0 };
        let [answers_high, answers_low] = head.answers.to_be_bytes();
        let [authorities_high, authorities_low] = head.authorities.to_be_bytes();
        let octets = [
            id_high,
            id_low,
            // QR, opcode and RD as asked.
            0x80 | flags_high & 0x79 | tc,
            // RA, CD as asked.
            0x80 | flags_low & 0x10 | ad | (head.rcode.0 & 0x0f) as u8,
            0,
            1,
            answers_high,
            answers_low,
            authorities_high,
            authorities_low,
            0,
            u8::from(query.edns.is_some()),
        ];
        self.out.get_mut(..HEADER)?.copy_from_slice(&octets);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::Message;
    use hickory_proto::rr::rdata::opt::EdnsOption;
    use hickory_proto::rr::{RData, RecordType};

    fn query(with_opt: bool) -> Vec<u8> {
        let mut octets = vec![0x12, 0x34, 1, 0x10, 0, 1, 0, 0, 0, 0, 0, u8::from(with_opt)];
        octets.extend(b"\x03WwW\x07ExAmPle\x00\x00\x01\x00\x01");
        if with_opt {
            octets.extend([0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0]);
        }
        octets
    }

    fn written(octets: &[u8], rcode: Rcode, data: Data<'_>, limit: usize) -> Vec<u8> {
        let query = Query::parse(octets).unwrap();
        let ede = EdeText { code: Ede::BLOCKED, text: b"category=adult" };
        let mut out = [0xff; 512];
        let length = write(&query, rcode, data, 30, Some(ede), limit, &mut out).unwrap();
        out[..length].to_vec()
    }

    #[test]
    fn a_negative_reply_is_read_by_others() {
        let octets = written(&query(true), Rcode::NXDOMAIN, Data::Negative, 512);
        let message = Message::from_vec(&octets).unwrap();
        assert_eq!(message.metadata.id, 0x1234);
        assert_eq!(u16::from(message.metadata.response_code), 3);
        assert!(message.metadata.recursion_available && !message.metadata.authoritative);
        assert!(message.metadata.checking_disabled && !message.metadata.authentic_data);
        assert_eq!(message.authorities[0].ttl, 30);
        assert!(matches!(&message.authorities[0].data, RData::SOA(soa) if soa.minimum == 30));
        assert!(message.edns.is_some());
        // The case of the question is kept.
        assert_eq!(&octets[12..25], b"\x03WwW\x07ExAmPle\x00");
        assert!(octets.ends_with(b"\x00\x0f\x00\x10\x00\x0fcategory=adult"));
    }

    #[test]
    fn opt_goes_back_only_where_it_came() {
        let octets = written(&query(false), Rcode::NOERROR, Data::Records(&[&[0, 0, 0, 0]]), 512);
        let message = Message::from_vec(&octets).unwrap();
        assert!(message.edns.is_none());
        assert_eq!(message.answers[0].record_type(), RecordType::A);
    }

    #[test]
    fn what_does_not_fit_is_truncated() {
        let octets = written(&query(true), Rcode::NXDOMAIN, Data::Negative, 60);
        let message = Message::from_vec(&octets).unwrap();
        assert!(octets.len() <= 60 && message.metadata.truncation);
        assert!(message.authorities.is_empty() && message.edns.is_some());
    }

    /// The options of a reply, by code.
    fn options(octets: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let edns = Message::from_vec(octets).unwrap().edns.unwrap();
        let known = edns.options().as_ref().iter().map(|(code, option)| match option {
            EdnsOption::Unknown(_, octets) => (u16::from(*code), octets.clone()),
            other => panic!("{other:?}"),
        });
        known.collect()
    }

    #[test]
    fn the_connection_speaks_where_it_was_spoken_to() {
        let asking = |option: &[u8]| {
            let mut octets = query(true);
            octets.extend(option);
            *octets.iter_mut().nth_back(option.len()).unwrap() = option.len() as u8;
            octets
        };
        let over = ReplyOptions { pads: true, keepalive: Some(100) };
        let reply = |octets: &[u8], limit: usize| {
            let query = Query::parse(octets).unwrap().over(over);
            let ede = EdeText { code: Ede::BLOCKED, text: b"category=adult" };
            let mut out = [0xff; 1024];
            let (rcode, data) = (Rcode::NXDOMAIN, Data::Negative);
            let length = write(&query, rcode, data, 30, Some(ede), limit, &mut out).unwrap();
            out[..length].to_vec()
        };
        let plain = reply(&query(true), 1024);
        assert!(options(&plain).iter().all(|(code, _)| *code == option::EDE));
        let padded = reply(&asking(&[0, 12, 0, 3, 0, 0, 0]), 1024);
        assert_eq!(padded.len(), PADDING_BLOCK);
        let found = options(&padded);
        assert!(
            found
                .iter()
                .any(|(code, octets)| *code == option::PADDING && octets.iter().all(|o| *o == 0))
        );
        assert!(found.iter().all(|(code, _)| *code != option::KEEPALIVE));
        // As far as the limit goes, and not at all where four octets have no room.
        for limit in plain.len()..plain.len() + 12 {
            let octets = reply(&asking(&[0, 12, 0, 0]), limit);
            assert!(octets.len() == if limit < plain.len() + 4 { plain.len() } else { limit });
            assert_eq!(Message::from_vec(&octets).unwrap().authorities.len(), 1);
        }
        let kept = reply(&asking(&[0, 11, 0, 0]), 1024);
        assert!(options(&kept).contains(&(option::KEEPALIVE, vec![0, 100])));
        assert_eq!(kept.len(), plain.len() + 6);
    }

    #[test]
    fn a_header_alone_echoes_id_opcode_and_rd() {
        let mut out = [0; 12];
        let query = [0xab, 0xcd, 0x29, 0x20, 9, 9, 9, 9, 9, 9, 9, 9];
        assert_eq!(write_header(&query, Rcode::NOTIMP, &mut out), Some(12));
        assert_eq!(out, [0xab, 0xcd, 0xa9, 0x84, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
