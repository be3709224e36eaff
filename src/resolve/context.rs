//! The context of one query: verdicts and answers → replies.

use std::sync::Arc;

use crate::cache::Entry;
use crate::dns::message::answer::Form;
use crate::dns::message::query::Query;
use crate::dns::message::reply::{Data, EdeText, write, write_truncated};
use crate::dns::message::{Ede, Malformed, Rcode};
use crate::dns::rtype;
use crate::policy::tables::special::Special;
use crate::policy::{
    ActiveRules, AnswerMode, Block, CanaryKind, GroupId, HashedName, Layer, Pass, Snapshot,
};
use crate::resolve::rewrite::Rewrite;
use crate::resolve::{AnswerSource, BlockedBy, Done, Now, Origin, Outcome, Transport};
use crate::rule::{Action, LocalData};

/// TTL of special-use answers, in seconds: they never change.
const SPECIAL_TTL: u32 = 3600;

/// TTL of the gateway's own names and of its encrypted listeners, in seconds: a reload or another
/// certificate may move them.
const OWN_TTL: u32 = 60;

/// TTL of blocks by a category without its list, in seconds.
const FAIL_CLOSED_TTL: u32 = 10;

/// The part of question or answer that policy blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockedAt {
    /// The question's name.
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
            (_, Layer::UpstreamBlock) => BlockedBy::Upstream,
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

/// One query with all that it is judged and answered by.
pub(super) struct QueryContext<'a> {
    pub(super) query: Query<'a>,
    /// The name of the question.
    pub(super) name: &'a HashedName<'a>,
    pub(super) origin: &'a Origin,
    pub(super) snapshot: &'a Arc<Snapshot>,
    pub(super) group: GroupId,
    /// The instant until which its claims lead the device to that group, in civil seconds.
    pub(super) placed_until: u64,
    /// The group's rules at `now`.
    pub(super) active: ActiveRules<'a>,
    pub(super) now: Now,
    /// The reason to answer with another name's answer.
    pub(super) rewrite: Option<Rewrite>,
    /// The longest reply, in octets.
    pub(super) limit: usize,
}

