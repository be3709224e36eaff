//! A query that waits for upstream, and its end.
//!
//! It owns all that it was begun with: the parsed query, the snapshot, and the expired answer
//! that can be sent should upstream give none. Law: [`Forward::finish`] and [`Forward::stale`]
//! are the only ways from here to a reply, and both review it.

use std::sync::Arc;

use crate::cache::{AnswerCache, AskedAt, CacheKey, Entry, FailureCause, Route};
use crate::dns::message::answer::{Answer, Form, TtlLimits};
use crate::dns::message::query::OwnedQuery;
use crate::dns::message::rewrite::rewrite;
use crate::dns::message::{Ede, Malformed, Question, Rcode};
use crate::dns::name::{Folded, Name};
use crate::policy::{Block, GroupId, HashedName, Pass, Snapshot};
use crate::resolve::chain::{ChainLink, Follow};
use crate::resolve::context::QueryContext;
use crate::resolve::rewrite::{BY_LIST, Rewrite, route_to};
use crate::resolve::{AnswerSource, Done, Now, Origin};

/// A query waiting for upstream.
#[derive(Debug, Clone)]
pub struct Forward {
    pub(super) query: OwnedQuery,
    /// The name of the query, in lower case.
    pub(super) name: Folded,
    pub(super) origin: Origin,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) group: GroupId,
    /// The instant until which its claims lead the device to that group, in civil seconds.
    pub(super) placed_until: u64,
    pub(super) pass: Pass,
    /// The upstream question: of another name than the client's where that is rewritten.
    pub(super) question: Question,
    pub(super) rewrite: Option<Rewrite>,
    /// The answers of other upstreams that led to the question.
    pub(super) links: Vec<ChainLink>,
    /// The expired answer, for use if upstream gives none.
    pub(super) stale: Option<Arc<Entry>>,
}

/// What a client asked for, and the policy that its query was begun with.
#[derive(Debug, Clone)]
pub struct AskedFor {
    /// The name, in lower case.
    pub name: Folded,
    /// The type.
    pub qtype: u16,
    /// The client's side.
    pub origin: Origin,
    /// The policy.
    pub snapshot: Arc<Snapshot>,
}

/// Why upstream gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamFailure {
    /// No server answered in time.
    Unreachable,
    /// Too many questions are waiting already.
    Busy,
}

/// The end of an upstream question.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// A whole message, or the failure to get one.
    pub message: Result<&'a [u8], UpstreamFailure>,
    /// The time the question was sent, in microseconds of the monotonic clock.
    pub asked: u64,
}

/// A query after an upstream question.
#[derive(Debug)]
pub enum Finish {
    /// It is done.
    Done(Done),
    /// Its answer leads on: ask upstream again, then call [`Forward::finish`].
    Next(Box<Forward>),
}

/// There is no answer: the extended error of the failure.
struct NoAnswer(Ede);

impl Forward {
    /// The upstream question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// What the client asked for.
    pub fn asked_for(&self) -> AskedFor {
        let (name, qtype) = (self.name.clone(), self.query.view().qtype);
        let (origin, snapshot) = (self.origin.clone(), Arc::clone(&self.snapshot));
        AskedFor { name, qtype, origin, snapshot }
    }

    /// The origin of the query.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether there is an expired answer.
    pub fn has_stale(&self) -> bool {
        self.stale.is_some()
    }

    /// The reply with the expired answer (RFC 8767), if there is one.
    pub fn stale(&self, now: Now, out: &mut [u8]) -> Option<Done> {
        let name = self.snapshot.hashed(&self.name);
        self.stale_for(&self.context(&name, now, out.len()), out)
    }

    fn stale_for(&self, context: &QueryContext<'_>, out: &mut [u8]) -> Option<Done> {
        let entry = self.stale.as_deref()?;
        Some(context.answer_late(entry, Form::STALE, self.pass, AnswerSource::Stale, out))
    }

