//! The first half of a query's life: up to its reply, or to the upstream question.

use std::sync::Arc;

use crate::cache::{AnswerCache, CacheKey, CacheLookup, Entry, Route};
use crate::category::CategorySet;
use crate::dns::message::answer::Form;
use crate::dns::message::query::{Query, Unanswerable};
use crate::dns::message::reply::{Data, EdeText, write, write_header, write_truncated};
use crate::dns::message::{CLASS_IN, Ede, Rcode};
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::policy::{Block, Pass, Placement, Snapshot, Verdict};
use crate::resolve::chain::Follow;
use crate::resolve::context::{BlockedAt, QueryContext};
use crate::resolve::prepared::Prepared;
use crate::resolve::reply_cache::{Admission, Lookup, PolicyEpoch};
use crate::resolve::rewrite::{BY_LIST, Rewrite, route_to};
use crate::resolve::{AnswerSource, Done, DropReason, Forward, Now, Origin, Outcome};

/// RDATA of the answer to ANY (RFC 8482 §4.2).
const RFC8482: &[u8] = b"\x07RFC8482\x00";
/// Its TTL, in seconds.
const RFC8482_TTL: u32 = 3600;

/// A query after its first half.
#[derive(Debug)]
pub enum Begin {
    /// It is done.
    Done(Done),
    /// It is done, and its answer is to be refreshed: ask upstream, then call
    /// [`Forward::refresh`].
    Refresh(Done, Box<Forward>),
    /// Ask upstream, then call [`Forward::finish`].
    Forward(Box<Forward>),
}

/// The stores of answers.
#[derive(Debug)]
pub struct Stores<'a> {
    /// The answer cache, of all workers.
    pub cache: &'a AnswerCache,
    /// The reply cache, of one worker.
    pub near: Option<Lookup<'a>>,
}

/// The other name of a rewrite.
#[derive(Debug, Clone, Copy)]
struct Alias<'a> {
    target: &'a Name,
    rewrite: Rewrite,
}

/// Begins to answer a query.
///
/// `out` takes the reply; its length limits the reply as the client's own limit does.
/// Allocates only for a [`Forward`].
#[inline]
pub fn begin(
    octets: &[u8],
    origin: &Origin,
    snapshot: &Arc<Snapshot>,
    cache: &AnswerCache,
    now: Now,
    out: &mut [u8],
) -> Begin {
    let stores = Stores { cache, near: None };
    begin_with(octets, &mut Prepared::default(), origin, snapshot, stores, now, out)
}

/// As [`begin`], for a worker with a reply cache and memory for prepared queries.
///
/// `prepared` is empty, or was filled from these octets.
#[inline]
pub fn begin_with(
    octets: &[u8],
    prepared: &mut Prepared,
    origin: &Origin,
    snapshot: &Arc<Snapshot>,
    mut stores: Stores<'_>,
    now: Now,
    out: &mut [u8],
) -> Begin {
    let query = match prepared.parse(octets) {
        Ok(query) => query.over(origin.options),
        Err(unanswerable) => return Begin::Done(unreadable(octets, unanswerable, out)),
    };
    let limit = origin.transport.limit(&query, out.len());
    if let Some((rcode, ede)) = refusal(&query, origin, snapshot) {
        return Begin::Done(refused(&query, rcode, ede, limit, out));
    }
    let Placement { group, until: placed_until } = placement_of(origin, snapshot, now);
    if let Some(look) = &mut stores.near {
        let under = PolicyEpoch::of(look.generation, snapshot.group(group), group, now);
        if let Some(ready) = look.near.get(look.probe, &query, under, now.mono) {
            let form = Form::aged(ready.age).until(ready.until.min(placed_until), now.civil);
            let length = ready.body.write(&query, form, limit, out);
            return Begin::Done(Done::reply(length, ready.outcome));
        }
    }
    let name = match prepared.name(&query, snapshot) {
        Ok(name) => name,
        Err(unanswerable) => return Begin::Done(unreadable(octets, unanswerable, out)),
    };
    let context = QueryContext {
        query,
        name: &name,
        origin,
        snapshot,
        group,
        placed_until,
        active: snapshot.rules_at(group, now),
        now,
        rewrite: None,
        limit,
    };
    context.begin(stores, out)
}

