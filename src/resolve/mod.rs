//! One query, from octets to octets: the straight line.
//!
//! ```text
//! begin   parse ▶ admission ▶ group ┬ decide ▶ cache ▶ review ▶ Reply
//!                                   │           └ miss ▶ Forward
//!                                   └ the same reply as a moment ago ▶ Reply
//! finish  upstream's answer ▶ take ▶ cache ▶ review ▶ Reply
//!         none ▶ what is stale ▶ review ▶ Reply
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

mod context;
mod forward;
pub(crate) mod labels;
mod lifetime;
mod local;
mod origin;
mod outcome;
pub mod reply_cache;
mod rewrite;

use std::sync::Arc;

pub use crate::policy::group::time::{Now, Trust};
pub use forward::{Forward, UpstreamFailure};
pub use origin::{Origin, Transport};
pub use outcome::{AnswerSource, BlockedBy, DropReason, Outcome};

use crate::cache::{AnswerCache, Route};
use crate::category::CategorySet;
use crate::dns::message::answer::Form;
use crate::dns::message::query::{Query, Request, Unanswerable};
use crate::dns::message::reply::{Data, EdeText, write, write_header, write_truncated};
use crate::dns::message::{CLASS_IN, Ede, Rcode};
use crate::dns::rtype;
use crate::policy::{Block, Layer, Pass, Snapshot, Verdict};
use crate::resolve::context::{BlockedAt, QueryContext};
use crate::resolve::reply_cache::{Lookup, PolicyEpoch};
use crate::resolve::rewrite::{Alias, BY_LIST, Rewrite};
use crate::rule::Action;

/// RDATA of the answer to ANY (RFC 8482 §4.2).
const RFC8482: &[u8] = b"\x07RFC8482\x00";
/// Seconds it may be kept.
const RFC8482_TTL: u32 = 3600;

/// What the shell must do next.
#[derive(Debug)]
pub enum Step {
    /// Send this many octets of `out`.
    Reply(usize, Outcome),
    /// The same, and ask upstream as well, so that the next asker has a new answer.
    Refresh(usize, Outcome, Box<Forward>),
    /// Send nothing, and count the block that a list wants answered by silence.
    Silence(Outcome),
    /// Send nothing.
    Drop(DropReason),
    /// Ask upstream, then call [`Forward::finish`].
    Forward(Box<Forward>),
}

impl Step {
    /// Forgets whose query it was where a child may have asked for help: such a query is
    /// counted nowhere below the total.
    #[inline]
    fn uncounted_if(mut self, pass: Pass) -> Self {
        if let (Layer::Help, Self::Reply(_, outcome) | Self::Silence(outcome)) =
            (pass.layer, &mut self)
        {
            *outcome = Outcome::plain(outcome.rcode, outcome.source);
        }
        self
    }
}

/// Begins to answer a query.
///
/// `out` takes the reply; 65,535 octets hold any. Allocates only for a
/// [`Step::Forward`].
#[inline]
pub fn begin(
    octets: &[u8],
    meta: &Origin,
    snapshot: &Arc<Snapshot>,
    cache: &AnswerCache,
    now: Now,
    out: &mut [u8],
) -> Step {
    begin_with(octets, meta, snapshot, Stores { cache, near: None }, now, out)
}

/// Where answers are kept.
#[derive(Debug)]
pub struct Stores<'a> {
    /// For all.
    pub cache: &'a AnswerCache,
    /// For one worker.
    pub near: Option<Lookup<'a>>,
}

/// As [`begin`], for a worker that has replies of its own.
#[inline]
pub fn begin_with(
    octets: &[u8],
    meta: &Origin,
    snapshot: &Arc<Snapshot>,
    mut stores: Stores<'_>,
    now: Now,
    out: &mut [u8],
) -> Step {
    let request = match admitted(octets, meta, snapshot, out) {
        Ok(request) => request,
        Err(step) => return step,
    };
    let limit = limit(&request, meta, out.len());
    let group = snapshot.group_of(meta.client, meta.local);
    if let Some(look) = &mut stores.near {
        let under = PolicyEpoch::of(look.generation, snapshot.group(group), group, now);
        if let Some(ready) = look.near.get(look.spot, &request, under, now.mono) {
            let form = Form::aged(ready.age).until(ready.until, now.civil);
            return reply(ready.body.write(&request, form, limit, out), ready.outcome);
        }
    }
    let query = match Query::of(request) {
        Ok(query) => query,
        Err(unanswerable) => return unreadable(octets, unanswerable, out),
    };
    let bound = snapshot.rules_at(group, now);
    let transport = meta.transport;
    let (query, rewrite) = (&query, None);
    let turn = QueryContext { query, snapshot, group, bound, now, transport, rewrite, limit };
    judged(&turn, meta, snapshot, stores, out)
}

