//! One query's turn: verdicts and answers → replies.

use std::sync::Arc;

use crate::cache::{CacheKey, CacheLookup as Kept, Entry, Route};
use crate::dns::message::answer::Form;
use crate::dns::message::query::Query;
use crate::dns::message::reply::{Data, EdeText, write, write_truncated};
use crate::dns::message::{Ede, Malformed, Question, Rcode, is_truncated};
use crate::dns::name::Name;
use crate::dns::rtype;
use crate::policy::tables::special::Special;
use crate::policy::{ActiveRules, AnswerMode, Block, CanaryKind, GroupId, Layer, Pass, Snapshot};
use crate::resolve::reply_cache::{Admission, PolicyEpoch};
use crate::resolve::rewrite::Rewrite;
use crate::resolve::{
    AnswerSource, BlockedBy, Forward, Now, Origin, Outcome, Step, Stores, Transport, reply,
};
use crate::rule::{Action, LocalData};

/// Seconds that a special-use answer may be kept: it never changes.
const SPECIAL_TTL: u32 = 3600;

/// Seconds that an answer of a category without its list may be kept.
const FAIL_CLOSED_TTL: u32 = 10;

/// Where policy found what it blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockedAt {
    /// In the question.
    Question,
    /// A name that the answer points to.
    Target,
    /// An address in the answer.
    Address,
}

impl BlockedAt {
    fn by(self, layer: Layer) -> BlockedBy {
        match (self, layer) {
            (_, Layer::Rebinding) => BlockedBy::Rebinding,
            (_, Layer::FailClosed) => BlockedBy::FailMode,
            (Self::Target, _) => BlockedBy::Review,
            (Self::Address, _) => BlockedBy::Address,
            (Self::Question, Layer::SchoolDeny) => BlockedBy::School,
            (Self::Question, Layer::DepartmentDeny) => BlockedBy::Department,
            (Self::Question, Layer::AllowList | Layer::Override) => BlockedBy::AllowList,
            (Self::Question, Layer::Keyword) => BlockedBy::Keyword,
            (Self::Question, _) => BlockedBy::List,
        }
    }
}

/// One query on its way to a reply.
pub(super) struct QueryContext<'a> {
    pub(super) query: &'a Query<'a>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) group: GroupId,
    /// The group as it is bound at `now`.
    pub(super) bound: ActiveRules<'a>,
    pub(super) now: Now,
    pub(super) transport: Transport,
    /// Set where the client gets another name's answer.
    pub(super) rewrite: Option<Rewrite>,
    pub(super) limit: usize,
}

