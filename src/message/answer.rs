//! What upstream sent: taken in once, sent many times.
//!
//! [`Answer::take`] keeps the records that answer the question (its chain of
//! CNAME and DNAME, the records at the end of it, the SOA of a negative answer,
//! DNSSEC proofs where they were asked for) in the octets they came in, and
//! notes where each TTL and each target name stands. Everything else that an
//! upstream might add is left out, so that it cannot be believed (RFC 2181 §5.4.1).
//!
//! [`Answer::write`] copies it behind the question of the moment, so that
//! compression pointers still point right, and lowers the TTLs by its age.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::op::Message;

use crate::message::query::Query;
use crate::message::reply::{EdeText, Head, MAX_EDE_TEXT, Writer};
use crate::message::{CLASS_IN, Ede, HEADER, Malformed, Question, Rcode, name_at, u16_at, u32_at};
use crate::name::{Folded, Name};
use crate::policy::rebinding::is_internal;
use crate::rtype;

/// The most CNAME steps an answer may take.
pub const MAX_CHAIN: usize = 16;
/// The most records that are looked at.
const MAX_RECORDS: usize = 2000;

/// Bounds on how long an answer is kept, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TtlLimits {
    /// TTLs below are raised to this.
    pub min: u32,
    /// TTLs above are lowered to this.
    pub max: u32,
    /// Negative answers are kept no longer (RFC 2308 §5).
    pub max_negative: u32,
}

/// An upstream answer, ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    rcode: Rcode,
    is_authentic: bool,
    answers: u16,
    authorities: u16,
    /// Answer and authority records as they stand behind the question.
    records: Box<[u8]>,
    /// Where the TTLs are in `records`.
    ttls: Box<[u16]>,
    /// Where the names that CNAME, DNAME, SVCB and HTTPS point to are in the message.
    targets: Box<[u16]>,
    /// Where the addresses are in the message: of A and AAAA, and the hints of
    /// SVCB and HTTPS.
    addresses: Box<[AddressAt]>,
    has_internal: bool,
    ede: Option<(Ede, Box<[u8]>)>,
    lifetime: u32,
}

/// Where an address is, and of which family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AddressAt {
    at: u16,
    is_v6: bool,
}

impl AddressAt {
    fn read(self, message: &[u8]) -> Result<IpAddr, Malformed> {
        let octets = message.get(usize::from(self.at)..).ok_or(Malformed)?;
        if self.is_v6 {
            octets.first_chunk().map(|&octets| IpAddr::V6(Ipv6Addr::from(octets)))
        } else {
            octets.first_chunk().map(|&octets| IpAddr::V4(Ipv4Addr::from(octets)))
        }
        .ok_or(Malformed)
    }
}

/// One record of a message, read but for its RDATA.
struct Record {
    owner: Name,
    rtype: u16,
    is_in: bool,
    ttl_at: usize,
    rdata_at: usize,
    end: usize,
}

impl Record {
    fn read(message: &[u8], at: usize) -> Result<Self, Malformed> {
        let (owner, fixed) = name_at(message, at)?;
        let length = u16_at(message, fixed + 8).ok_or(Malformed)?;
        let end = fixed + 10 + usize::from(length);
        if end > message.len() {
            return Err(Malformed);
        }
        Ok(Self {
            owner: owner.to_name(),
            rtype: u16_at(message, fixed).ok_or(Malformed)?,
            is_in: u16_at(message, fixed + 2) == Some(CLASS_IN),
            ttl_at: fixed + 4,
            rdata_at: fixed + 10,
            end,
        })
    }

    /// Where the name this record points to starts, for the types that point.
    fn target_at(&self) -> Option<usize> {
        match self.rtype {
            rtype::CNAME | rtype::DNAME => Some(self.rdata_at),
            rtype::SVCB | rtype::HTTPS => Some(self.rdata_at + 2),
            _ => None,
        }
    }

