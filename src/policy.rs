//! Policy: who may look up what.

pub mod client;

use ipnet::IpNet;

use crate::category::CategorySet;
use crate::name::Name;

/// How a blocked name is answered. All query types get the same mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerMode {
    /// NXDOMAIN with SOA.
    #[default]
    NxDomain,
    /// NOERROR without an answer, with SOA.
    NoData,
    /// A 0.0.0.0, AAAA ::, NODATA for every other type.
    Zero,
    /// REFUSED.
    Refused,
}

impl AnswerMode {
    /// Every mode, default first.
    pub const ALL: [Self; 4] = [Self::NxDomain, Self::NoData, Self::Zero, Self::Refused];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::NxDomain => "nxdomain",
            Self::NoData => "nodata",
            Self::Zero => "zero",
            Self::Refused => "refused",
        }
    }
}

/// What the config says of one group of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRules {
    /// The name in config, metrics and traces.
    pub name: String,
    /// The prefixes whose clients are in it (longest prefix over all groups wins).
    pub clients: Vec<IpNet>,
    /// Categories that are answered as blocked.
    pub block: CategorySet,
    /// Categories that are counted and let through.
    pub observe: CategorySet,
    /// Categories of `block` that nothing at the school can loosen.
    pub locked: CategorySet,
    /// Names allowed by the school: each name and all below it.
    pub allow: Vec<Name>,
    /// Names denied by the school: each name and all below it.
    pub deny: Vec<Name>,
    /// How a blocked name is answered.
    pub answer: AnswerMode,
}
