//! A stored answer as the reply to a query of the moment.

use super::Answer;
use crate::message::query::Query;
use crate::message::reply::{EdeText, Head, Writer};
use crate::message::{Ede, Rcode, u32_at};

/// Seconds that a stale answer may be kept by the client (RFC 8767 §4).
const STALE_TTL: u32 = 30;

/// How a stored answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Seconds since it was taken in.
    age: u32,
    /// Whether its time is over, and nothing newer could be had.
    is_stale: bool,
    /// No TTL is above this.
    max_ttl: u32,
}

impl Form {
    /// `age` seconds after it was taken in, with the TTLs that are left.
    pub const fn aged(age: u32) -> Self {
        Self { age, is_stale: false, max_ttl: u32::MAX }
    }

    /// Past its time: with TTLs of 30 s, and an extended error that says so (RFC 8914).
    pub const STALE: Self = Self { age: 0, is_stale: true, max_ttl: STALE_TTL };

    /// The same with no TTL above `seconds`.
    #[must_use]
    pub const fn at_most(self, seconds: u32) -> Self {
        Self { max_ttl: if self.max_ttl < seconds { self.max_ttl } else { seconds }, ..self }
    }

    /// Whether its time is over.
    pub const fn is_stale(self) -> bool {
        self.is_stale
    }

    /// A TTL as it goes out.
    #[inline]
    fn ttl(self, stored: u32) -> u32 {
        let left = if self.is_stale { STALE_TTL } else { stored.saturating_sub(self.age) };
        left.min(self.max_ttl)
    }
}

impl Answer {
    /// The longest TTL that goes out in this form.
    pub fn longest_ttl(&self, form: Form) -> u32 {
        let stored = self.ttls.iter().filter_map(|&at| u32_at(&self.records, usize::from(at)));
        stored.map(|ttl| form.ttl(ttl)).max().unwrap_or(0)
    }

    /// Writes it as the reply to `query`.
    ///
    /// Returns the length; what does not fit `limit` octets goes truncated.
    #[inline]
    pub fn write(
        &self,
        query: &Query<'_>,
        form: Form,
        limit: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        let mut writer = Writer { out, at: 0 };
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
        let whole = writer.put(&self.records).and_then(|()| writer.opt(query, self.rcode, ede));
        if whole.is_none() {
            writer.at = start;
            head = Head { answers: 0, authorities: 0, truncated: true, authentic: false, ..head };
            writer.opt(query, self.rcode, None)?;
        } else if form != Form::aged(0) {
            for &at in &self.ttls {
                let at = start + usize::from(at);
                let ttl = form.ttl(u32_at(writer.out, at)?);
                writer.out.get_mut(at..at + 4)?.copy_from_slice(&ttl.to_be_bytes());
            }
        }
        writer.head(query, head)?;
        Some(writer.at)
    }

    /// The extended error that goes with it.
    #[inline]
    fn ede_of(&self, form: Form) -> Option<EdeText<'_>> {
        match (form.is_stale, self.rcode) {
            (false, _) => self.ede.as_ref().map(|(code, text)| EdeText { code: *code, text }),
            (true, Rcode::NXDOMAIN) => Some(EdeText::bare(Ede::STALE_NXDOMAIN)),
            (true, _) => Some(EdeText::bare(Ede::STALE)),
        }
    }
}