/// The reply to a query of a client over its rate limit: truncated, so that it retries over TCP.
///
/// A spoofed client cannot, and the reply is no longer than its query.
pub fn slip(octets: &[u8], origin: &Origin, snapshot: &Snapshot, out: &mut [u8]) -> Done {
    match Query::parse(octets) {
        Ok(query) if snapshot.answers(origin.client) => {
            let outcome = Outcome::plain(Rcode::NOERROR, AnswerSource::Limited);
            Done::reply(write_truncated(&query, out), outcome)
        }
        _ => Done::Drop(DropReason::OverBudget),
    }
}

impl QueryContext<'_> {
    /// Judges the question, and answers or forwards it.
    fn begin(&self, stores: Stores<'_>, out: &mut [u8]) -> Begin {
        let QueryContext { query, name, snapshot, .. } = *self;
        let (pass, engine) = match snapshot.decide(self.active, name, query.qtype) {
            Verdict::Special(special) => return Begin::Done(self.special(special, out)),
            Verdict::Canary(kind) => return Begin::Done(self.canary(kind, out)),
            Verdict::Block(block) if self.is_free_by_tcp(block) => {
                let pass = Pass { layer: block.layer, observed: CategorySet::EMPTY };
                (pass, snapshot.engine_of(self.group, name))
            }
            Verdict::Block(block) => {
                return match snapshot.rewrite_of(&block, name.name) {
                    Some(target) if query.qtype != rtype::CNAME => {
                        self.gardened(block, &target, stores.cache, out)
                    }
                    _ => Begin::Done(self.blocked(block, BlockedAt::Question, out)),
                };
            }
            Verdict::Pass(pass) => (pass, None),
            Verdict::Safe(pass, engine) => (pass, Some(engine)),
        };
        if !query.recursion_desired() {
            // An answer from the cache would reveal what others asked for.
            let length = write(&query, Rcode::REFUSED, Data::None, 0, None, self.limit, out);
            let outcome = self.outcome(Rcode::REFUSED, AnswerSource::Refused);
            return Begin::Done(Done::reply(length, outcome));
        }
        if query.qtype == rtype::ANY {
            return Begin::Done(self.any(out));
        }
        if let Some(engine) = engine {
            let Some(target) = snapshot.safe_target(self.group, engine) else {
                return Begin::Done(self.servfail(Ede::NETWORK_ERROR, out));
            };
            let alias = Alias { target, rewrite: Rewrite::Safe(engine) };
            return self.aliased(alias, pass, stores, out);
        }
        if let Some(local) = snapshot.local_name(name) {
            return match &local.data.cname {
                Some(target) if query.qtype != rtype::CNAME => {
                    let alias = Alias { target, rewrite: Rewrite::Own };
                    self.aliased(alias, pass, stores, out)
                }
                _ => Begin::Done(self.with_records(local, pass, out)),
            };
        }
        let route = Route::to(snapshot.upstream_of(name));
        let forward = |stale| self.forward(pass, name.name.to_name(), None, stale);
        self.resolved(route, pass, stores, forward, out)
    }

    /// The reply to ANY: one record of ours (RFC 8482).
    fn any(&self, out: &mut [u8]) -> Done {
        let data = Data::Other(rtype::HINFO, RFC8482);
        let (rcode, ttl) = (Rcode::NOERROR, self.passing_ttl(RFC8482_TTL));
        let length = write(&self.query, rcode, data, ttl, None, self.limit, out);
        Done::reply(length, self.outcome(rcode, AnswerSource::Local))
    }

    /// Answers with what another name resolves to.
    fn aliased(&self, alias: Alias<'_>, pass: Pass, stores: Stores<'_>, out: &mut [u8]) -> Begin {
        let Alias { target, rewrite } = alias;
        let context = QueryContext { rewrite: Some(rewrite), ..*self };
        let forward = |stale| self.forward(pass, target.clone(), Some(rewrite), stale);
        let folded = Folded::from_name(target);
        let name = self.snapshot.hashed(&folded);
        let local = self.snapshot.local_name(&name).filter(|one| one.data.cname.is_none());
        if let Some(local) = local {
            return Begin::Done(context.with_records_of(local, &forward(None), pass, out));
        }
        let route = route_to(target, self.snapshot.upstream_of(&name));
        context.resolved(route, pass, stores, forward, out)
    }

    /// Answers with what a list has in a name's place: its alias, which the zones of lists judge
    /// again.
    #[cold]
    fn gardened(&self, block: Block, target: &Name, cache: &AnswerCache, out: &mut [u8]) -> Begin {
        let rewrite = Some(Rewrite::List(block));
        let context = QueryContext { rewrite, ..*self };
        let forward = self.forward(BY_LIST, target.clone(), rewrite, None);
        let Ok(first) = context.garden_link(block, target, forward.question()) else {
            return Begin::Done(self.servfail(Ede::INVALID_DATA, out));
        };
        let mut links = vec![first];
        match context.follow(&mut links, BY_LIST, cache, AnswerSource::Cache, out) {
            Follow::Done(done) => Begin::Done(done),
            Follow::Ask(question, stale) => {
                Begin::Forward(Box::new(Forward { question, links, stale, ..forward }))
            }
        }
    }

    /// Answers from the cache; else the query waits for upstream.
    ///
    /// An answer that can be sent again is stored in the worker's reply cache, unless the device's
    /// claims limit its TTL: others of the group have none.
    #[inline]
    fn resolved(
        &self,
        route: Route,
        pass: Pass,
        stores: Stores<'_>,
        forward: impl FnOnce(Option<Arc<Entry>>) -> Forward,
        out: &mut [u8],
    ) -> Begin {
        let now = self.now;
        let aged = |entry: &Entry| Form::aged(entry.age(now.mono));
        let key = CacheKey::new(route, &self.query, self.name.name);
        let found = stores.cache.find(&key, now.mono);
        if let Some((block, target)) =
            found.sendable().and_then(|entry| self.garden_of(entry, pass))
        {
            return self.gardened(block, &target, stores.cache, out);
        }
        if found.leads_on() {
            return self.chained(found, forward(None), stores.cache, out);
        }
        Begin::Done(match found {
            CacheLookup::Fresh(entry) => {
                let (done, until) =
                    self.answer_until(&entry, aged(&entry), pass, AnswerSource::Cache, out);
                if let (Some(look), Done::Reply(_, outcome)) = (stores.near, &done)
                    && outcome.blocked.is_none()
                    && self.placed_until == u64::MAX
                {
                    let under =
                        PolicyEpoch::of(look.generation, self.active.group, self.group, now);
                    let admission = Admission { under, outcome: *outcome, until };
                    let Lookup { near, probe, .. } = look;
                    near.put(probe, (&self.query, self.name.name), admission, &entry, now.mono);
                }
                done
            }
            CacheLookup::Due(entry) => {
                let done = self.answer(&entry, aged(&entry), pass, AnswerSource::Cache, out);
                if let Done::Reply(..) = done {
                    return Begin::Refresh(done, Box::new(forward(None)));
                }
                done
            }
            CacheLookup::Stale(entry) => {
                self.answer(&entry, Form::STALE, pass, AnswerSource::Stale, out)
            }
            CacheLookup::Failed(entry) => {
                let (rcode, ede) = (entry.answer.rcode(), Some(EdeText::bare(Ede::CACHED_ERROR)));
                let length = write(&self.query, rcode, Data::None, 0, ede, self.limit, out);
                Done::reply(length, self.outcome(rcode, AnswerSource::Cache))
            }
            CacheLookup::Expired(entry) => return Begin::Forward(Box::new(forward(Some(entry)))),
            CacheLookup::Nothing => return Begin::Forward(Box::new(forward(None))),
        })
    }

    /// Answers with the chain that begins with an answer in the cache, or forwards the query for
    /// its next link.
    #[cold]
    fn chained(
        &self,
        found: CacheLookup,
        forward: Forward,
        cache: &AnswerCache,
        out: &mut [u8],
    ) -> Begin {
        let pass = forward.pass;
        let (first, is_due, source) = match found {
            CacheLookup::Fresh(entry) => (entry, false, AnswerSource::Cache),
            CacheLookup::Due(entry) => (entry, true, AnswerSource::Cache),
            CacheLookup::Stale(entry) => {
                let Some(entry) = self.stale_chain(cache, vec![forward.link(entry)]) else {
                    return Begin::Forward(Box::new(forward));
                };
                let done = self.answer(&entry, Form::STALE, pass, AnswerSource::Stale, out);
                return Begin::Done(done);
            }
            CacheLookup::Expired(entry) => {
                let stale = self.stale_chain(cache, vec![forward.link(entry)]);
                return Begin::Forward(Box::new(Forward { stale, ..forward }));
            }
            CacheLookup::Failed(_) | CacheLookup::Nothing => {
                return Begin::Forward(Box::new(forward));
            }
        };
        let mut links = vec![forward.link(first)];
        match self.follow(&mut links, pass, cache, source, out) {
            Follow::Done(done) if is_due => Begin::Refresh(done, Box::new(forward)),
            Follow::Done(done) => Begin::Done(done),
            Follow::Ask(question, stale) => {
                Begin::Forward(Box::new(Forward { question, links, stale, ..forward }))
            }
        }
    }

    /// The query as one that waits for the upstream answer to `name`.
    fn forward(
        &self,
        pass: Pass,
        name: Name,
        rewrite: Option<Rewrite>,
        stale: Option<Arc<Entry>>,
    ) -> Forward {
        let upstream = self.snapshot.upstream_for(&name);
        Forward {
            query: self.query.to_owned(),
            name: self.name.name.clone(),
            origin: self.origin.clone(),
            snapshot: Arc::clone(self.snapshot),
            group: self.group,
            placed_until: self.placed_until,
            pass,
            question: self.query.question(name, upstream),
            rewrite,
            links: Vec::new(),
            stale,
        }
    }
}

