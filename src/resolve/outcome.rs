//! The end of a query: what is sent, and all that is ever counted of it.

use crate::category::{CategoryId, CategorySet};
use crate::dns::message::Rcode;
use crate::policy::tables::rewrite::EngineId;
use crate::policy::{CanaryKind, GroupCounters, Layer, Pass};
use crate::resolve::labels::label_set;

label_set! {
    /// The origin of an answer: the `source` label.
    AnswerSource {
        /// The answer cache.
        Cache => "cache",
        /// The answer cache, past its TTL: upstream gave nothing newer.
        Stale => "stale",
        /// An upstream server, now.
        Upstream => "upstream",
        /// This program: special-use names, canaries, ANY.
        Local => "local",
        /// Policy.
        Blocked => "blocked",
        /// A refusal: the client may not send this query.
        Refused => "refused",
        /// The rate limit: the client is to retry over TCP.
        Limited => "ratelimited",
        /// The query or upstream was at fault.
        Error => "error",
    }
}

label_set! {
    /// The reason of a block: the `reason` label.
    BlockedBy {
        /// The question's name is listed.
        List => "list",
        /// The school denies the question's name.
        School => "school",
        /// The department denies it.
        Department => "department",
        /// Only names that are allowed are let through, and the question's is not.
        AllowList => "allow_list",
        /// A keyword rule hits the question's name.
        Keyword => "keyword",
        /// The answer points to a name that is blocked.
        Review => "review",
        /// The answer holds a listed address.
        Address => "address",
        /// The answer holds an address from inside.
        Rebinding => "rebinding",
        /// The answer holds an address of no host: upstream blocks the name.
        Upstream => "upstream",
        /// A category has no list, and is closed without one.
        FailMode => "fail-mode",
    }
}

/// The outcome of a query: all that is ever counted of it.
///
/// It has no name and no address: what is not here cannot leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The response code.
    pub rcode: Rcode,
    /// The origin of the answer.
    pub source: AnswerSource,
    /// The counters of the client's group, once it is known.
    pub group: Option<GroupCounters>,
    /// Category and reason of a block.
    pub blocked: Option<(Option<CategoryId>, BlockedBy)>,
    /// The lists that name what is blocked, by their places in the policy in force; one bit each.
    pub lists: u32,
    /// Categories that were let through and are counted.
    pub observed: CategorySet,
    /// The canary name of the question.
    pub canary: Option<CanaryKind>,
    /// The search engine whose safe name is in the answer.
    pub safe: Option<EngineId>,
}

impl Outcome {
    pub(super) const fn plain(rcode: Rcode, source: AnswerSource) -> Self {
        let observed = CategorySet::EMPTY;
        let (group, blocked, lists, canary, safe) = (None, None, 0, None, None);
        Self { rcode, source, group, blocked, lists, observed, canary, safe }
    }
}

label_set! {
    /// Why a query is dropped: nothing is sent, and no outcome counted.
    DropReason {
        /// Too short for a header, or a response.
        NotAQuery => "not_a_query",
        /// The buffer for the reply is too small.
        NoRoom => "no_room",
        /// The client is far over its rate limit.
        OverBudget => "over_budget",
    }
}

/// The end of a query.
#[derive(Debug)]
pub enum Done {
    /// Send this many octets of the reply's memory.
    Reply(usize, Outcome),
    /// Send nothing, and count the block: a list wants its names answered by silence.
    Silence(Outcome),
    /// Send nothing.
    Drop(DropReason),
}

impl Done {
    /// A reply of a length, if there was room for one.
    #[inline]
    pub(super) fn reply(length: Option<usize>, outcome: Outcome) -> Self {
        length.map_or(Self::Drop(DropReason::NoRoom), |length| Self::Reply(length, outcome))
    }

    /// The outcome of a block that is counted.
    #[inline]
    pub fn blocked(&self) -> Option<&Outcome> {
        match self {
            Self::Reply(_, outcome) | Self::Silence(outcome) => {
                outcome.blocked.is_some().then_some(outcome)
            }
            Self::Drop(_) => None,
        }
    }

    /// The same, counted without group and category where the name is a source of help for
    /// children: such a query is counted nowhere below the total.
    #[inline]
    pub(super) fn uncounted_if(mut self, pass: Pass) -> Self {
        if let (Layer::Help, Self::Reply(_, outcome) | Self::Silence(outcome)) =
            (pass.layer, &mut self)
        {
            *outcome = Outcome::plain(outcome.rcode, outcome.source);
        }
        self
    }
}