/// The way of a query that policy is asked about.
fn judged(
    turn: &QueryContext<'_>,
    meta: &Origin,
    snapshot: &Arc<Snapshot>,
    stores: Stores<'_>,
    out: &mut [u8],
) -> Step {
    let QueryContext { query, limit, group, .. } = *turn;
    let subject = snapshot.hashed(&query.name);
    let (pass, engine) = match snapshot.decide(turn.bound, &subject, query.qtype) {
        Verdict::Special(special) => return turn.special(special, out),
        Verdict::Canary(kind) => return turn.canary(kind, out),
        Verdict::Block(block) if is_free_by_tcp(block, meta) => {
            let pass = Pass { layer: block.layer, observed: CategorySet::EMPTY };
            (pass, snapshot.engine_of(group, &subject))
        }
        Verdict::Block(block) => {
            return match snapshot.rewrite_of(&block) {
                None => turn.blocked(block, BlockedAt::Question, out),
                Some(target) => {
                    let alias = Alias { target, rewrite: Rewrite::List(block) };
                    turn.aliased(alias, BY_LIST, meta, snapshot, stores, out)
                }
            };
        }
        Verdict::Pass(pass) => (pass, None),
        Verdict::Safe(pass, engine) => (pass, Some(engine)),
    };
    if !query.recursion_desired() {
        // An answer from the cache would tell what others asked for.
        let length = write(query, Rcode::REFUSED, Data::None, 0, None, limit, out);
        return reply(length, turn.outcome(Rcode::REFUSED, AnswerSource::Refused));
    }
    if query.qtype == rtype::ANY {
        let data = Data::Other(rtype::HINFO, RFC8482);
        let ttl = turn.passing_ttl(RFC8482_TTL);
        let length = write(query, Rcode::NOERROR, data, ttl, None, limit, out);
        return reply(length, turn.outcome(Rcode::NOERROR, AnswerSource::Local));
    }
    if let Some(engine) = engine {
        let Some(target) = snapshot.safe_target(turn.group, engine) else {
            return turn.servfail(Ede::NETWORK_ERROR, out);
        };
        let alias = Alias { target, rewrite: Rewrite::Safe(engine) };
        return turn.aliased(alias, pass, meta, snapshot, stores, out);
    }
    if let Some(local) = snapshot.local_name(&subject) {
        return match &local.data.cname {
            Some(target) if query.qtype != rtype::CNAME => {
                let alias = Alias { target, rewrite: Rewrite::Own };
                turn.aliased(alias, pass, meta, snapshot, stores, out)
            }
            _ => turn.with_records(local, pass, out),
        };
    }
    let route = Route::to(snapshot.upstream_of(&subject));
    let forward = |stale| turn.forward(pass, query.name.to_name(), None, meta, snapshot, stale);
    turn.known(route, pass, stores, forward, out)
}

/// Answers a query of a client that is over its budget: ask again by TCP.
///
/// A client that only pretends to be there cannot, and the reply is no longer than its query.
pub fn slip(octets: &[u8], meta: &Origin, snapshot: &Snapshot, out: &mut [u8]) -> Step {
    match Request::parse(octets) {
        Ok(query) if snapshot.answers(meta.client) => {
            let outcome = Outcome::plain(Rcode::NOERROR, AnswerSource::Limited);
            reply(write_truncated(&query, out), outcome)
        }
        _ => Step::Drop(DropReason::OverBudget),
    }
}

/// The request in these octets, if it is one that policy is asked about; else what to do.
#[inline]
fn admitted<'a>(
    octets: &'a [u8],
    meta: &Origin,
    snapshot: &Snapshot,
    out: &mut [u8],
) -> Result<Request<'a>, Step> {
    let request = match Request::parse(octets) {
        Ok(request) => request,
        Err(unanswerable) => return Err(unreadable(octets, unanswerable, out)),
    };
    let Some((rcode, ede)) = refusal(&request, meta, snapshot) else { return Ok(request) };
    let source = if rcode == Rcode::REFUSED { AnswerSource::Refused } else { AnswerSource::Error };
    let (ede, limit) = (ede.map(EdeText::bare), limit(&request, meta, out.len()));
    let length = write(&request, rcode, Data::None, 0, ede, limit, out);
    Err(reply(length, Outcome::plain(rcode, source)))
}

/// What is done with octets that are no query that can be answered as one.
#[cold]
fn unreadable(octets: &[u8], unanswerable: Unanswerable, out: &mut [u8]) -> Step {
    match unanswerable {
        Unanswerable::Drop => Step::Drop(DropReason::NotAQuery),
        Unanswerable::Header(rcode) => {
            let length = write_header(octets, rcode, out);
            reply(length, Outcome::plain(rcode, AnswerSource::Error))
        }
    }
}

/// Queries that are refused before policy is asked.
#[inline]
fn refusal(
    query: &Request<'_>,
    meta: &Origin,
    snapshot: &Snapshot,
) -> Option<(Rcode, Option<Ede>)> {
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
fn is_free_by_tcp(block: Block, meta: &Origin) -> bool {
    block.action == Action::TcpOnly && meta.transport == Transport::Tcp
}

/// The largest reply the client takes, in octets.
#[inline]
fn limit(query: &Request<'_>, meta: &Origin, room: usize) -> usize {
    match meta.transport {
        Transport::Udp => query.udp_limit().min(room),
        Transport::Tcp => room.min(usize::from(u16::MAX)),
    }
}

#[inline]
fn reply(length: Option<usize>, outcome: Outcome) -> Step {
    length.map_or(Step::Drop(DropReason::NoRoom), |length| Step::Reply(length, outcome))
}
