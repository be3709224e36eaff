//! A query that waits for upstream, and how it ends.
//!
//! It owns all it was begun with, the answer that is past its time included, so that
//! there is something to say when upstream says nothing. [`Forward::finish`] is the only
//! way to a reply, but for [`Forward::stale`], which is judged in the same way.

use std::sync::Arc;

use crate::cache::{AnswerCache, CacheKey, Entry, Route};
use crate::dns::message::answer::{Answer, Form, TtlLimits};
use crate::dns::message::query::Query;
use crate::dns::message::rewrite::rewrite;
use crate::dns::message::{Ede, Malformed, Question, Rcode};
use crate::policy::{GroupId, Pass, Snapshot};
use crate::resolve::context::QueryContext;
use crate::resolve::rewrite::{Rewrite, route_to};
use crate::resolve::{AnswerSource, DropReason, Now, Origin, Step, limit};

/// A query waiting for upstream.
#[derive(Debug)]
pub struct Forward {
    pub(super) query: Box<[u8]>,
    pub(super) meta: Origin,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) group: GroupId,
    pub(super) pass: Pass,
    /// What upstream is asked: another name than the client's where that is rewritten.
    pub(super) question: Question,
    pub(super) rewrite: Option<Rewrite>,
    /// What upstream said some time ago, for when it says nothing now.
    pub(super) stale: Option<Arc<Entry>>,
}

/// Why upstream gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamFailure {
    /// No server answered in time.
    Unreachable,
    /// Too many questions are waiting already.
    Busy,
}

/// There is no answer, and what to say of it.
struct NoAnswer(Ede);

impl Forward {
    /// What to ask upstream.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The policy the query was begun with.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Where the query came from.
    pub fn meta(&self) -> &Origin {
        &self.meta
    }

    /// Whether there is something to say should upstream say nothing.
    pub fn has_stale(&self) -> bool {
        self.stale.is_some()
    }

    /// Answers with what upstream said some time ago (RFC 8767), if there is such an answer.
    pub fn stale(&self, now: Now, out: &mut [u8]) -> Option<Step> {
        let entry = self.stale.as_deref()?;
        let query = Query::parse(&self.query).ok()?;
        let turn = self.turn(&query, now, out.len());
        Some(turn.answer_late(entry, Form::STALE, self.pass, AnswerSource::Stale, out))
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
        let turn = self.turn(&query, now, out.len());
        let key = CacheKey::new(self.route(), &query);
        let answer = match self.learn(message, &query, limits) {
            Ok(answer) => answer,
            Err(NoAnswer(ede)) => {
                // That too many wait says nothing of the name.
                if message != Err(UpstreamFailure::Busy) {
                    cache.insert_failure(&key, Answer::failure(Rcode::SERVFAIL), now.mono);
                }
                let turn = QueryContext { rewrite: None, ..turn };
                return self.stale(now, out).unwrap_or_else(|| turn.servfail(ede, out));
            }
        };
        if answer.is_failure() {
            cache.insert_failure(&key, answer.clone(), now.mono);
            if let Some(step) = self.stale(now, out) {
                return step;
            }
        }
        let entry = Entry::new(answer, now.mono);
        let step = turn.answer_late(&entry, Form::aged(0), self.pass, AnswerSource::Upstream, out);
        cache.insert(&key, entry);
        step
    }

    /// Takes what upstream said into the cache, for the next asker: this one has its reply.
    pub fn refresh(
        &self,
        message: Result<&[u8], UpstreamFailure>,
        cache: &AnswerCache,
        limits: &TtlLimits,
        now: Now,
    ) {
        let Ok(query) = Query::parse(&self.query) else { return };
        let key = CacheKey::new(self.route(), &query);
        match self.learn(message, &query, limits) {
            Ok(answer) if !answer.is_failure() => {
                cache.insert(&key, Entry::new(answer, now.mono));
            }
            Ok(failure) => cache.insert_failure(&key, failure, now.mono),
            Err(_) if message == Err(UpstreamFailure::Busy) => {}
            Err(_) => cache.insert_failure(&key, Answer::failure(Rcode::SERVFAIL), now.mono),
        }
    }

    fn turn<'a>(&'a self, query: &'a Query<'a>, now: Now, room: usize) -> QueryContext<'a> {
        QueryContext {
            query,
            snapshot: &self.snapshot,
            group: self.group,
            bound: self.snapshot.rules_at(self.group, now),
            now,
            transport: self.meta.transport,
            rewrite: self.rewrite,
            limit: limit(query, &self.meta, room),
        }
    }

    /// Whether policy sends the client elsewhere, so that a failure is of our making.
    fn is_from_policy(&self) -> bool {
        self.rewrite.is_some_and(|cause| cause != Rewrite::Own)
    }

    fn route(&self) -> Route {
        let upstream = self.question.upstream;
        self.rewrite.map_or(Route::to(upstream), |_| route_to(&self.question.name, upstream))
    }

    fn learn(
        &self,
        message: Result<&[u8], UpstreamFailure>,
        query: &Query<'_>,
        limits: &TtlLimits,
    ) -> Result<Answer, NoAnswer> {
        let message = message.map_err(|failure| {
            NoAnswer(match failure {
                UpstreamFailure::Unreachable if !self.is_from_policy() => {
                    Ede::NO_REACHABLE_AUTHORITY
                }
                UpstreamFailure::Unreachable | UpstreamFailure::Busy => Ede::NETWORK_ERROR,
            })
        })?;
        let answer = self.take(message, query, limits).map_err(|_| NoAnswer(Ede::INVALID_DATA))?;
        if self.rewrite.is_some_and(|rewrite| rewrite.is_broken_by(answer.rcode())) {
            // Never the real host instead.
            return Err(NoAnswer(Ede::NETWORK_ERROR));
        }
        Ok(answer)
    }

    pub(super) fn take(
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
        Ok(match cause.ede(&self.snapshot) {
            Some((code, text)) => answer.with_ede(code, text),
            None => answer,
        })
    }
}
