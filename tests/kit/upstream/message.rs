//! A query taken apart, and the octets of a reply.

use super::answer::Answer;
use super::habits::{Edns, Forged, Habits};
use crate::kit::wire::{QNAME, question_end, record};
use lachan::dns::rtype;

/// An OPT that offers 1,232 octets (RFC 6891 §6.1.2), with the upper bits of a code and DO.
fn opt(rcode: u16, dnssec_ok: bool) -> Vec<u8> {
    vec![0, 0, 41, 0x04, 0xd0, (rcode >> 4) as u8, 0, u8::from(dnssec_ok) << 7, 0, 0, 0]
}

/// A query.
#[derive(Debug, Clone)]
pub(super) struct Parsed {
    octets: Vec<u8>,
    question_end: usize,
    pub(super) id: u16,
    /// In the case it was sent in, without the final dot; the root is `.`.
    pub(super) name: String,
    pub(super) qtype: u16,
    pub(super) has_opt: bool,
    pub(super) dnssec_ok: bool,
    pub(super) checking_disabled: bool,
    /// The longest reply over UDP that the asker takes, 1,232 at most.
    pub(super) room: usize,
}

impl Parsed {
    /// Takes a query apart. A gateway sends no other, so what is none fails the test.
    pub(super) fn of(octets: &[u8]) -> Self {
        let question_end = question_end(octets);
        let (mut name, mut at) = (String::new(), 12);
        while octets[at] != 0 {
            let end = at + 1 + usize::from(octets[at]);
            name += if name.is_empty() { "" } else { "." };
            name.extend(octets[at + 1..end].iter().map(|&octet| char::from(octet)));
            at = end;
        }
        let word = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
        let has_opt = word(10) > 0 && octets[question_end..].starts_with(&[0, 0, 41]);
        let offered = if has_opt { usize::from(word(question_end + 3)) } else { 512 };
        Self {
            octets: octets.to_vec(),
            question_end,
            id: word(0),
            name: if name.is_empty() { ".".into() } else { name },
            qtype: word(question_end - 4),
            has_opt,
            dnssec_ok: has_opt && octets[question_end + 7] & 0x80 != 0,
            checking_disabled: octets[3] & 0x10 != 0,
            room: offered.clamp(512, 1232),
        }
    }

    /// The name in lower case.
    pub(super) fn folded(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// The same name asked for another type.
    pub(super) fn of_type(&self, qtype: u16) -> Self {
        Self { qtype, ..self.clone() }
    }

    /// The zone that an SOA is of, where nobody said otherwise: the name above.
    pub(super) fn parent(&self) -> String {
        self.folded().split_once('.').map_or(".", |(_, parent)| parent).to_owned()
    }

    fn question(&self, is_folded: bool) -> Vec<u8> {
        let mut question = self.octets[12..self.question_end].to_vec();
        if is_folded {
            let end = question.len() - 4;
            question[..end].make_ascii_lowercase();
        }
        question
    }

    /// A header of twelve octets and nothing else: QR, RD, RA and this code.
    fn bare(&self, rcode: u16) -> Vec<u8> {
        let id = self.id.to_be_bytes();
        vec![id[0], id[1], 0x81, 0x80 | (rcode & 0xf) as u8, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    /// A reply with this question and these records after it.
    fn reply(&self, rcode: u16, counts: [usize; 3], question: &[u8], tail: &[u8]) -> Vec<u8> {
        let mut octets = self.bare(rcode);
        octets[5] = 1;
        for (at, count) in [6, 8, 10].into_iter().zip(counts) {
            octets[at..at + 2].copy_from_slice(&(count as u16).to_be_bytes());
        }
        octets.extend(question);
        octets.extend(tail);
        octets
    }

    /// The same reply without records, with TC.
    pub(super) fn truncated(&self, reply: &[u8]) -> Vec<u8> {
        let mut octets = reply[..question_end(reply)].to_vec();
        octets[2] |= 0x02;
        octets[6..12].copy_from_slice(&[0, 0, 0, 0, 0, u8::from(self.has_opt)]);
        octets.extend(if self.has_opt { opt(0, self.dnssec_ok) } else { Vec::new() });
        octets
    }

    /// The reply to send, and the answer whose delay counts; `None` is silence.
    pub(super) fn answered(&self, habits: &Habits) -> Option<(Vec<u8>, Answer)> {
        let says = habits.says(self);
        if self.has_opt {
            let question = self.question(habits.is_folded());
            let refusal = match habits.edns {
                Edns::Understood | Edns::Ignored => None,
                Edns::Refused(rcode) => Some(self.reply(rcode, [0; 3], &question, &[])),
                Edns::RefusedWithOpt(rcode) => {
                    Some(self.reply(rcode, [0, 0, 1], &question, &opt(rcode, false)))
                }
                Edns::Bare(rcode) => Some(self.bare(rcode)),
                Edns::Silent => return None,
            };
            if let Some(refusal) = refusal {
                return Some((refusal, Answer::empty()));
            }
        }
        (!says.is_silent && !habits.loses(self)).then(|| (self.of_answer(&says, habits), says))
    }

    fn of_answer(&self, says: &Answer, habits: &Habits) -> Vec<u8> {
        let has_opt = self.has_opt && !matches!(habits.edns, Edns::Ignored);
        let (answer, authority) = (says.answer_records(self.qtype), says.authority_records(self));
        let counts = [answer.len(), authority.len(), usize::from(has_opt)];
        let mut tail = [answer.concat(), authority.concat()].concat();
        tail.extend(if has_opt { opt(says.rcode, self.dnssec_ok) } else { Vec::new() });
        let mut reply = self.reply(says.rcode, counts, &self.question(habits.is_folded()), &tail);
        let [high, low] = says.flags.to_be_bytes();
        reply[2] |= high;
        reply[3] = reply[3] & 0x0f | low | u8::from(self.checking_disabled) << 4;
        reply
    }

    /// A forged reply, beside the right one.
    pub(super) fn forged(&self, forged: Forged, right: &[u8]) -> Vec<u8> {
        let question = self.question(false);
        let short = |rtype, rdata: &[u8]| {
            self.reply(0, [1, 0, 0], &question, &record(QNAME, rtype, 300, rdata))
        };
        match forged {
            Forged::WrongId => {
                let mut octets = right.to_vec();
                octets[1] ^= 0x55;
                octets
            }
            Forged::WrongQuestion => {
                let other =
                    [b"\x05wrong\x07example\x00".as_slice(), &question[question.len() - 4..]];
                self.reply(0, [0; 3], &other.concat(), &[])
            }
            Forged::CutRecord => {
                let whole = short(rtype::A, &[192, 0, 2, 66]);
                whole[..whole.len() - 2].to_vec()
            }
            Forged::ShortRdata => short(rtype::SOA, &[0]),
            Forged::EmptyText => short(rtype::TXT, &[]),
            Forged::Opcode(opcode) => {
                let mut octets = right.to_vec();
                octets[2] |= opcode << 3;
                octets[3] |= 4;
                octets
            }
            Forged::Counts => self.reply(0, [9, 9, 9], &question, &[]),
            Forged::Header(rcode) => self.bare(rcode),
            Forged::Rcode(rcode) => self.reply(rcode, [0; 3], &question, &[]),
            Forged::Stub => right[..3].to_vec(),
        }
    }
}