impl QueryContext<'_> {
    #[inline]
    pub(super) fn outcome(&self, rcode: Rcode, source: AnswerSource) -> Outcome {
        Outcome { group: Some(self.active.group.counters), ..Outcome::plain(rcode, source) }
    }

    pub(super) fn special(&self, special: Special, out: &mut [u8]) -> Done {
        let (rcode, data, ttl) = match special {
            Special::NxDomain => (Rcode::NXDOMAIN, Data::Negative, SPECIAL_TTL),
            Special::NoData => (Rcode::NOERROR, Data::Negative, SPECIAL_TTL),
            Special::Portal => {
                let length = self.with_portal(|data| {
                    write(&self.query, Rcode::NOERROR, data, OWN_TTL, None, self.limit, out)
                });
                return Done::reply(length, self.outcome(Rcode::NOERROR, AnswerSource::Local));
            }
            Special::Designated | Special::DesignatedOf | Special::Gateway => {
                let length = self.with_designated(special, |data| {
                    write(&self.query, Rcode::NOERROR, data, OWN_TTL, None, self.limit, out)
                });
                return Done::reply(length, self.outcome(Rcode::NOERROR, AnswerSource::Local));
            }
            Special::Addresses(each) => (Rcode::NOERROR, Data::Records(each), SPECIAL_TTL),
        };
        let length = write(&self.query, rcode, data, ttl, None, self.limit, out);
        Done::reply(length, self.outcome(rcode, AnswerSource::Local))
    }

    /// Hands the portal's records of the type asked for to `write`.
    #[inline]
    fn with_portal<T>(&self, write: impl FnOnce(Data<'_>) -> T) -> T {
        let Some(portal) = self.snapshot.portal() else { return write(Data::Negative) };
        portal.with_records(self.query.qtype, |records| {
            write(if records.is_empty() { Data::Negative } else { Data::Records(records) })
        })
    }

    /// Hands the records of the gateway's own names, or of its encrypted listeners, to `write`.
    fn with_designated<T>(&self, special: Special, write: impl FnOnce(Data<'_>) -> T) -> T {
        let Some(table) = self.snapshot.designated() else { return write(Data::Negative) };
        let asked = (self.name.name.as_wire(), self.query.qtype);
        table.with_records(special, asked, self.origin.local.ip(), |records| {
            write(if records.is_empty() { Data::Negative } else { Data::Records(records) })
        })
    }

    pub(super) fn canary(&self, kind: CanaryKind, out: &mut [u8]) -> Done {
        let (rcode, ttl) = (Rcode::NXDOMAIN, self.snapshot.block_ttl());
        let ede = Some(EdeText { code: Ede::BLOCKED, text: b"canary" });
        let length = write(&self.query, rcode, Data::Negative, ttl, ede, self.limit, out);
        Done::reply(
            length,
            Outcome { canary: Some(kind), ..self.outcome(rcode, AnswerSource::Local) },
        )
    }

    /// The reply to a blocked query, in the form its list or group asks for.
    #[inline]
    pub(super) fn blocked(&self, block: Block, found: BlockedAt, out: &mut [u8]) -> Done {
        let by = found.by(block.layer);
        let outcome = |rcode| Outcome {
            blocked: Some((block.category, by)),
            lists: self.snapshot.matched(&block),
            ..self.outcome(rcode, AnswerSource::Blocked)
        };
        let mode = match block.action {
            Action::Drop => return Done::Silence(outcome(Rcode::NOERROR)),
            Action::TcpOnly if self.origin.transport == Transport::Udp => {
                return Done::reply(write_truncated(&self.query, out), outcome(Rcode::NOERROR));
            }
            Action::NxDomain => AnswerMode::NxDomain,
            Action::NoData => AnswerMode::NoData,
            Action::Refused => AnswerMode::Refused,
            Action::Local(number) => {
                return self.local(self.snapshot.local(number), block, outcome, out);
            }
            Action::Default | Action::Passthru | Action::PassthruAll | Action::TcpOnly => {
                self.active.group.answer
            }
        };
        let mode = match (block.layer, mode) {
            // The address of one type is at fault: the name may well have others. And no zero
            // address, which leads to this host.
            (
                Layer::Rebinding | Layer::UpstreamBlock,
                AnswerMode::NxDomain | AnswerMode::Zero | AnswerMode::Portal,
            ) => AnswerMode::NoData,
            // The portal judges names, and would find nothing against this one.
            (_, AnswerMode::Portal) if found != BlockedAt::Question => AnswerMode::NoData,
            (_, mode) => mode,
        };
        let (code, ttl) = match block.layer {
            // The list may return soon.
            Layer::FailClosed => {
                (Ede::NOT_READY, FAIL_CLOSED_TTL.min(self.block_ttl(block, found)))
            }
            _ if self.snapshot.is_legal_request(block.category) => {
                (Ede::CENSORED, self.block_ttl(block, found))
            }
            _ => (Ede::BLOCKED, self.block_ttl(block, found)),
        };
        let ede = EdeText {
            code,
            text: match block.layer {
                Layer::Rebinding => b"rebinding",
                Layer::UpstreamBlock => b"upstream",
                _ => self.snapshot.text(block.category),
            },
        };
        let mut reply = |rcode, data: Data<'_>| {
            let length = write(&self.query, rcode, data, ttl, Some(ede), self.limit, out);
            Done::reply(length, outcome(rcode))
        };
        match (mode, self.query.qtype) {
            (AnswerMode::NxDomain, _) => reply(Rcode::NXDOMAIN, Data::Negative),
            (AnswerMode::Refused, _) => reply(Rcode::REFUSED, Data::None),
            (AnswerMode::Zero, rtype::A) => reply(Rcode::NOERROR, Data::Records(&[&[0; 4]])),
            (AnswerMode::Zero, rtype::AAAA) => reply(Rcode::NOERROR, Data::Records(&[&[0; 16]])),
            (AnswerMode::Portal, _) => self.with_portal(|data| reply(Rcode::NOERROR, data)),
            (AnswerMode::NoData | AnswerMode::Zero, _) => reply(Rcode::NOERROR, Data::Negative),
        }
    }

    /// The reply with the records that a list gives for its name.
    fn local(
        &self,
        data: Option<&LocalData>,
        block: Block,
        outcome: impl Fn(Rcode) -> Outcome,
        out: &mut [u8],
    ) -> Done {
        let alias = self.snapshot.rewrite_of(&block, self.name.name);
        let alias = alias.filter(|_| self.query.qtype == rtype::CNAME);
        let records: Vec<&[u8]> = data
            .filter(|_| alias.is_none())
            .into_iter()
            .flat_map(|data| &data.records)
            .filter(|(rtype, _)| *rtype == self.query.qtype)
            .map(|(_, rdata)| rdata.as_ref())
            .chain(alias.iter().map(|target| target.as_wire()))
            .collect();
        let data = if records.is_empty() { Data::Negative } else { Data::Records(&records) };
        let ede = EdeText { code: Ede::FORGED, text: self.snapshot.text(block.category) };
        let (rcode, ttl) = (Rcode::NOERROR, self.block_ttl(block, BlockedAt::Question));
        let length = write(&self.query, rcode, data, ttl, Some(ede), self.limit, out);
        Done::reply(length, outcome(rcode))
    }

    /// The reply with a stored answer, if policy lets all of it through.
    #[inline]
    pub(super) fn answer(
        &self,
        entry: &Entry,
        form: Form,
        pass: Pass,
        source: AnswerSource,
        out: &mut [u8],
    ) -> Done {
        self.answer_until(entry, form, pass, source, out).0
    }

    /// The same, and the instant, in civil seconds, from which policy would answer otherwise.
    #[inline]
    pub(super) fn answer_until(
        &self,
        entry: &Entry,
        form: Form,
        pass: Pass,
        source: AnswerSource,
        out: &mut [u8],
    ) -> (Done, u64) {
        match self.review(entry, pass) {
            Ok(None) => {}
            Ok(Some((block, found))) => {
                return (self.blocked(block, found, out).uncounted_if(pass), self.now.civil);
            }
            Err(Malformed) => return (self.servfail(Ede::INVALID_DATA, out), self.now.civil),
        }
        let until = self.horizon(entry, form, pass);
        let form = form.until(until, self.now.civil);
        let length = entry.answer.write(&self.query, form, self.limit, out);
        let outcome = match self.rewrite {
            None | Some(Rewrite::Own) => self.outcome(entry.answer.rcode(), source),
            Some(Rewrite::List(block)) => Outcome {
                blocked: Some((block.category, BlockedBy::List)),
                lists: self.snapshot.matched(&block),
                ..self.outcome(entry.answer.rcode(), AnswerSource::Blocked)
            },
            Some(Rewrite::Safe(engine)) => {
                Outcome { safe: Some(engine), ..self.outcome(entry.answer.rcode(), source) }
            }
        };
        let outcome = Outcome { observed: pass.observed, ..outcome };
        (Done::reply(length, outcome).uncounted_if(pass), until)
    }

    pub(super) fn servfail(&self, ede: Ede, out: &mut [u8]) -> Done {
        let ede = Some(EdeText::bare(ede));
        let length = write(&self.query, Rcode::SERVFAIL, Data::None, 0, ede, self.limit, out);
        Done::reply(length, self.outcome(Rcode::SERVFAIL, AnswerSource::Error))
    }
}