    /// Notes where the addresses of this record are.
    fn note_addresses(&self, message: &[u8], into: &mut Vec<AddressAt>) -> Result<(), Malformed> {
        let mut note = |at: usize, is_v6| {
            let at = u16::try_from(at).map_err(|_| Malformed)?;
            into.push(AddressAt { at, is_v6 });
            Ok(())
        };
        match (self.rtype, self.end - self.rdata_at) {
            (rtype::A, 4) => note(self.rdata_at, false),
            (rtype::AAAA, 16) => note(self.rdata_at, true),
            (rtype::A | rtype::AAAA, _) => Err(Malformed),
            (rtype::SVCB | rtype::HTTPS, _) => {
                let (_, mut at) = name_at(message, self.rdata_at + 2)?;
                while at < self.end {
                    let key = u16_at(message, at).ok_or(Malformed)?;
                    let length = usize::from(u16_at(message, at + 2).ok_or(Malformed)?);
                    let (value, next) = (at + 4, at + 4 + length);
                    if next > self.end {
                        return Err(Malformed);
                    }
                    // ipv4hint and ipv6hint (RFC 9460 §7.3).
                    let (size, is_v6) = match key {
                        4 => (4, false),
                        6 => (16, true),
                        _ => (length.max(1), false),
                    };
                    if length % size != 0 {
                        return Err(Malformed);
                    }
                    if matches!(key, 4 | 6) {
                        (value..next).step_by(size).try_for_each(|at| note(at, is_v6))?;
                    }
                    at = next;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A target that ends where the RDATA ends or before it.
    fn target(&self, message: &[u8]) -> Result<Option<Name>, Malformed> {
        let Some(at) = self.target_at() else { return Ok(None) };
        let (name, after) = name_at(message, at)?;
        if after > self.end { Err(Malformed) } else { Ok(Some(name.to_name())) }
    }
}

impl Answer {
    /// Takes in the answer to `question`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for octets that are no response to this question, for
    /// records that cannot be read, and for chains of more than [`MAX_CHAIN`] steps.
    pub fn take(
        message: &[u8],
        question: &Question,
        limits: &TtlLimits,
    ) -> Result<Self, Malformed> {
        let scan = Scan::read(message, question)?;
        let keep = scan.kept(question)?;
        let kept = keep.iter().filter(|&&keep| keep).count();
        // Left out is nearly always what stands at the end, and cutting there breaks
        // no pointer.
        if keep.iter().take(kept).all(|&keep| keep) {
            return scan.finish(kept, question, limits);
        }
        let message = without(message, &keep, scan.answers)?;
        let scan = Scan::read(&message, question)?;
        let kept = scan.records.len();
        scan.finish(kept, question, limits)
    }

    /// An answer without records: upstream failed, and says no more.
    pub fn is_failure(&self) -> bool {
        !matches!(self.rcode, Rcode::NOERROR | Rcode::NXDOMAIN)
    }

    /// The same answer, sent with this extended error.
    #[must_use]
    pub fn with_ede(self, code: Ede, text: &[u8]) -> Self {
        Self { ede: Some((code, text.into())), ..self }
    }

    /// The response code.
    pub fn rcode(&self) -> Rcode {
        self.rcode
    }

    /// Seconds it may be kept; 0 says not at all.
    pub fn lifetime(&self) -> u32 {
        self.lifetime
    }

    /// Octets it takes, with what is noted about it.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.records.len()
            + 2 * (self.ttls.len() + self.targets.len())
            + size_of::<AddressAt>() * self.addresses.len()
            + self.ede.as_ref().map_or(0, |(_, text)| text.len())
    }

    /// How many names it points to: policy must review them.
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

    /// The addresses in it, read from `message`, a whole reply that [`Answer::write`] wrote.
    pub fn addresses<'a>(
        &'a self,
        message: &'a [u8],
    ) -> impl Iterator<Item = Result<IpAddr, Malformed>> + 'a {
        self.addresses.iter().map(|address| address.read(message))
    }

    /// The names it points to, read from `message`, a whole reply that [`Answer::write`] wrote.
    pub fn targets<'a>(
        &'a self,
        message: &'a [u8],
    ) -> impl Iterator<Item = Result<Folded, Malformed>> + 'a {
        self.targets.iter().map(|&at| Ok(name_at(message, usize::from(at))?.0))
    }

    /// Writes it as the reply to `query`, `age` seconds after it was taken in.
    ///
    /// Returns the length; what does not fit `limit` octets goes truncated.
    #[inline]
    pub fn write(
        &self,
        query: &Query<'_>,
        age: u32,
        limit: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        let mut writer = Writer { out, at: 0 };
        writer.question(query)?;
        let start = writer.at;
        let ede = self.ede.as_ref().map(|(code, text)| EdeText { code: *code, text });
        let mut head = Head {
            rcode: self.rcode,
            answers: self.answers,
            authorities: self.authorities,
            truncated: false,
            authentic: self.is_authentic && (query.authentic_data() || query.dnssec_ok()),
        };
        let limit = limit.min(writer.out.len());
        writer.out = writer.out.get_mut(..limit)?;
        let whole = writer.put(&self.records).and_then(|()| writer.opt(query, self.rcode, ede));
        if whole.is_none() {
            writer.at = start;
            head = Head { answers: 0, authorities: 0, truncated: true, authentic: false, ..head };
            writer.opt(query, self.rcode, None)?;
        } else if age > 0 {
            for &at in &self.ttls {
                let at = start + usize::from(at);
                let ttl = u32_at(writer.out, at)?.saturating_sub(age);
                writer.out.get_mut(at..at + 4)?.copy_from_slice(&ttl.to_be_bytes());
            }
        }
        writer.head(query, head)?;
        Some(writer.at)
    }
}

