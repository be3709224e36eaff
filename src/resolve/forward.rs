//! A query that waits for upstream, and its end.
//!
//! It owns all that it was begun with: the parsed query, the snapshot, and the expired answer
//! that can be sent should upstream give none. Law: [`Forward::finish`] and [`Forward::stale`]
//! are the only ways from here to a reply, and both review it.

use std::sync::Arc;

use crate::cache::{AnswerCache, CacheKey, Entry, Route};
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
        message: Result<&[u8], UpstreamFailure>,
        cache: &AnswerCache,
        limits: &TtlLimits,
        now: Now,
        out: &mut [u8],
    ) -> Done {
        let name = self.snapshot.hashed(&self.name);
        let context = self.context(&name, now, out.len());
        let key = self.key();
        let answer = match self.learn(message, limits) {
            Ok(answer) => answer,
            Err(NoAnswer(ede)) => {
                // A failure for want of room tells nothing about the name.
                if message != Err(UpstreamFailure::Busy) {
                    cache.insert_failure(&key, Answer::failure(Rcode::SERVFAIL), now.mono);
                }
                return self.stale_for(&context, out).unwrap_or_else(|| {
                    QueryContext { rewrite: None, ..context }.servfail(ede, out)
                });
            }
        };
        if answer.is_failure() {
            cache.insert_failure(&key, answer.clone(), now.mono);
            if let Some(done) = self.stale_for(&context, out) {
                return done;
            }
        }
        let entry = Entry::new(answer, now.mono);
        let (form, source) = (Form::aged(0), AnswerSource::Upstream);
        let done = context.answer_late(&entry, form, self.pass, source, out);
        cache.insert(&key, entry);
        done
    }

    /// Takes the upstream answer into the cache: this query has its reply already.
    pub fn refresh(
        &self,
        message: Result<&[u8], UpstreamFailure>,
        cache: &AnswerCache,
        limits: &TtlLimits,
        now: Now,
    ) {
        let key = self.key();
        match self.learn(message, limits) {
            Ok(answer) if !answer.is_failure() => {
                cache.insert(&key, Entry::new(answer, now.mono));
            }
            Ok(failure) => cache.insert_failure(&key, failure, now.mono),
            Err(_) if message == Err(UpstreamFailure::Busy) => {}
            Err(_) => cache.insert_failure(&key, Answer::failure(Rcode::SERVFAIL), now.mono),
        }
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

    fn learn(
        &self,
        message: Result<&[u8], UpstreamFailure>,
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
