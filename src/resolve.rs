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

mod alias;
mod outcome;
mod turn;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

pub use crate::policy::moment::{Now, Trust};
pub use outcome::{BlockedBy, DropReason, Outcome, Source};

use crate::cache::{AnswerCache, Entry, Key, Route};
use crate::category::CategorySet;
use crate::message::answer::{Answer, TtlLimits};
use crate::message::query::{Query, Unanswerable};
use crate::message::reply::{Data, EdeText, write, write_header};
use crate::message::rewrite::rewrite;
use crate::message::{CLASS_IN, Ede, Malformed, Question, Rcode};
use crate::policy::{Block, GroupId, Pass, Snapshot, Verdict};
use crate::resolve::alias::{Alias, BY_LIST, Rewrite};
use crate::resolve::turn::{Found, Turn};
use crate::rtype;
use crate::rule::Action;

/// RDATA of the answer to ANY (RFC 8482 §4.2).
const RFC8482: &[u8] = b"\x07RFC8482\x00";
/// Seconds it may be kept.
const RFC8482_TTL: u32 = 3600;

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
    /// The listener it came to, as opened: which address was asked.
    pub local: SocketAddr,
    /// How it came.
    pub transport: Transport,
}

/// What the shell must do next.
#[derive(Debug)]
pub enum Step {
    /// Send this many octets of `out`.
    Reply(usize, Outcome),
    /// Send nothing, and count the block that a list wants answered by silence.
    Silence(Outcome),
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
    let turn =
        Turn { query: &query, snapshot, group, transport: meta.transport, rewrite: None, limit };
    let subject = snapshot.subject(&query.name);
    let (pass, engine) = match snapshot.decide(group, &subject, query.qtype) {
        Verdict::Special(special) => return turn.special(special, out),
        Verdict::Canary(kind) => return turn.canary(kind, out),
        Verdict::Block(block) if is_free_by_tcp(block, meta) => {
            (Pass { layer: block.layer, observed: CategorySet::EMPTY }, None)
        }
        Verdict::Block(block) => {
            return match snapshot.rewrite_of(&block) {
                None => turn.blocked(block, Found::Question, out),
                Some(target) => {
                    let alias = Alias { target, rewrite: Rewrite::List(block) };
                    turn.aliased(alias, BY_LIST, meta, snapshot, cache, now, out)
                }
            };
        }
        Verdict::Pass(pass) => (pass, None),
        Verdict::Safe(pass, engine) => (pass, Some(engine)),
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
    if let Some(engine) = engine {
        let Some(target) = snapshot.safe_target(group, engine) else {
            return turn.servfail(Ede::NETWORK_ERROR, out);
        };
        let alias = Alias { target, rewrite: Rewrite::Safe(engine) };
        return turn.aliased(alias, pass, meta, snapshot, cache, now, out);
    }
    if let Some(entry) = cache.get(&Key::new(Route::Plain, &query), now.mono) {
        return turn.answer(&entry, entry.age(now.mono), pass, Source::Cache, out);
    }
    let name = query.name.to_name();
    Step::Forward(Box::new(turn.forward(pass, name, None, meta, snapshot)))
}

/// A query waiting for upstream.
#[derive(Debug)]
pub struct Forward {
    query: Box<[u8]>,
    meta: Meta,
    snapshot: Arc<Snapshot>,
    group: GroupId,
    pass: Pass,
    /// What upstream is asked: another name than the client's where that is rewritten.
    question: Question,
    rewrite: Option<Rewrite>,
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
        let turn = Turn {
            query: &query,
            snapshot: &self.snapshot,
            group: self.group,
            transport: self.meta.transport,
            rewrite: None,
            limit,
        };
        let message = match message {
            Ok(message) => message,
            Err(UpstreamFailure::Unreachable) if self.rewrite.is_none() => {
                return turn.servfail(Ede::NO_REACHABLE_AUTHORITY, out);
            }
            Err(UpstreamFailure::Busy | UpstreamFailure::Unreachable) => {
                return turn.servfail(Ede::NETWORK_ERROR, out);
            }
        };
        let turn = Turn { rewrite: self.rewrite, ..turn };
        let Ok(answer) = self.take(message, &query, limits) else {
            return turn.servfail(Ede::INVALID_DATA, out);
        };
        if self.rewrite.is_some_and(|rewrite| rewrite.is_broken_by(answer.rcode())) {
            // Never the real host instead.
            return turn.servfail(Ede::NETWORK_ERROR, out);
        }
        let entry = Entry::new(answer, now.mono);
        let step = turn.answer(&entry, 0, self.pass, Source::Upstream, out);
        let route = self.rewrite.map_or(Route::Plain, |_| alias::route_to(&self.question.name));
        cache.insert(&Key::new(route, &query), entry);
        step
    }

    fn take(
        &self,
        message: &[u8],
        query: &Query<'_>,
        limits: &TtlLimits,
    ) -> Result<Answer, Malformed> {
        let answer = Answer::take(message, &self.question, limits)?;
        let Some(cause) = self.rewrite.filter(|cause| !cause.is_broken_by(answer.rcode())) else {
            return Ok(answer);
        };
        let asked = Question { name: query.name.to_name(), ..self.question.clone() };
        let message = rewrite(message, &asked, &self.question.name)?;
        let answer = Answer::take(&message, &asked, limits)?;
        Ok(answer.with_ede(Ede::FORGED, cause.text(&self.snapshot)))
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

/// A name that its list answers by TCP only, asked for by TCP.
fn is_free_by_tcp(block: Block, meta: &Meta) -> bool {
    block.action == Action::TcpOnly && meta.transport == Transport::Tcp
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