    /// Ends the query with a whole message from upstream, or the failure to get one.
    ///
    /// The answer is cached even if review blocks it: the next client may be of another group.
    pub fn finish(
        self,
        answered: Answered<'_>,
        cache: &AnswerCache,
        limits: &TtlLimits,
        now: Now,
        out: &mut [u8],
    ) -> Finish {
        let name = self.snapshot.hashed(&self.name);
        let context = self.context(&name, now, out.len());
        let answer = match self.learn(answered, cache, limits, now) {
            Ok(answer) => answer,
            Err(missing) => return Finish::Done(self.without_answer(missing, &context, out)),
        };
        if answer.is_failure()
            && let Some(done) = self.stale_for(&context, out)
        {
            return Finish::Done(done);
        }
        let leads_on = answer.next().is_some() || !self.links.is_empty() && !answer.is_failure();
        let entry = Arc::new(Entry::new(answer, now.mono).to(self.asked(answered)));
        cache.insert(&self.key(), Arc::clone(&entry));
        let source = AnswerSource::Upstream;
        if let Some((block, target)) = context.garden_of(&entry, self.pass) {
            return self.gardened(block, &target, &context, cache, out);
        }
        if !leads_on {
            let done = context.answer_late(&entry, Form::aged(0), self.pass, source, out);
            return Finish::Done(done);
        }
        let mut links = self.links.clone();
        links.push(self.link(entry));
        match context.follow(&mut links, self.pass, cache, source, out) {
            Follow::Done(done) => Finish::Done(done),
            Follow::Ask(question, stale) => {
                Finish::Next(Box::new(Self { question, links, stale, ..self }))
            }
        }
    }

    /// Goes on with what a list has in the place of a name that leads to what it blocks.
    #[cold]
    fn gardened(
        &self,
        block: Block,
        target: &Name,
        context: &QueryContext<'_>,
        cache: &AnswerCache,
        out: &mut [u8],
    ) -> Finish {
        let rewrite = Some(Rewrite::List(block));
        let context = QueryContext { rewrite, ..*context };
        let Ok(first) = context.garden_link(block, target, &self.question) else {
            return Finish::Done(context.servfail(Ede::INVALID_DATA, out));
        };
        let mut links = vec![first];
        match context.follow(&mut links, BY_LIST, cache, AnswerSource::Upstream, out) {
            Follow::Done(done) => Finish::Done(done),
            Follow::Ask(question, stale) => Finish::Next(Box::new(Self {
                question,
                links,
                stale,
                rewrite,
                pass: BY_LIST,
                ..self.clone()
            })),
        }
    }

    /// The link that an answer to this question is.
    pub(super) fn link(&self, entry: Arc<Entry>) -> ChainLink {
        let question = if self.links.is_empty() {
            // Of a rewritten name the answer is to the client's own.
            Question { name: self.name.to_name(), ..self.question.clone() }
        } else {
            self.question.clone()
        };
        ChainLink { question, entry }
    }

    /// Caches that nobody answered a question.
    fn unanswered(
        &self,
        failure: UpstreamFailure,
        asked: u64,
        cache: &AnswerCache,
        now: Now,
    ) -> NoAnswer {
        // A failure for want of room tells nothing about the name.
        if failure != UpstreamFailure::Busy {
            let asked = AskedAt { at: asked, upstream: self.question.upstream };
            let failure = Answer::failure(Rcode::SERVFAIL);
            cache.insert_failure(&self.key(), failure, (asked, FailureCause::Silence), now.mono);
        }
        self.no_answer(failure)
    }

    /// Ends the query where its question cannot be sent, or is not answered in time: the answer may
    /// still come.
    pub fn give_up(self, failure: UpstreamFailure, now: Now, out: &mut [u8]) -> Done {
        let name = self.snapshot.hashed(&self.name);
        let context = self.context(&name, now, out.len());
        self.without_answer(self.no_answer(failure), &context, out)
    }

    fn without_answer(
        &self,
        NoAnswer(ede): NoAnswer,
        context: &QueryContext<'_>,
        out: &mut [u8],
    ) -> Done {
        self.stale_for(context, out)
            .unwrap_or_else(|| QueryContext { rewrite: None, ..*context }.servfail(ede, out))
    }

    fn no_answer(&self, failure: UpstreamFailure) -> NoAnswer {
        NoAnswer(match failure {
            UpstreamFailure::Unreachable if !self.is_from_policy() => Ede::NO_REACHABLE_AUTHORITY,
            UpstreamFailure::Unreachable | UpstreamFailure::Busy => Ede::NETWORK_ERROR,
        })
    }

    /// Takes the upstream answer into the cache: this query has its reply already.
    pub fn refresh(
        &self,
        answered: Answered<'_>,
        cache: &AnswerCache,
        limits: &TtlLimits,
        now: Now,
    ) {
        if let Ok(answer) = self.learn(answered, cache, limits, now) {
            cache.insert(&self.key(), Entry::new(answer, now.mono).to(self.asked(answered)));
        }
    }

