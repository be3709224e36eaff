//! Rules of lists: scope, effect and action of a name.

use crate::category::CategoryId;
use crate::dns::name::Name;

/// Scope: the part of the tree that a rule covers.
///
/// List formats differ in it, so every rule has its own.
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
    /// Whether a rule of this scope at an ancestor covers a name; `is_self` where the ancestor is
    /// the name itself.
    #[inline]
    pub fn covers(self, is_self: bool) -> bool {
        match self {
            Self::Exact => is_self,
            Self::Subtree => true,
            Self::Below => !is_self,
        }
    }
}

/// Effect: the change of a rule to its category, at its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Lists the name.
    Add,
    /// Lists the name; no plain exception clears it (`$important`).
    AddImportant,
    /// Clears the name: an exception (`@@||x^`).
    Clear,
    /// Clears the name even of important rules (`@@||x^$important`).
    ClearImportant,
    /// A trigger of a response policy zone: the first zone with a match decides, and in it the
    /// longest name.
    Rpz,
}

/// Action: the answer to a listed name, where its list sets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The answer of the client's group.
    Default,
    /// NXDOMAIN.
    NxDomain,
    /// NOERROR without an answer.
    NoData,
    /// REFUSED.
    Refused,
    /// No block, and no later response policy zone of the same category applies (PASSTHRU).
    Passthru,
    /// The same of a trusted source: no later zone of any category applies, locked ones apart.
    PassthruAll,
    /// No answer.
    Drop,
    /// Truncated over UDP, resolved over TCP (TCP-only).
    TcpOnly,
    /// The local data with this number.
    Local(u16),
}

impl Action {
    /// Whether it is a pass, and no block.
    #[inline]
    pub fn is_pass(self) -> bool {
        matches!(self, Self::Passthru | Self::PassthruAll)
    }
}

/// Local data of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalData {
    /// The name to resolve instead; excludes records. `*.x` stands for the name asked for below x.
    pub cname: Option<Name>,
    /// Records by type, as RDATA.
    pub records: Vec<(u16, Box<[u8]>)>,
}

/// The source of a rule where the combinations of sources are too many to record.
pub const SEVERAL_SOURCES: u16 = u16::MAX;

/// The name, in wire form, of a zone's rule for every name (`*` at its root).
pub const EVERY_NAME: &[u8] = b"\x01*\x00";

/// One rule of one source, without its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// The category of the source.
    pub category: CategoryId,
    /// The part of the tree that it covers.
    pub scope: Scope,
    /// Its effect.
    pub effect: Effect,
    /// The answer to the name.
    pub action: Action,
    /// The number of the source, or [`SEVERAL_SOURCES`]. Response policy zones decide in this
    /// order.
    pub source: u16,
}
