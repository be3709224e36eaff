//! One query, from octets to octets: the straight line.
//!
//! ```text
//! begin   parse ▶ admission ▶ group ▶ decide ▶ cache ▶ review ▶ Reply
//!                                                 └ miss ▶ Forward
//! finish  upstream's answer ▶ take ▶ cache ▶ review ▶ Reply
//! ```
//!
//! [`begin`] answers what can be answered at once and allocates nothing for a
//! blocked or a cached answer. For the rest it returns a [`Forward`], which owns
//! the query and the snapshot it was begun with, so that a reload in between
//! cannot judge the question by one policy and the answer by another.
//! [`Forward::finish`] is the only way from there to a reply: the review of an
//! answer cannot be skipped.
//!
//! Absent on purpose: sockets, clock, counters. The shell brings octets and
//! `now`, and counts the [`Outcome`].

use std::net::IpAddr;
use std::sync::Arc;

use crate::cache::{AnswerCache, Key};
use crate::category::{CategoryId, CategorySet};
use crate::message::answer::{Answer, TtlLimits};
use crate::message::query::{Query, Unanswerable};
use crate::message::reply::{Data, EdeText, write, write_header};
use crate::message::{CLASS_IN, Ede, Malformed, Question, Rcode, is_truncated};
use crate::policy::special::Special;
use crate::policy::{
    AnswerMode, Block, CanaryKind, GroupCounters, GroupId, Layer, Pass, Snapshot, Verdict,
};
use crate::rtype;

/// RDATA of the answer to ANY (RFC 8482 §4.2).
const RFC8482: &[u8] = b"\x07RFC8482\x00";
/// Seconds it may be kept.
const RFC8482_TTL: u32 = 3600;
/// Seconds that a special-use answer may be kept: it never changes.
const SPECIAL_TTL: u32 = 3600;

/// How a query came, and so how large its reply may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One datagram.
    Udp,
    /// A stream.
    Tcp,
}

/// Where a query came from.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    /// The client's address.
    pub client: IpAddr,
    /// How it came.
    pub transport: Transport,
}

/// The time, as the shell read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Seconds on a clock that only goes forward.
    pub mono: u64,
}

/// Where an answer came from: the `source` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The answer cache.
    Cache,
    /// An upstream server, now.
    Upstream,
    /// This program: special-use names, canaries, ANY.
    Local,
    /// Policy.
    Blocked,
    /// The client may not ask this.
    Refused,
    /// The query or upstream was at fault.
    Error,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 6] =
        [Self::Cache, Self::Upstream, Self::Local, Self::Blocked, Self::Refused, Self::Error];

    /// The id used in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Upstream => "upstream",
            Self::Local => "local",
            Self::Blocked => "blocked",
            Self::Refused => "refused",
            Self::Error => "error",
        }
    }
}

/// What a block was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockedBy {
    /// The question's name is listed.
    List,
    /// The school denies the question's name.
    School,
    /// The answer points to a name that is blocked.
    Review,
}

impl BlockedBy {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::List, Self::School, Self::Review];

    /// The id used in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::School => "school",
            Self::Review => "review",
        }
    }
}

/// What happened to a query: all that is ever counted of it.
///
/// No name and no address: what is not here cannot leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The response code.
    pub rcode: Rcode,
    /// Where the answer came from.
    pub source: Source,
    /// The counters of the client's group, where it got that far.
    pub group: Option<GroupCounters>,
    /// Category and reason of a block.
    pub blocked: Option<(Option<CategoryId>, BlockedBy)>,
    /// Categories that were let through and are counted.
    pub observed: CategorySet,
    /// The canary that was asked for.
    pub canary: Option<CanaryKind>,
}

impl Outcome {
    fn plain(rcode: Rcode, source: Source) -> Self {
        let observed = CategorySet::EMPTY;
        Self { rcode, source, group: None, blocked: None, observed, canary: None }
    }
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Too short for a header, or a response.
    NotAQuery,
    /// The buffer for the reply is too small.
    NoRoom,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::NotAQuery, Self::NoRoom];

    /// The id used in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::NotAQuery => "not_a_query",
            Self::NoRoom => "no_room",
        }
    }
}

/// What the shell must do next.
#[derive(Debug)]
pub enum Step {
    /// Send this many octets of `out`.
    Reply(usize, Outcome),
    /// Send nothing.
    Drop(DropReason),
    /// Ask upstream, then call [`Forward::finish`].
    Forward(Box<Forward>),
}

