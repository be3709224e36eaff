//! A response from upstream, read record by record, and the records that are stored.

use super::{AddressAt, Answer, MAX_CHAIN, TtlLimits};
use crate::dns::address::is_internal;
use crate::dns::message::compose::Composer;
use crate::dns::message::rdata::{MAX_RECORDS, RecordSpan};
use crate::dns::message::reply::MAX_EDE_TEXT;
use crate::dns::message::{
    CLASS_IN, Ede, HEADER, Malformed, Question, Rcode, name_at, u16_at, u32_at,
};
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;

impl Answer {
    /// Takes in the whole answer to `question`: as [`Answer::take_link`], wherever it leads.
    ///
    /// # Errors
    ///
    /// As [`Answer::take_link`].
    pub fn take(
        message: &[u8],
        question: &Question,
        limits: &TtlLimits,
    ) -> Result<Self, Malformed> {
        Self::take_link(message, question, limits, |_| false)
    }

    /// Takes in the answer to `question`, up to the first alias whose target `is_elsewhere`: the
    /// upstream that sent the message has no say about that name. The answer then ends in it
    /// ([`Answer::next`]), and so does one whose upstream did not follow its own alias.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for octets that are no response to this question, for
    /// records that cannot be read, and for chains of more than [`MAX_CHAIN`] steps.
    pub fn take_link(
        message: &[u8],
        question: &Question,
        limits: &TtlLimits,
        is_elsewhere: impl Fn(&Name) -> bool,
    ) -> Result<Self, Malformed> {
        let mut scan = Scan::read(message, question)?;
        let chain = scan.chain(question, is_elsewhere)?;
        if chain.is_cut {
            scan.rcode = Rcode::NOERROR;
        }
        let keep = scan.kept(question, &chain);
        let kept = keep.iter().filter(|&&keep| keep).count();
        // Left out is nearly always what stands at the end, and cutting there breaks
        // no pointer.
        let is_prefix = keep.iter().take(kept).all(|&keep| keep);
        if is_prefix && chain.made.is_empty() && scan.is_plain(kept, question) {
            return scan.finish(kept, question, limits, &chain);
        }
        let message = scan.composed(&keep, question, &chain)?;
        let composed = Scan::read(&message, question)?;
        let composed = Scan { rcode: scan.rcode, ede: scan.ede, ..composed };
        let kept = composed.records.len();
        composed.finish(kept, question, limits, &chain)
    }
}

/// The aliases from the question's name on.
struct Chain {
    /// The names, the question's first.
    names: Vec<Name>,
    /// CNAMEs that upstream left out beside a DNAME: owner, TTL and target (RFC 6672 §3.1).
    made: Vec<(Name, u32, Name)>,
    /// Whether the last name belongs elsewhere.
    is_cut: bool,
}

impl Chain {
    /// The names whose aliases are followed.
    fn links(&self) -> &[Name] {
        self.names.split_last().map_or(&[], |(_, links)| links)
    }

    /// The name whose records answer the question, if they are to be found here.
    fn end(&self) -> Option<&Name> {
        self.names.last().filter(|_| !self.is_cut)
    }

    /// Adds the CNAMEs that upstream left out.
    fn make(&self, composer: &mut Composer) -> Result<usize, Malformed> {
        for (owner, ttl, target) in &self.made {
            composer.alias(owner, *ttl, target)?;
        }
        Ok(self.made.len())
    }

    /// Whether a name of the chain that is answered here is at or below `owner`.
    fn is_below(&self, owner: &Name) -> bool {
        let below = |name: &Name| Folded::from_name(name).is_at_or_below(owner.as_wire());
        self.links().iter().chain(self.end()).any(below)
    }
}

/// One record of a message, with RDATA that is whole for its type.
struct ScannedRecord {
    owner: Name,
    record: RecordSpan,
    /// Whether no name in it is written with a capital letter.
    is_small: bool,
}

impl std::ops::Deref for ScannedRecord {
    type Target = RecordSpan;

    fn deref(&self) -> &RecordSpan {
        &self.record
    }
}

