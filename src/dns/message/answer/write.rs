//! Stored answers, written as the replies to queries.

use super::Answer;
use crate::dns::message::query::Query;
use crate::dns::message::reply::{EdeText, Head, ReplyWriter};
use crate::dns::message::{CLASS_IN, Ede, Question, Rcode, u32_at};

/// TTL of stale answers, in seconds (RFC 8767 §4).
const STALE_TTL: u32 = 30;

/// The age and the TTL limits that a stored answer is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Seconds since its arrival.
    age: u32,
    /// Whether it is past its TTL.
    is_stale: bool,
    /// No TTL is above this.
    max_ttl: u32,
}

impl Form {
    /// `age` seconds after its arrival, with the TTLs that remain.
    pub const fn aged(age: u32) -> Self {
        Self { age, is_stale: false, max_ttl: u32::MAX }
    }

    /// Past its TTL: with TTLs of 30 s and the extended error of stale answers (RFC 8914).
    pub const STALE: Self = Self { age: 0, is_stale: true, max_ttl: STALE_TTL };

    /// The same with no TTL above `seconds`.
    #[must_use]
    pub const fn at_most(self, seconds: u32) -> Self {
        Self { max_ttl: if self.max_ttl < seconds { self.max_ttl } else { seconds }, ..self }
    }

    /// The same with no TTL that lasts beyond `instant`, where it is `now`.
    #[must_use]
    #[inline]
    pub const fn until(self, instant: u64, now: u64) -> Self {
        let seconds = instant.saturating_sub(now);
        if seconds < u32::MAX as u64 { self.at_most(seconds as u32) } else { self }
    }

    /// A TTL as it is sent.
    #[inline]
    fn ttl(self, stored: u32) -> u32 {
        let left = if self.is_stale { STALE_TTL } else { stored.saturating_sub(self.age) };
        left.min(self.max_ttl)
    }
}

/// The parts of an answer that are sent, wherever they are stored.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// The response code.
    pub rcode: Rcode,
    /// Whether upstream set AD: it has validated the signatures.
    pub is_authentic: bool,
    /// Records of the answer section.
    pub answers: u16,
    /// Records of the authority section.
    pub authorities: u16,
    /// Both, as they lie behind the question.
    pub records: &'a [u8],
    /// The positions of the TTLs in them: two octets each, in the machine's order.
    pub ttls: &'a [[u8; 2]],
    /// The extended error from upstream.
    pub ede: Option<EdeText<'a>>,
}

impl Body<'_> {
    /// Writes it as the reply to `query`.
    ///
    /// Returns the length; what does not fit `limit` octets is truncated.
    #[inline]
    pub fn write(
        &self,
        query: &Query<'_>,
        form: Form,
        limit: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        let mut writer = ReplyWriter { out, at: 0 };
        writer.question(query)?;
        let start = writer.at;
        let mut head = Head {
            rcode: self.rcode,
            answers: self.answers,
            authorities: self.authorities,
            truncated: false,
            authentic: self.is_authentic && (query.authentic_data() || query.dnssec_ok()),
        };
        let limit = limit.min(writer.out.len());
        writer.out = writer.out.get_mut(..limit)?;
        let ede = self.ede_of(form);
        let whole = writer.put(self.records).and_then(|()| writer.opt(query, self.rcode, ede));
        if whole.is_none() {
            writer.at = start;
            head = Head { answers: 0, authorities: 0, truncated: true, authentic: false, ..head };
            writer.opt(query, self.rcode, None)?;
        } else if form != Form::aged(0) {
            for &at in self.ttls {
                let at = start + usize::from(u16::from_ne_bytes(at));
                let ttl = form.ttl(u32_at(writer.out, at)?);
                writer.out.get_mut(at..at + 4)?.copy_from_slice(&ttl.to_be_bytes());
            }
        }
        writer.head(query, head)?;
        Some(writer.at)
    }

    /// The extended error that is sent with it.
    #[inline]
    fn ede_of(&self, form: Form) -> Option<EdeText<'_>> {
        match (form.is_stale, self.rcode) {
            (false, _) => self.ede,
            (true, Rcode::NXDOMAIN) => Some(EdeText::bare(Ede::STALE_NXDOMAIN)),
            (true, _) => Some(EdeText::bare(Ede::STALE)),
        }
    }
}

impl Answer {
    /// The longest TTL that is sent in this form.
    pub fn longest_ttl(&self, form: Form) -> u32 {
        let places = self.ttls.iter().map(|&at| usize::from(u16::from_ne_bytes(at)));
        let stored = places.filter_map(|at| u32_at(&self.records, at));
        stored.map(|ttl| form.ttl(ttl)).max().unwrap_or(0)
    }

    /// The parts of it that are sent.
    #[inline]
    pub fn body(&self) -> Body<'_> {
        Body {
            rcode: self.rcode,
            is_authentic: self.is_authentic,
            answers: self.answers,
            authorities: self.authorities,
            records: &self.records,
            ttls: &self.ttls,
            ede: self.ede.as_ref().map(|(code, text)| EdeText { code: *code, text }),
        }
    }

    /// Writes it as the reply to `query`: as [`Body::write`].
    #[inline]
    pub fn write(
        &self,
        query: &Query<'_>,
        form: Form,
        limit: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        self.body().write(query, form, limit, out)
    }

    /// The message that answers `question`, its own: as an upstream would send it.
    pub fn message(&self, question: &Question, form: Form) -> Option<Vec<u8>> {
        let mut query = vec![0, 0, 1, 0x20, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend_from_slice(question.name.as_wire());
        query.extend_from_slice(&question.qtype.to_be_bytes());
        query.extend_from_slice(&CLASS_IN.to_be_bytes());
        let mut out = vec![0; query.len() + self.records.len()];
        let length = self.write(&Query::parse(&query).ok()?, form, usize::MAX, &mut out)?;
        out.truncate(length);
        Some(out)
    }
}