/// Begins to answer a query.
///
/// `out` takes the reply; 65,535 octets hold any. Allocates only for a
/// [`Step::Forward`].
#[inline]
pub fn begin(
    octets: &[u8],
    meta: &Meta,
    snapshot: &Arc<Snapshot>,
    cache: &AnswerCache,
    now: Now,
    out: &mut [u8],
) -> Step {
    let query = match Query::parse(octets) {
        Ok(query) => query,
        Err(Unanswerable::Drop) => return Step::Drop(DropReason::NotAQuery),
        Err(Unanswerable::Header(rcode)) => {
            let length = write_header(octets, rcode, out);
            return reply(length, Outcome::plain(rcode, Source::Error));
        }
    };
    let limit = limit(&query, meta, out);
    if let Some((rcode, ede)) = refusal(&query, meta, snapshot) {
        let source = if rcode == Rcode::REFUSED { Source::Refused } else { Source::Error };
        let ede = ede.map(EdeText::bare);
        let length = write(&query, rcode, Data::None, 0, ede, limit, out);
        return reply(length, Outcome::plain(rcode, source));
    }
    let group = snapshot.group_of(meta.client);
    let turn = Turn { query: &query, snapshot, group, limit };
    let subject = snapshot.subject(&query.name);
    let pass = match snapshot.decide(group, &subject, query.qtype) {
        Verdict::Special(special) => return turn.special(special, out),
        Verdict::Canary(kind) => return turn.canary(kind, out),
        Verdict::Block(block) => return turn.blocked(block, false, out),
        Verdict::Pass(pass) => pass,
    };
    if !query.recursion_desired() {
        // An answer from the cache would tell what others asked for.
        let length = write(&query, Rcode::REFUSED, Data::None, 0, None, limit, out);
        return reply(length, turn.outcome(Rcode::REFUSED, Source::Refused));
    }
    if query.qtype == rtype::ANY {
        let data = Data::Other(rtype::HINFO, RFC8482);
        let length = write(&query, Rcode::NOERROR, data, RFC8482_TTL, None, limit, out);
        return reply(length, turn.outcome(Rcode::NOERROR, Source::Local));
    }
    let key = Key::new(&query.name, query.qtype, query.dnssec_ok(), query.checking_disabled());
    if let Some(entry) = cache.get(&key, now.mono) {
        return turn.answer(&entry.answer, entry.age(now.mono), pass, Source::Cache, out);
    }
    Step::Forward(Box::new(Forward {
        query: octets.into(),
        meta: *meta,
        snapshot: Arc::clone(snapshot),
        group,
        pass,
        question: Question {
            name: query.name.to_name(),
            qtype: query.qtype,
            dnssec_ok: query.dnssec_ok(),
            checking_disabled: query.checking_disabled(),
        },
    }))
}

/// A query waiting for upstream.
#[derive(Debug)]
pub struct Forward {
    query: Box<[u8]>,
    meta: Meta,
    snapshot: Arc<Snapshot>,
    group: GroupId,
    pass: Pass,
    question: Question,
}

/// Why upstream gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamFailure {
    /// No server answered in time.
    Unreachable,
    /// Too many questions are waiting already.
    Busy,
}

impl Forward {
    /// What to ask upstream.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The policy the query was begun with.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Ends the query with what upstream said: a whole message, or why there is none.
    ///
    /// The answer goes into the cache before it is reviewed: the next asker may
    /// be of another group.
    pub fn finish(
        self,
        message: Result<&[u8], UpstreamFailure>,
        cache: &AnswerCache,
        limits: &TtlLimits,
        now: Now,
        out: &mut [u8],
    ) -> Step {
        let Ok(query) = Query::parse(&self.query) else { return Step::Drop(DropReason::NotAQuery) };
        let limit = limit(&query, &self.meta, out);
        let turn = Turn { query: &query, snapshot: &self.snapshot, group: self.group, limit };
        let message = match message {
            Ok(message) => message,
            Err(UpstreamFailure::Unreachable) => {
                return turn.servfail(Ede::NO_REACHABLE_AUTHORITY, out);
            }
            Err(UpstreamFailure::Busy) => return turn.servfail(Ede::NETWORK_ERROR, out),
        };
        let Ok(answer) = Answer::take(message, &self.question, limits) else {
            return turn.servfail(Ede::INVALID_DATA, out);
        };
        let step = turn.answer(&answer, 0, self.pass, Source::Upstream, out);
        let key = Key::new(&query.name, query.qtype, query.dnssec_ok(), query.checking_disabled());
        cache.insert(&key, answer, now.mono);
        step
    }
}

/// One query on its way to a reply.
struct Turn<'a> {
    query: &'a Query<'a>,
    snapshot: &'a Snapshot,
    group: GroupId,
    limit: usize,
}

