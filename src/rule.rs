//! What a list says of a name: how far it reaches, what it does, how that is answered.

use crate::category::CategoryId;
use crate::dns::name::Name;

/// How much of the tree a rule speaks of.
///
/// List formats disagree about it, so every rule carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The name alone.
    Exact,
    /// The name and everything below it.
    Subtree,
    /// Everything below the name, not the name itself.
    Below,
}

impl Scope {
    /// Whether a rule of this scope at an ancestor speaks of a name; `is_self`
    /// says that the ancestor is the name itself.
    #[inline]
    pub fn covers(self, is_self: bool) -> bool {
        match self {
            Self::Exact => is_self,
            Self::Subtree => true,
            Self::Below => !is_self,
        }
    }
}

/// What a rule does to its category, at its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Lists the name.
    Add,
    /// Lists the name, and no plain exception frees it (`$important`).
    AddImportant,
    /// Frees the name (`@@||x^`).
    Clear,
    /// Frees the name even from important rules (`@@||x^$important`).
    ClearImportant,
    /// A trigger of a response policy zone: among those, the first zone with a
    /// match decides, and in it the longest name.
    Rpz,
}

/// How a listed name is answered, where its list says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// As the client's group is configured.
    Default,
    /// NXDOMAIN.
    NxDomain,
    /// NOERROR without an answer.
    NoData,
    /// REFUSED.
    Refused,
    /// Not at all: of response policy zones, this one has spoken.
    Passthru,
    /// Silence.
    Drop,
    /// By TCP as ever, by UDP truncated.
    TcpOnly,
    /// With this number of the source's local data.
    Local(u16),
}

/// What a list answers itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalData {
    /// The name to resolve instead; then there are no records.
    pub cname: Option<Name>,
    /// Records by type, as RDATA.
    pub records: Vec<(u16, Box<[u8]>)>,
}

/// The source of a rule where too many sources share a name to tell.
pub const SEVERAL_SOURCES: u16 = u16::MAX;

/// One list's word on one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// The category the source is of.
    pub category: CategoryId,
    /// How much of the tree it speaks of.
    pub scope: Scope,
    /// What it does.
    pub effect: Effect,
    /// How the name is answered.
    pub action: Action,
    /// The number of the source, or [`SEVERAL_SOURCES`]. Zones decide in its order.
    pub source: u16,
}
