//! Messages composed anew of the records of others.
//!
//! A record that is moved must not point into the message that it came from: its names are
//! written out, and RDATA is copied field by field ([`crate::dns::message::rdata`]). The owner
//! that is the question's name points to the question, so that it gets the letters of whoever
//! asks. Law: no letter case of the question that was sent upstream (0x20) is left in any name.

use crate::dns::message::rdata::RecordSpan;
use crate::dns::message::{
    CLASS_IN, HEADER, MAX_MESSAGE, Malformed, Question, Rcode, wire_name_at,
};
use crate::dns::name::{Labels, Name};
use crate::dns::rtype;

/// Places that a later owner can point to; more are not remembered.
const MAX_PLACES: usize = 32;

/// A response under construction.
pub(super) struct Composer {
    octets: Vec<u8>,
    question: Name,
    /// The places of names that owners can point to.
    places: Vec<usize>,
}

impl Composer {
    /// A response to `question` without records.
    pub(super) fn new(question: &Question) -> Self {
        let mut octets = vec![0, 0, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0];
        octets.extend_from_slice(question.name.as_wire());
        octets.extend_from_slice(&question.qtype.to_be_bytes());
        octets.extend_from_slice(&CLASS_IN.to_be_bytes());
        Self { octets, question: question.name.clone(), places: vec![HEADER] }
    }

    /// Adds a CNAME from `owner` to `target`.
    pub(super) fn alias(&mut self, owner: &Name, ttl: u32, target: &Name) -> Result<(), Malformed> {
        self.owner(owner.as_wire());
        self.fixed(rtype::CNAME, CLASS_IN, ttl);
        self.rdata(|rdata| {
            rdata.target(target.as_wire());
            Ok(())
        })
    }

    /// Adds a record of another message, with this TTL.
    pub(super) fn record(
        &mut self,
        message: &[u8],
        record: &RecordSpan,
        ttl: u32,
    ) -> Result<(), Malformed> {
        let owner = wire_name_at(message, record.at)?;
        self.owner(owner.as_wire());
        self.fixed(record.rtype, record.class, ttl);
        let mut names = Vec::new();
        record.names(message, |at, after| names.push((at, after)))?;
        // The next name of an NSEC record is signed in its own case (RFC 6840 §5.1).
        let is_signed = record.rtype == 47;
        self.rdata(|composer| {
            let mut at = record.rdata_at;
            for (start, after) in names {
                composer.octets.extend_from_slice(message.get(at..start).ok_or(Malformed)?);
                let name = wire_name_at(message, start)?;
                if is_signed {
                    composer.octets.extend_from_slice(name.as_wire());
                } else {
                    composer.target(name.as_wire());
                }
                at = after;
            }
            composer.octets.extend_from_slice(message.get(at..record.end).ok_or(Malformed)?);
            Ok(())
        })
    }

    /// The message, with these counts of records.
    pub(super) fn finish(
        mut self,
        rcode: Rcode,
        is_authentic: bool,
        answers: usize,
        authorities: usize,
    ) -> Vec<u8> {
        let low = 0x80 | if is_authentic { 0x20 } else { 0 } | (rcode.0 & 0x0f) as u8;
        let counts = [answers as u16, authorities as u16].map(u16::to_be_bytes).concat();
        if let Some(head) = self.octets.get_mut(3..10) {
            head.copy_from_slice(&[&[low, 0, 1], counts.as_slice()].concat());
        }
        self.octets
    }

    fn fixed(&mut self, rtype: u16, class: u16, ttl: u32) {
        self.octets.extend_from_slice(&rtype.to_be_bytes());
        self.octets.extend_from_slice(&class.to_be_bytes());
        self.octets.extend_from_slice(&ttl.to_be_bytes());
    }

    /// Adds RDATA behind its length.
    fn rdata(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let at = self.octets.len();
        self.octets.extend_from_slice(&[0, 0]);
        write(self)?;
        let length = u16::try_from(self.octets.len() - at - 2).map_err(|_| Malformed)?;
        self.octets.get_mut(at..at + 2).ok_or(Malformed)?.copy_from_slice(&length.to_be_bytes());
        if self.octets.len() > MAX_MESSAGE { Err(Malformed) } else { Ok(()) }
    }

    /// Adds a name at the front of a record: a pointer to the same name before it, if there is one.
    fn owner(&mut self, name: &[u8]) {
        let is_same = |&&at: &&usize| {
            wire_name_at(&self.octets, at).is_ok_and(|known| {
                // The question's letters are those of whoever asks.
                if at == HEADER {
                    known.as_wire().eq_ignore_ascii_case(name)
                } else {
                    known.as_wire() == self.plain(name).as_slice()
                }
            })
        };
        if let Some(&at) = self.places.iter().find(is_same) {
            self.octets.extend_from_slice(&(0xc000 | at as u16).to_be_bytes());
        } else {
            self.target(name);
        }
    }

    /// Adds a whole name.
    fn target(&mut self, name: &[u8]) {
        let at = self.octets.len();
        if at < 0x4000 && self.places.len() < MAX_PLACES {
            self.places.push(at);
        }
        let name = self.plain(name);
        self.octets.extend_from_slice(&name);
    }

    /// A name with each label that is one of the question's in lower case: upstream may have
    /// copied it from there. Others keep the letters that upstream gave them.
    fn plain(&self, name: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(name.len());
        for label in Labels(name) {
            let is_ours =
                Labels(self.question.as_wire()).any(|ours| ours.eq_ignore_ascii_case(label));
            plain.push(label.len() as u8);
            plain.extend(label.iter().map(|&o| if is_ours { o.to_ascii_lowercase() } else { o }));
        }
        plain.push(0);
        plain
    }
}