impl Turn<'_> {
    #[inline]
    fn outcome(&self, rcode: Rcode, source: Source) -> Outcome {
        Outcome {
            group: Some(self.snapshot.group(self.group).counters),
            ..Outcome::plain(rcode, source)
        }
    }

    fn special(&self, special: Special, out: &mut [u8]) -> Step {
        let (rcode, data) = match special {
            Special::NxDomain => (Rcode::NXDOMAIN, Data::Negative),
            Special::NoData => (Rcode::NOERROR, Data::Negative),
            Special::Addresses(each) => (Rcode::NOERROR, Data::Records(each)),
        };
        let length = write(self.query, rcode, data, SPECIAL_TTL, None, self.limit, out);
        reply(length, self.outcome(rcode, Source::Local))
    }

    fn canary(&self, kind: CanaryKind, out: &mut [u8]) -> Step {
        let (rcode, ttl) = (Rcode::NXDOMAIN, self.snapshot.block_ttl());
        let ede = Some(EdeText { code: Ede::BLOCKED, text: b"canary" });
        let length = write(self.query, rcode, Data::Negative, ttl, ede, self.limit, out);
        reply(length, Outcome { canary: Some(kind), ..self.outcome(rcode, Source::Local) })
    }

    /// Answers as blocked; `in_answer` when it was the answer that policy blocked.
    #[inline]
    fn blocked(&self, block: Block, in_answer: bool, out: &mut [u8]) -> Step {
        let (rcode, data) = match (self.snapshot.group(self.group).answer, self.query.qtype) {
            (AnswerMode::NxDomain, _) => (Rcode::NXDOMAIN, Data::Negative),
            (AnswerMode::Refused, _) => (Rcode::REFUSED, Data::None),
            (AnswerMode::Zero, rtype::A) => (Rcode::NOERROR, Data::Records(&[&[0; 4]])),
            (AnswerMode::Zero, rtype::AAAA) => (Rcode::NOERROR, Data::Records(&[&[0; 16]])),
            (AnswerMode::NoData | AnswerMode::Zero, _) => (Rcode::NOERROR, Data::Negative),
        };
        let is_order = self.snapshot.is_legal_request(block.category);
        let ede = EdeText {
            code: if is_order { Ede::CENSORED } else { Ede::BLOCKED },
            text: self.snapshot.text(block.category),
        };
        let ttl = self.snapshot.block_ttl();
        let length = write(self.query, rcode, data, ttl, Some(ede), self.limit, out);
        let by = match block.layer {
            _ if in_answer => BlockedBy::Review,
            Layer::SchoolDeny => BlockedBy::School,
            _ => BlockedBy::List,
        };
        let outcome = self.outcome(rcode, Source::Blocked);
        reply(length, Outcome { blocked: Some((block.category, by)), ..outcome })
    }

    /// Sends an answer that upstream gave, `age` seconds ago, if policy lets all of it through.
    #[inline]
    fn answer(
        &self,
        answer: &Answer,
        age: u32,
        pass: Pass,
        source: Source,
        out: &mut [u8],
    ) -> Step {
        match self.review(answer, age, pass, out) {
            Ok(None) => {}
            Ok(Some(block)) => return self.blocked(block, true, out),
            Err(Malformed) => return self.servfail(Ede::INVALID_DATA, out),
        }
        let length = answer.write(self.query, age, self.limit, out);
        let outcome = self.outcome(answer.rcode(), source);
        reply(length, Outcome { observed: pass.observed, ..outcome })
    }

    /// The first name of the answer's chain that policy blocks.
    ///
    /// Names are read from the octets behind the question, so the whole answer is
    /// laid out first, whatever the client's limit. What has no room there goes
    /// out truncated, without a record that would need review.
    fn review(
        &self,
        answer: &Answer,
        age: u32,
        pass: Pass,
        out: &mut [u8],
    ) -> Result<Option<Block>, Malformed> {
        if !answer.has_targets() {
            return Ok(None);
        }
        let length = answer.write(self.query, age, usize::MAX, out).ok_or(Malformed)?;
        let message = out.get(..length).ok_or(Malformed)?;
        if is_truncated(message) {
            return Ok(None);
        }
        for target in answer.targets(message) {
            let target = target?;
            let subject = self.snapshot.subject(&target);
            let block = self.snapshot.review(self.group, &subject, pass.is_shield());
            if block.is_some() {
                return Ok(block);
            }
        }
        Ok(None)
    }

    fn servfail(&self, ede: Ede, out: &mut [u8]) -> Step {
        let ede = Some(EdeText::bare(ede));
        let length = write(self.query, Rcode::SERVFAIL, Data::None, 0, ede, self.limit, out);
        reply(length, self.outcome(Rcode::SERVFAIL, Source::Error))
    }
}

/// Queries that are refused before policy is asked.
#[inline]
fn refusal(query: &Query<'_>, meta: &Meta, snapshot: &Snapshot) -> Option<(Rcode, Option<Ede>)> {
    if !snapshot.answers(meta.client) {
        return Some((Rcode::REFUSED, Some(Ede::PROHIBITED)));
    }
    if query.edns.is_some_and(|edns| edns.version > 0) {
        return Some((Rcode::BADVERS, None));
    }
    let is_transfer = matches!(query.qtype, rtype::AXFR | rtype::IXFR);
    (query.qclass != CLASS_IN || is_transfer).then_some((Rcode::REFUSED, None))
}

/// The largest reply the client takes, in octets.
#[inline]
fn limit(query: &Query<'_>, meta: &Meta, out: &[u8]) -> usize {
    match meta.transport {
        Transport::Udp => query.udp_limit().min(out.len()),
        Transport::Tcp => out.len().min(usize::from(u16::MAX)),
    }
}

#[inline]
fn reply(length: Option<usize>, outcome: Outcome) -> Step {
    length.map_or(Step::Drop(DropReason::NoRoom), |length| Step::Reply(length, outcome))
}