/// The reply to octets that are no query that can be answered as one.
#[cold]
fn unreadable(octets: &[u8], unanswerable: Unanswerable, out: &mut [u8]) -> Done {
    match unanswerable {
        Unanswerable::Drop => Done::Drop(DropReason::NotAQuery),
        Unanswerable::Header(rcode) => {
            let outcome = Outcome::plain(rcode, AnswerSource::Error);
            Done::reply(write_header(octets, rcode, out), outcome)
        }
    }
}

/// The group that a query is judged for: its client's, or the one that the gateway's own test asks
/// for, while there is such a group.
#[inline]
fn placement_of(origin: &Origin, snapshot: &Snapshot, now: Now) -> Placement {
    match origin.tested_as {
        Some(group) if usize::from(group.0) < snapshot.groups().len() => Placement::always(group),
        _ => snapshot.group_of(origin.identity(), now),
    }
}

/// The refusal of a query before policy judges it.
#[inline]
fn refusal(
    query: &Query<'_>,
    origin: &Origin,
    snapshot: &Snapshot,
) -> Option<(Rcode, Option<Ede>)> {
    if !origin.is_test() && !snapshot.answers(origin.client) {
        return Some((Rcode::REFUSED, Some(Ede::PROHIBITED)));
    }
    if query.edns.is_some_and(|edns| edns.version > 0) {
        return Some((Rcode::BADVERS, None));
    }
    let is_transfer = matches!(query.qtype, rtype::AXFR | rtype::IXFR);
    (query.qclass != CLASS_IN || is_transfer).then_some((Rcode::REFUSED, None))
}

/// A reply of a code alone.
fn refused(
    query: &Query<'_>,
    rcode: Rcode,
    ede: Option<Ede>,
    limit: usize,
    out: &mut [u8],
) -> Done {
    let source = if rcode == Rcode::REFUSED { AnswerSource::Refused } else { AnswerSource::Error };
    let length = write(query, rcode, Data::None, 0, ede.map(EdeText::bare), limit, out);
    Done::reply(length, Outcome::plain(rcode, source))
}