/// A response, read record by record.
struct Scan<'a> {
    message: &'a [u8],
    question_end: usize,
    rcode: Rcode,
    ede: Option<(Ede, Box<[u8]>)>,
    /// Answer records, then authority records.
    records: Vec<Record>,
    answers: usize,
}

impl<'a> Scan<'a> {
    fn read(message: &'a [u8], question: &Question) -> Result<Self, Malformed> {
        let flags = *message.get(2).ok_or(Malformed)?;
        let low = *message.get(3).ok_or(Malformed)?;
        let count = |at| u16_at(message, at).map(usize::from).ok_or(Malformed);
        let (answers, authorities, additionals) = (count(6)?, count(8)?, count(10)?);
        if flags & 0xf8 != 0x80
            || count(4)? != 1
            || answers + authorities + additionals > MAX_RECORDS
        {
            return Err(Malformed);
        }
        let (name, at) = name_at(message, HEADER)?;
        if name.as_wire() != question.name.as_wire()
            || u16_at(message, at) != Some(question.qtype)
            || u16_at(message, at + 2) != Some(CLASS_IN)
        {
            return Err(Malformed);
        }
        let question_end = at + 4;
        let mut scan = Self {
            message,
            question_end,
            rcode: Rcode(u16::from(low & 0x0f)),
            ede: None,
            records: Vec::with_capacity(answers + authorities),
            answers,
        };
        let mut at = question_end;
        for _ in 0..answers + authorities {
            let record = Record::read(message, at)?;
            at = record.end;
            scan.records.push(record);
        }
        for _ in 0..additionals {
            let record = Record::read(message, at)?;
            at = record.end;
            if record.rtype == rtype::OPT {
                scan.opt(&record);
            }
        }
        Ok(scan)
    }

    fn opt(&mut self, record: &Record) {
        let extended = self.message.get(record.ttl_at).copied().map_or(0, u16::from);
        self.rcode.0 |= extended << 4;
        let mut options = self.message.get(record.rdata_at..record.end).unwrap_or(&[]);
        while let (Some(code), Some(length)) = (u16_at(options, 0), u16_at(options, 2)) {
            let end = 4 + usize::from(length);
            let Some(value) = options.get(4..end) else { return };
            if let (15, Some(ede), None) = (code, u16_at(value, 0), &self.ede) {
                let text = value.get(2..).unwrap_or(&[]);
                let text = text.get(..MAX_EDE_TEXT).unwrap_or(text);
                self.ede = Some((Ede(ede), text.into()));
            }
            options = options.get(end..).unwrap_or(&[]);
        }
    }

    fn answer_records(&self) -> &[Record] {
        self.records.get(..self.answers).unwrap_or(&self.records)
    }

    /// The names an answer goes through, the question's first.
    fn chain(&self, question: &Question) -> Result<Vec<Name>, Malformed> {
        let mut chain = vec![question.name.clone()];
        if matches!(question.qtype, rtype::CNAME | rtype::ANY) {
            return Ok(chain);
        }
        while let Some(step) = self
            .answer_records()
            .iter()
            .find(|r| r.is_in && r.rtype == rtype::CNAME && Some(&r.owner) == chain.last())
        {
            let target = step.target(self.message)?.ok_or(Malformed)?;
            if chain.len() > MAX_CHAIN || chain.contains(&target) {
                return Err(Malformed);
            }
            chain.push(target);
        }
        Ok(chain)
    }

