//! A response from upstream, read record by record, and the records that are stored.

use hickory_proto::op::Message;

use super::{AddressAt, Answer, MAX_CHAIN, TtlLimits};
use crate::dns::address::is_internal;
use crate::dns::message::reply::MAX_EDE_TEXT;
use crate::dns::message::{
    CLASS_IN, Ede, HEADER, Malformed, Question, Rcode, name_at, u16_at, u32_at,
};
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;

/// The most records of a message.
const MAX_RECORDS: usize = 2000;

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
}

/// One record of a message, read but for its RDATA.
struct ScannedRecord {
    owner: Name,
    rtype: u16,
    is_in: bool,
    ttl_at: usize,
    rdata_at: usize,
    end: usize,
}

impl ScannedRecord {
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

    /// The position of the name this record points to, for the types that point.
    fn target_at(&self) -> Option<usize> {
        match self.rtype {
            rtype::CNAME | rtype::DNAME => Some(self.rdata_at),
            rtype::SVCB | rtype::HTTPS => Some(self.rdata_at + 2),
            _ => None,
        }
    }

    /// Notes the positions of this record's addresses in the records.
    ///
    /// `origin` is where the records begin in the message.
    fn note_addresses(
        &self,
        message: &[u8],
        origin: usize,
        into: &mut Vec<AddressAt>,
    ) -> Result<(), Malformed> {
        let mut note = |at: usize, is_v6| {
            let at = u16::try_from(at - origin).map_err(|_| Malformed)?;
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

/// A response, read record by record.
struct Scan<'a> {
    message: &'a [u8],
    question_end: usize,
    rcode: Rcode,
    ede: Option<(Ede, Box<[u8]>)>,
    /// Answer records, then authority records.
    records: Vec<ScannedRecord>,
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
            let record = ScannedRecord::read(message, at)?;
            at = record.end;
            scan.records.push(record);
        }
        for _ in 0..additionals {
            let record = ScannedRecord::read(message, at)?;
            at = record.end;
            if record.rtype == rtype::OPT {
                scan.opt(&record);
            }
        }
        Ok(scan)
    }

    fn opt(&mut self, record: &ScannedRecord) {
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

    fn answer_records(&self) -> &[ScannedRecord] {
        self.records.get(..self.answers).unwrap_or(&self.records)
    }

    /// The names of the chain of an answer, the question's first.
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
        let is_final =
            |r: &ScannedRecord| r.rtype == question.qtype || question.qtype == rtype::ANY;
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
            ttls.push(place(at)?.to_ne_bytes());
            if let (true, Some(at)) = (number < self.answers, record.target_at()) {
                record.target(self.message)?;
                targets.push(place(at - self.question_end)?);
            }
            if number < self.answers {
                record.note_addresses(self.message, self.question_end, &mut addresses)?;
            }
        }
        let has_internal = addresses
            .iter()
            .map(|address| address.read(&octets))
            .try_fold(false, |any, address| Ok(any | is_internal(address?)))?;
        let has_soa = records.iter().skip(self.answers).any(|r| r.rtype == rtype::SOA);
        // Without an SOA a negative answer has no TTL (RFC 2308 §5).
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

/// The message without the records that are left out, encoded anew.
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
