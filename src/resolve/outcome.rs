//! What became of a query: all that is ever counted of it.

use crate::category::{CategoryId, CategorySet};
use crate::dns::message::Rcode;
use crate::policy::tables::rewrite::EngineId;
use crate::policy::{CanaryKind, GroupCounters};

/// Where an answer came from: the `source` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerSource {
    /// The answer cache.
    Cache,
    /// The answer cache, past its time: upstream had nothing newer.
    Stale,
    /// An upstream server, now.
    Upstream,
    /// This program: special-use names, canaries, ANY.
    Local,
    /// Policy.
    Blocked,
    /// The client may not ask this.
    Refused,
    /// The client asks too much: by TCP it may go on.
    Limited,
    /// The query or upstream was at fault.
    Error,
}

impl AnswerSource {
    /// Every source.
    pub const ALL: [Self; 8] = [
        Self::Cache,
        Self::Stale,
        Self::Upstream,
        Self::Local,
        Self::Blocked,
        Self::Refused,
        Self::Limited,
        Self::Error,
    ];

    /// The id used in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Stale => "stale",
            Self::Upstream => "upstream",
            Self::Local => "local",
            Self::Blocked => "blocked",
            Self::Refused => "refused",
            Self::Limited => "ratelimited",
            Self::Error => "error",
        }
    }
}

/// What a block was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockedBy {
    /// The question's name is listed.
    List,
    /// The school denies the question's name.
    School,
    /// The department denies it.
    Department,
    /// Only names that are allowed are let through, and the question's is not.
    AllowList,
    /// A keyword rule hits the question's name.
    Keyword,
    /// The answer points to a name that is blocked.
    Review,
    /// The answer holds a listed address.
    Address,
    /// The answer holds an address from inside.
    Rebinding,
    /// A category has no list, and is closed without one.
    FailMode,
}

impl BlockedBy {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::List,
        Self::School,
        Self::Department,
        Self::AllowList,
        Self::Keyword,
        Self::Review,
        Self::Address,
        Self::Rebinding,
        Self::FailMode,
    ];

    /// The id used in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::School => "school",
            Self::Department => "department",
            Self::AllowList => "allow_list",
            Self::Keyword => "keyword",
            Self::Review => "review",
            Self::Address => "address",
            Self::Rebinding => "rebinding",
            Self::FailMode => "fail-mode",
        }
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

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Too short for a header, or a response.
    NotAQuery,
    /// The buffer for the reply is too small.
    NoRoom,
    /// The client asks far too much.
    OverBudget,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NotAQuery, Self::NoRoom, Self::OverBudget];

    /// The id used in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::NotAQuery => "not_a_query",
            Self::NoRoom => "no_room",
            Self::OverBudget => "over_budget",
        }
    }
}
