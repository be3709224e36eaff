//! What became of a query: all that is ever counted of it.

use crate::category::{CategoryId, CategorySet};
use crate::dns::message::Rcode;
use crate::policy::tables::rewrite::EngineId;
use crate::policy::{CanaryKind, GroupCounters};
use crate::resolve::labels::label_set;

label_set! {
    /// Where an answer came from: the `source` label.
    AnswerSource {
        /// The answer cache.
        Cache => "cache",
        /// The answer cache, past its time: upstream had nothing newer.
        Stale => "stale",
        /// An upstream server, now.
        Upstream => "upstream",
        /// This program: special-use names, canaries, ANY.
        Local => "local",
        /// Policy.
        Blocked => "blocked",
        /// The client may not ask this.
        Refused => "refused",
        /// The client asks too much: by TCP it may go on.
        Limited => "ratelimited",
        /// The query or upstream was at fault.
        Error => "error",
    }
}

label_set! {
    /// What a block was decided on.
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
        /// A category has no list, and is closed without one.
        FailMode => "fail-mode",
    }
}

/// What happened to a query: all that is ever counted of it.
///
/// No name and no address: what is not here cannot leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The response code.
    pub rcode: Rcode,
    /// Where the answer came from.
    pub source: AnswerSource,
    /// The counters of the client's group, where it got that far.
    pub group: Option<GroupCounters>,
    /// Category and reason of a block.
    pub blocked: Option<(Option<CategoryId>, BlockedBy)>,
    /// Categories that were let through and are counted.
    pub observed: CategorySet,
    /// The canary that was asked for.
    pub canary: Option<CanaryKind>,
    /// The search engine whose safe name was answered with.
    pub safe: Option<EngineId>,
}

impl Outcome {
    pub(super) const fn plain(rcode: Rcode, source: AnswerSource) -> Self {
        let observed = CategorySet::EMPTY;
        Self { rcode, source, group: None, blocked: None, observed, canary: None, safe: None }
    }
}

label_set! {
    /// Why nothing is sent.
    DropReason {
        /// Too short for a header, or a response.
        NotAQuery => "not_a_query",
        /// The buffer for the reply is too small.
        NoRoom => "no_room",
        /// The client asks far too much.
        OverBudget => "over_budget",
    }
}