    fn asked(&self, answered: Answered<'_>) -> AskedAt {
        AskedAt { at: answered.asked, upstream: self.question.upstream }
    }

    fn key(&self) -> CacheKey {
        if !self.links.is_empty() {
            return CacheKey::of_question(&self.question);
        }
        CacheKey::new(self.route(), &self.query.view(), &self.name)
    }

    fn context<'a>(&'a self, name: &'a HashedName<'a>, now: Now, room: usize) -> QueryContext<'a> {
        let query = self.query.view();
        QueryContext {
            query,
            name,
            origin: &self.origin,
            snapshot: &self.snapshot,
            group: self.group,
            placed_until: self.placed_until,
            active: self.snapshot.rules_at(self.group, now),
            now,
            rewrite: self.rewrite,
            limit: self.origin.transport.limit(&query, room),
        }
    }

    /// Whether policy chose the name that is resolved, so that a failure is of our making.
    fn is_from_policy(&self) -> bool {
        self.rewrite.is_some_and(|cause| cause != Rewrite::Own)
    }

    fn route(&self) -> Route {
        let upstream = self.question.upstream;
        self.rewrite.map_or(Route::to(upstream), |_| route_to(&self.question.name, upstream))
    }

    /// The answer in a message; a failure is cached, and so is that there is none.
    fn learn(
        &self,
        answered: Answered<'_>,
        cache: &AnswerCache,
        limits: &TtlLimits,
        now: Now,
    ) -> Result<Answer, NoAnswer> {
        let asked = self.asked(answered);
        let failed = |answer: Answer| {
            let why = (asked, FailureCause::Answered);
            cache.insert_failure(&self.key(), answer, why, now.mono);
        };
        let message = match answered.message {
            Ok(message) => message,
            Err(failure) => return Err(self.unanswered(failure, answered.asked, cache, now)),
        };
        cache.note_answer(asked);
        let answer = self.usable(message, limits);
        match &answer {
            Ok(answer) if !answer.is_failure() => {}
            Ok(failure) => failed(failure.clone()),
            Err(_) => failed(Answer::failure(Rcode::SERVFAIL)),
        }
        answer
    }

    fn usable(&self, message: &[u8], limits: &TtlLimits) -> Result<Answer, NoAnswer> {
        let answer = self.take(message, limits).map_err(|_| NoAnswer(Ede::INVALID_DATA))?;
        let is_broken = |rewrite: Rewrite| rewrite.is_broken_by(answer.rcode());
        if self.links.is_empty() && self.rewrite.is_some_and(is_broken) {
            // Never the real host instead.
            return Err(NoAnswer(Ede::NETWORK_ERROR));
        }
        if answer.is_failure() && answer.ede().is_none() {
            return Ok(answer.with_ede(Ede::NETWORK_ERROR, b""));
        }
        Ok(answer)
    }

    /// The stored form of an answer to the upstream question.
    pub(super) fn take(&self, message: &[u8], limits: &TtlLimits) -> Result<Answer, Malformed> {
        let upstream = self.question.upstream;
        // The message answers the question's own name, wherever that belongs by now.
        let is_elsewhere =
            |name: &Name| *name != self.question.name && self.snapshot.is_elsewhere(name, upstream);
        let take = |message: &[u8], question: &Question| {
            Answer::take_link(message, question, limits, is_elsewhere)
        };
        let answer = take(message, &self.question)?;
        let rewrites =
            |cause: &Rewrite| self.links.is_empty() && !cause.is_broken_by(answer.rcode());
        let Some(cause) = self.rewrite.filter(rewrites) else { return Ok(answer) };
        // What this upstream has no say about is left out.
        let message = answer.message(&self.question, Form::aged(0)).ok_or(Malformed)?;
        let asked = Question { name: self.name.to_name(), ..self.question.clone() };
        let message = rewrite(&message, &asked, &self.question.name)?;
        let ends_here = answer.next().is_none();
        let answer = take(&message, &asked)?;
        let answer = if ends_here { answer.closed() } else { answer };
        Ok(match cause.ede(&self.snapshot) {
            Some((code, text)) => answer.with_ede(code, text),
            None => answer,
        })
    }
}