impl QueryContext<'_> {
    #[inline]
    pub(super) fn outcome(&self, rcode: Rcode, source: AnswerSource) -> Outcome {
        Outcome { group: Some(self.bound.group.counters), ..Outcome::plain(rcode, source) }
    }

    pub(super) fn special(&self, special: Special, out: &mut [u8]) -> Step {
        let (rcode, data) = match special {
            Special::NxDomain => (Rcode::NXDOMAIN, Data::Negative),
            Special::NoData => (Rcode::NOERROR, Data::Negative),
            Special::Addresses(each) => (Rcode::NOERROR, Data::Records(each)),
        };
        let length = write(self.query, rcode, data, SPECIAL_TTL, None, self.limit, out);
        reply(length, self.outcome(rcode, AnswerSource::Local))
    }

    pub(super) fn canary(&self, kind: CanaryKind, out: &mut [u8]) -> Step {
        let (rcode, ttl) = (Rcode::NXDOMAIN, self.snapshot.block_ttl());
        let ede = Some(EdeText { code: Ede::BLOCKED, text: b"canary" });
        let length = write(self.query, rcode, Data::Negative, ttl, ede, self.limit, out);
        reply(length, Outcome { canary: Some(kind), ..self.outcome(rcode, AnswerSource::Local) })
    }

    /// Answers as blocked.
    #[inline]
    pub(super) fn blocked(&self, block: Block, found: BlockedAt, out: &mut [u8]) -> Step {
        let by = found.by(block.layer);
        let outcome = |rcode| Outcome {
            blocked: Some((block.category, by)),
            ..self.outcome(rcode, AnswerSource::Blocked)
        };
        let mode = match block.action {
            Action::Drop => return Step::Silence(outcome(Rcode::NOERROR)),
            Action::TcpOnly if self.transport == Transport::Udp => {
                return reply(write_truncated(self.query, out), outcome(Rcode::NOERROR));
            }
            Action::NxDomain => AnswerMode::NxDomain,
            Action::NoData => AnswerMode::NoData,
            Action::Refused => AnswerMode::Refused,
            Action::Local(number) => {
                return self.local(self.snapshot.local(number), block, outcome, out);
            }
            Action::Default | Action::Passthru | Action::TcpOnly => self.bound.group.answer,
        };
        let (rcode, data) = match (mode, self.query.qtype) {
            (AnswerMode::NxDomain, _) => (Rcode::NXDOMAIN, Data::Negative),
            (AnswerMode::Refused, _) => (Rcode::REFUSED, Data::None),
            (AnswerMode::Zero, rtype::A) => (Rcode::NOERROR, Data::Records(&[&[0; 4]])),
            (AnswerMode::Zero, rtype::AAAA) => (Rcode::NOERROR, Data::Records(&[&[0; 16]])),
            (AnswerMode::NoData | AnswerMode::Zero, _) => (Rcode::NOERROR, Data::Negative),
        };
        let (code, ttl) = match block.layer {
            // Soon there may be a list again.
            Layer::FailClosed => (Ede::NOT_READY, FAIL_CLOSED_TTL.min(self.block_ttl(found))),
            _ if self.snapshot.is_legal_request(block.category) => {
                (Ede::CENSORED, self.block_ttl(found))
            }
            _ => (Ede::BLOCKED, self.block_ttl(found)),
        };
        let ede = EdeText {
            code,
            text: match block.layer {
                Layer::Rebinding => b"rebinding",
                _ => self.snapshot.text(block.category),
            },
        };
        let length = write(self.query, rcode, data, ttl, Some(ede), self.limit, out);
        reply(length, outcome(rcode))
    }

    /// Answers with the records of a list.
    fn local(
        &self,
        data: Option<&LocalData>,
        block: Block,
        outcome: impl Fn(Rcode) -> Outcome,
        out: &mut [u8],
    ) -> Step {
        let records: Vec<&[u8]> = data
            .into_iter()
            .flat_map(|data| &data.records)
            .filter(|(rtype, _)| *rtype == self.query.qtype)
            .map(|(_, rdata)| rdata.as_ref())
            .collect();
        let data = if records.is_empty() { Data::Negative } else { Data::Records(&records) };
        let ede = EdeText { code: Ede::FORGED, text: self.snapshot.text(block.category) };
        let (rcode, ttl) = (Rcode::NOERROR, self.block_ttl(BlockedAt::Question));
        let length = write(self.query, rcode, data, ttl, Some(ede), self.limit, out);
        reply(length, outcome(rcode))
    }

    /// Answers with what the cache has; else the query waits for upstream.
    ///
    /// What will be of use for some time goes to the worker's own replies.
    #[inline]
    pub(super) fn known(
        &self,
        route: Route,
        pass: Pass,
        stores: Stores<'_>,
        forward: impl FnOnce(Option<Arc<Entry>>) -> Forward,
        out: &mut [u8],
    ) -> Step {
        let now = self.now;
        let aged = |entry: &Entry| Form::aged(entry.age(now.mono));
        match stores.cache.find(&CacheKey::new(route, self.query), now.mono) {
            Kept::Fresh(entry) => {
                let until = stores.near.as_ref().map_or(0, |_| self.horizon(&entry, pass, out));
                let step = self.answer(&entry, aged(&entry), pass, AnswerSource::Cache, out);
                if let (Some(look), Step::Reply(_, outcome)) = (stores.near, &step)
                    && outcome.blocked.is_none()
                {
                    let under = PolicyEpoch::of(look.generation, self.bound.group, self.group, now);
                    let said = Admission { under, outcome: *outcome, until };
                    look.near.put(look.spot, self.query, said, &entry, now.mono);
                }
                step
            }
            Kept::Due(entry) => {
                match self.answer(&entry, aged(&entry), pass, AnswerSource::Cache, out) {
                    Step::Reply(length, outcome) => {
                        Step::Refresh(length, outcome, Box::new(forward(None)))
                    }
                    other => other,
                }
            }
            Kept::Stale(entry) => self.answer(&entry, Form::STALE, pass, AnswerSource::Stale, out),
            Kept::Failed(entry) => {
                let (rcode, ede) = (entry.answer.rcode(), Some(EdeText::bare(Ede::CACHED_ERROR)));
                let length = write(self.query, rcode, Data::None, 0, ede, self.limit, out);
                reply(length, self.outcome(rcode, AnswerSource::Cache))
            }
            Kept::Expired(entry) => Step::Forward(Box::new(forward(Some(entry)))),
            Kept::Nothing => Step::Forward(Box::new(forward(None))),
        }
    }

    /// The query as one that waits for upstream's word on `name`.
    pub(super) fn forward(
        &self,
        pass: Pass,
        name: Name,
        rewrite: Option<Rewrite>,
        meta: &Origin,
        snapshot: &Arc<Snapshot>,
        stale: Option<Arc<Entry>>,
    ) -> Forward {
        Forward {
            query: self.query.octets().into(),
            meta: meta.clone(),
            snapshot: Arc::clone(snapshot),
            group: self.group,
            pass,
            question: Question {
                upstream: snapshot.upstream_for(&name),
                ..Question::of(self.query, name)
            },
            rewrite,
            stale,
        }
    }

    /// Sends an answer that upstream gave, in this form, if policy lets all of it through.
    #[inline]
    pub(super) fn answer(
        &self,
        entry: &Entry,
        form: Form,
        pass: Pass,
        source: AnswerSource,
        out: &mut [u8],
    ) -> Step {
        match self.review(entry, form, pass, out) {
            Ok(None) => {}
            Ok(Some((block, found))) => return self.blocked(block, found, out).uncounted_if(pass),
            Err(Malformed) => return self.servfail(Ede::INVALID_DATA, out),
        }
        let form = form.at_most(self.answer_ttl(entry, form, pass, out));
        let length = entry.answer.write(self.query, form, self.limit, out);
        let outcome = match self.rewrite {
            None | Some(Rewrite::Own) => self.outcome(entry.answer.rcode(), source),
            Some(Rewrite::List(block)) => Outcome {
                blocked: Some((block.category, BlockedBy::List)),
                ..self.outcome(entry.answer.rcode(), AnswerSource::Blocked)
            },
            Some(Rewrite::Safe(engine)) => {
                Outcome { safe: Some(engine), ..self.outcome(entry.answer.rcode(), source) }
            }
        };
        reply(length, Outcome { observed: pass.observed, ..outcome }).uncounted_if(pass)
    }

    /// The first name or address of the answer that policy blocks.
    ///
    /// They are read from the octets behind the question, so the whole answer is
    /// laid out first, whatever the client's limit. What has no room there goes
    /// out truncated, without a record that would need review.
    #[inline]
    pub(super) fn review(
        &self,
        entry: &Entry,
        form: Form,
        pass: Pass,
        out: &mut [u8],
    ) -> Result<Option<(Block, BlockedAt)>, Malformed> {
        let answer = &entry.answer;
        let are_known = match answer.target_count() {
            0 => Some(true),
            _ => entry.targets_are(self.snapshot.facts_tag(), |facts| {
                self.snapshot.is_silent(self.bound, facts)
            }),
        };
        let has_addresses =
            answer.has_addresses() && self.snapshot.reviews_addresses(answer.has_internal());
        if are_known == Some(true) && !has_addresses {
            return Ok(None);
        }
        let length = answer.write(self.query, form, usize::MAX, out).ok_or(Malformed)?;
        let message = out.get(..length).ok_or(Malformed)?;
        if is_truncated(message) {
            return Ok(None);
        }
        let block = self.review_targets(entry, are_known.is_none(), pass, message)?;
        if let Some(block) = block {
            return Ok(Some((block, BlockedAt::Target)));
        }
        if !has_addresses {
            return Ok(None);
        }
        let subject = self.snapshot.hashed(&self.query.name);
        for address in answer.addresses(message) {
            let block =
                self.snapshot.review_address(self.bound, &subject, address?, pass.is_shield());
            if let Some(block) = block {
                return Ok(Some((block, BlockedAt::Address)));
            }
        }
        Ok(None)
    }

    fn review_targets(
        &self,
        entry: &Entry,
        is_news: bool,
        pass: Pass,
        message: &[u8],
    ) -> Result<Option<Block>, Malformed> {
        let mut known = Vec::new();
        let mut block = None;
        for target in entry.answer.targets(message) {
            let target = target?;
            let subject = self.snapshot.hashed(&target);
            let facts = self.snapshot.facts(&subject);
            block = block
                .or_else(|| self.snapshot.review(self.bound, &subject, &facts, pass.is_shield()));
            if is_news {
                known.push(facts);
            }
        }
        if is_news {
            entry.note(self.snapshot.facts_tag(), known.into());
        }
        Ok(block)
    }

    pub(super) fn servfail(&self, ede: Ede, out: &mut [u8]) -> Step {
        let ede = Some(EdeText::bare(ede));
        let length = write(self.query, Rcode::SERVFAIL, Data::None, 0, ede, self.limit, out);
        reply(length, self.outcome(Rcode::SERVFAIL, AnswerSource::Error))
    }
}
