//! A query that waits for upstream, and its end.
//!
//! It owns all that it was begun with: the parsed query, the snapshot, and the expired answer
//! that can be sent should upstream give none. Law: [`Forward::finish`] and [`Forward::stale`]
//! are the only ways from here to a reply, and both review it.

use std::sync::Arc;

use crate::cache::{AnswerCache, Asked, CacheKey, Entry, FailureCause, Route};
use crate::dns::message::answer::{Answer, Form, TtlLimits};
use crate::dns::message::query::OwnedQuery;
use crate::dns::message::rewrite::rewrite;
use crate::dns::message::{Ede, Malformed, Question, Rcode};
use crate::dns::name::Folded;
use crate::policy::{GroupId, HashedName, Pass, Snapshot};
use crate::resolve::context::QueryContext;
use crate::resolve::rewrite::{Rewrite, route_to};
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
    pub(super) pass: Pass,
    /// The upstream question: of another name than the client's where that is rewritten.
    pub(super) question: Question,
    pub(super) rewrite: Option<Rewrite>,
    /// The expired answer, for use if upstream gives none.
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

/// The end of an upstream question.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// A whole message, or the failure to get one.
    pub message: Result<&'a [u8], UpstreamFailure>,
    /// The time the question was sent, in microseconds of the monotonic clock.
    pub asked: u64,
}

/// There is no answer: the extended error of the failure.
struct NoAnswer(Ede);

impl Forward {
    /// The upstream question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The policy the query was begun with.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
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
    ) -> Done {
        let name = self.snapshot.hashed(&self.name);
        let context = self.context(&name, now, out.len());
        let answer = match self.learn(answered, cache, limits, now) {
            Ok(answer) => answer,
            Err(missing) => return self.without_answer(missing, context, out),
        };
        if answer.is_failure()
            && let Some(done) = self.stale_for(&context, out)
        {
            return done;
        }
        let entry = Entry::new(answer, now.mono).to(self.asked(answered));
        let (form, source) = (Form::aged(0), AnswerSource::Upstream);
        let done = context.answer_late(&entry, form, self.pass, source, out);
        cache.insert(&self.key(), entry);
        done
    }

    /// Ends the query where its question is not answered in time; the answer may still come.
    pub fn time_out(self, asked: u64, cache: &AnswerCache, now: Now, out: &mut [u8]) -> Done {
        let name = self.snapshot.hashed(&self.name);
        let context = self.context(&name, now, out.len());
        let missing = self.unanswered(UpstreamFailure::Unreachable, asked, cache, now);
        self.without_answer(missing, context, out)
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
            let asked = Asked { at: asked, upstream: self.question.upstream };
            let failure = Answer::failure(Rcode::SERVFAIL);
            cache.insert_failure(&self.key(), failure, (asked, FailureCause::Silence), now.mono);
        }
        self.no_answer(failure)
    }

    /// Ends the query where its question cannot be sent.
    pub fn give_up(self, failure: UpstreamFailure, now: Now, out: &mut [u8]) -> Done {
        let name = self.snapshot.hashed(&self.name);
        let context = self.context(&name, now, out.len());
        self.without_answer(self.no_answer(failure), context, out)
    }

    fn without_answer(
        &self,
        NoAnswer(ede): NoAnswer,
        context: QueryContext<'_>,
        out: &mut [u8],
    ) -> Done {
        self.stale_for(&context, out)
            .unwrap_or_else(|| QueryContext { rewrite: None, ..context }.servfail(ede, out))
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

    fn asked(&self, answered: Answered<'_>) -> Asked {
        Asked { at: answered.asked, upstream: self.question.upstream }
    }

    fn key(&self) -> CacheKey {
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
        if self.rewrite.is_some_and(|rewrite| rewrite.is_broken_by(answer.rcode())) {
            // Never the real host instead.
            return Err(NoAnswer(Ede::NETWORK_ERROR));
        }
        Ok(answer)
    }

    /// The stored form of an answer to the upstream question.
    pub(super) fn take(&self, message: &[u8], limits: &TtlLimits) -> Result<Answer, Malformed> {
        let answer = Answer::take(message, &self.question, limits)?;
        let Some(cause) = self.rewrite.filter(|cause| !cause.is_broken_by(answer.rcode())) else {
            return Ok(answer);
        };
        let asked = Question { name: self.name.to_name(), ..self.question.clone() };
        let message = rewrite(message, &asked, &self.question.name)?;
        let answer = Answer::take(&message, &asked, limits)?;
        Ok(match cause.ede(&self.snapshot) {
            Some((code, text)) => answer.with_ede(code, text),
            None => answer,
        })
    }
}