    /// Which records answer the question, one flag for each.
    fn kept(&self, question: &Question) -> Result<Vec<bool>, Malformed> {
        if !matches!(self.rcode, Rcode::NOERROR | Rcode::NXDOMAIN) {
            return Ok(vec![false; self.records.len()]);
        }
        let chain = self.chain(question)?;
        let below = |owner: &Name| {
            chain.iter().any(|name| Folded::from_name(name).is_at_or_below(owner.as_wire()))
        };
        let is_final = |r: &Record| r.rtype == question.qtype || question.qtype == rtype::ANY;
        let is_positive = self
            .answer_records()
            .iter()
            .any(|r| r.is_in && is_final(r) && Some(&r.owner) == chain.last());
        let keep = self.records.iter().enumerate().map(|(number, record)| {
            record.is_in
                && if number < self.answers {
                    match record.rtype {
                        rtype::DNAME => below(&record.owner),
                        rtype::RRSIG => question.dnssec_ok && below(&record.owner),
                        rtype::CNAME => chain.contains(&record.owner),
                        _ => is_final(record) && Some(&record.owner) == chain.last(),
                    }
                } else {
                    match record.rtype {
                        rtype::SOA => !is_positive && below(&record.owner),
                        // NSEC, NSEC3 and their signatures.
                        rtype::RRSIG | 47 | 50 => question.dnssec_ok,
                        _ => false,
                    }
                }
        });
        Ok(keep.collect())
    }

    /// Makes the answer of the first `kept` records.
    fn finish(
        self,
        kept: usize,
        question: &Question,
        limits: &TtlLimits,
    ) -> Result<Answer, Malformed> {
        let records = self.records.get(..kept).ok_or(Malformed)?;
        let end = records.last().map_or(self.question_end, |record| record.end);
        let mut octets: Box<[u8]> =
            self.message.get(self.question_end..end).ok_or(Malformed)?.into();
        let place = |at: usize| u16::try_from(at).map_err(|_| Malformed);
        let (mut ttls, mut targets, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        let mut lifetime = u32::MAX;
        let mut is_negative = true;
        for (number, record) in records.iter().enumerate() {
            let at = record.ttl_at - self.question_end;
            // A TTL with its top bit set is 0 (RFC 2181 §8).
            let ttl = u32_at(&octets, at).filter(|ttl| ttl >> 31 == 0).unwrap_or(0);
            let mut ttl = ttl.clamp(limits.min, limits.max);
            if record.rtype == rtype::SOA && number >= self.answers {
                let minimum = u32_at(self.message, record.end - 4).unwrap_or(0);
                ttl = ttl.min(minimum.max(limits.min)).min(limits.max_negative);
            }
            is_negative &= record.rtype != question.qtype && question.qtype != rtype::ANY;
            lifetime = lifetime.min(ttl);
            octets.get_mut(at..at + 4).ok_or(Malformed)?.copy_from_slice(&ttl.to_be_bytes());
            ttls.push(place(at)?);
            if let (true, Some(at)) = (number < self.answers, record.target_at()) {
                record.target(self.message)?;
                targets.push(place(at)?);
            }
            if number < self.answers {
                record.note_addresses(self.message, &mut addresses)?;
            }
        }
        let has_internal = addresses
            .iter()
            .map(|address| address.read(self.message))
            .try_fold(false, |any, address| Ok(any | is_internal(address?)))?;
        let has_soa = records.iter().skip(self.answers).any(|r| r.rtype == rtype::SOA);
        // Without an SOA nobody said how long a negative answer holds (RFC 2308 §5).
        let is_kept = records.iter().any(|_| true) && (!is_negative || has_soa);
        let answers = records.len().min(self.answers);
        Ok(Answer {
            rcode: self.rcode,
            is_authentic: self.message.get(3).is_some_and(|flags| flags & 0x20 != 0),
            answers: answers as u16,
            authorities: (records.len() - answers) as u16,
            records: octets,
            ttls: ttls.into(),
            targets: targets.into(),
            addresses: addresses.into(),
            has_internal,
            ede: self.ede,
            lifetime: if is_kept { lifetime } else { 0 },
        })
    }
}

/// The message without the records that are not kept, written anew.
fn without(message: &[u8], keep: &[bool], answers: usize) -> Result<Vec<u8>, Malformed> {
    let mut message = Message::from_vec(message).map_err(|_| Malformed)?;
    let (in_answer, in_authority) = keep.split_at_checked(answers).ok_or(Malformed)?;
    let mut flags = in_answer.iter();
    message.answers.retain(|_| flags.next().is_some_and(|&keep| keep));
    let mut flags = in_authority.iter();
    message.authorities.retain(|_| flags.next().is_some_and(|&keep| keep));
    message.additionals.clear();
    message.to_vec().map_err(|_| Malformed)
}

#[cfg(test)]
mod tests;