impl ScannedRecord {
    fn read(message: &[u8], at: usize) -> Result<Self, Malformed> {
        let (owner, fixed) = name_at(message, at)?;
        let record = RecordSpan::read(message, at, fixed)?;
        let mut is_small = is_small_name(message, at, fixed);
        record.names(message, |at, after| is_small &= is_small_name(message, at, after))?;
        Ok(Self { owner: owner.to_name(), record, is_small })
    }

    fn is_in(&self) -> bool {
        self.class == CLASS_IN
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
        match self.rtype {
            _ if !self.is_in() => Ok(()),
            rtype::A => note(self.rdata_at, false),
            rtype::AAAA => note(self.rdata_at, true),
            rtype::SVCB | rtype::HTTPS => {
                let (_, mut at) = name_at(message, self.rdata_at + 2)?;
                while at < self.end {
                    let key = u16_at(message, at).ok_or(Malformed)?;
                    let length = usize::from(u16_at(message, at + 2).ok_or(Malformed)?);
                    let (value, next) = (at + 4, at + 4 + length);
                    // ipv4hint and ipv6hint (RFC 9460 §7.3), of whole addresses.
                    match key {
                        4 => (value..next).step_by(4).try_for_each(|at| note(at, false))?,
                        6 => (value..next).step_by(16).try_for_each(|at| note(at, true))?,
                        _ => {}
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

    /// The chain of an answer, up to the first name that is elsewhere.
    fn chain(
        &self,
        question: &Question,
        is_elsewhere: impl Fn(&Name) -> bool,
    ) -> Result<Chain, Malformed> {
        let mut last = question.name.clone();
        let mut chain = Chain { names: vec![last.clone()], made: Vec::new(), is_cut: false };
        while !matches!(question.qtype, rtype::CNAME | rtype::ANY) && !chain.is_cut {
            let Some(target) = self.step(&last, question, &mut chain.made)? else { break };
            if chain.names.len() > MAX_CHAIN || chain.names.contains(&target) {
                return Err(Malformed);
            }
            chain.is_cut = is_elsewhere(&target);
            chain.names.push(target.clone());
            last = target;
        }
        Ok(chain)
    }

    /// The target of an alias of `name`; one that a DNAME gives it is put into `made` where
    /// upstream left its CNAME out.
    fn step(
        &self,
        name: &Name,
        question: &Question,
        made: &mut Vec<(Name, u32, Name)>,
    ) -> Result<Option<Name>, Malformed> {
        let records = || self.answer_records().iter().filter(|record| record.is_in());
        let has_answer = records().any(|r| r.rtype == question.qtype && r.owner == *name);
        if let Some(alias) = records().find(|r| r.rtype == rtype::CNAME && r.owner == *name) {
            return alias.target(self.message);
        }
        let folded = Folded::from_name(name);
        let above = |r: &&ScannedRecord| {
            r.rtype == rtype::DNAME && r.owner != *name && folded.is_at_or_below(r.owner.as_wire())
        };
        let Some(redirection) = records().find(above).filter(|_| !has_answer) else {
            return Ok(None);
        };
        if self.rcode == Rcode::YXDOMAIN {
            return Ok(None);
        }
        let front = name.as_wire().len() - redirection.owner.as_wire().len();
        let front = name.as_wire().get(..front).ok_or(Malformed)?;
        let back = redirection.target(self.message)?.ok_or(Malformed)?;
        let target = Name::from_wire(&[front, back.as_wire()].concat()).map_err(|_| Malformed)?.0;
        made.push((name.clone(), redirection.ttl(self.message), target.clone()));
        Ok(Some(target))
    }

    /// Which records answer the question, one flag for each.
    fn kept(&self, question: &Question, chain: &Chain) -> Vec<bool> {
        let redirects = |r: &ScannedRecord| r.rtype == rtype::DNAME && chain.is_below(&r.owner);
        let is_answer = matches!(self.rcode, Rcode::NOERROR | Rcode::NXDOMAIN)
            || self.rcode == Rcode::YXDOMAIN && self.answer_records().iter().any(redirects);
        if !is_answer {
            return vec![false; self.records.len()];
        }
        let is_final = |r: &ScannedRecord| {
            (r.rtype == question.qtype || question.qtype == rtype::ANY)
                && Some(&r.owner) == chain.end()
        };
        let is_positive = self.answer_records().iter().any(|r| r.is_in() && is_final(r));
        let keep = self.records.iter().enumerate().map(|(number, record)| {
            record.is_in()
                && if number < self.answers {
                    match record.rtype {
                        // A type is answered by what is there, whatever it is.
                        _ if is_final(record) => true,
                        rtype::DNAME => chain.is_below(&record.owner),
                        rtype::RRSIG => question.dnssec_ok && chain.is_below(&record.owner),
                        rtype::CNAME => chain.links().contains(&record.owner),
                        _ => false,
                    }
                } else {
                    match record.rtype {
                        _ if chain.is_cut => false,
                        rtype::SOA => !is_positive && chain.is_below(&record.owner),
                        // NSEC, NSEC3 and their signatures.
                        rtype::RRSIG | 47 | 50 => question.dnssec_ok,
                        _ => false,
                    }
                }
        });
        keep.collect()
    }

    /// Whether the first records are stored as they lie: the question's name in front of them is
    /// a pointer to the question, and no name has a capital letter.
    fn is_plain(&self, kept: usize, question: &Question) -> bool {
        self.records.iter().take(kept).all(|record| {
            let front = self.message.get(record.at..record.at + 2);
            record.is_small
                && (record.owner != question.name || front == Some(&[0xc0, HEADER as u8]))
        })
    }

    /// The message of the records that are kept, encoded anew.
    fn composed(
        &self,
        keep: &[bool],
        question: &Question,
        chain: &Chain,
    ) -> Result<Vec<u8>, Malformed> {
        let mut composer = Composer::new(question);
        let mut counts = [0, 0];
        let kept = self.records.iter().zip(keep).enumerate().filter(|(_, (_, keep))| **keep);
        for (number, (record, _)) in kept {
            if number >= self.answers && counts[1] == 0 {
                counts[0] += chain.make(&mut composer)?;
            }
            composer.record(self.message, record, record.ttl(self.message))?;
            counts[usize::from(number >= self.answers)] += 1;
        }
        if counts[1] == 0 {
            counts[0] += chain.make(&mut composer)?;
        }
        let is_authentic = self.message.get(3).is_some_and(|flags| flags & 0x20 != 0);
        Ok(composer.finish(self.rcode, is_authentic, counts[0], counts[1]))
    }

    /// Whether the chain ends in a name that upstream says nothing about.
    fn is_open(&self, records: &[ScannedRecord], chain: &Chain, is_negative: bool) -> bool {
        let Some(end) = chain.names.last().map(Folded::from_name) else { return false };
        let has_proof = records
            .iter()
            .skip(self.answers)
            .any(|r| r.rtype == rtype::SOA && end.is_at_or_below(r.owner.as_wire()));
        chain.is_cut
            || chain.names.len() > 1 && self.rcode == Rcode::NOERROR && is_negative && !has_proof
    }

    /// Makes the answer of the first `kept` records.
    fn finish(
        self,
        kept: usize,
        question: &Question,
        limits: &TtlLimits,
        chain: &Chain,
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
        let is_open = self.is_open(records, chain, is_negative);
        let is_word = !is_negative || has_soa || is_open || self.rcode == Rcode::YXDOMAIN;
        let is_kept = !records.is_empty() && is_word;
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
            aliases: chain.links().len() as u8,
            next: chain.names.last().filter(|_| is_open).cloned(),
        })
    }
}

/// Whether a name is written without capital letters, up to a pointer at its end.
fn is_small_name(message: &[u8], at: usize, after: usize) -> bool {
    let name = message.get(at..after).unwrap_or(&[]);
    let labels = match name {
        [labels @ .., 0xc0..=0xff, _] => labels,
        whole => whole,
    };
    !labels.iter().any(u8::is_ascii_uppercase)
}
