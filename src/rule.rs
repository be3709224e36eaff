//! Rules of lists: scope, effect and action of a name; and what a rule is about where that is more
//! than a name.

use std::fmt::{self, Write as _};

use crate::category::CategoryId;
use crate::dns::name::{Folded, Name, write_presentation};
use crate::dns::rtype;

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

/// Sources that have a bit of their own in a set of sources; the last bit is that of all others.
const OWN_BITS: u16 = 31;

/// The bit of all sources without one of their own.
pub const OTHER_SOURCES: u32 = 1 << OWN_BITS;

/// The bit of a source in a set of sources.
#[inline]
pub fn source_bit(source: u16) -> u32 {
    1 << source.min(OWN_BITS)
}

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

/// What a rule is about where that is more than a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// The names.
    pub subject: Subject,
    /// The types of query.
    pub types: QueryTypes,
    /// Names that it spares with all below them (`$denyallow`), in wire form and in order.
    pub spared: Box<[Box<[u8]>]>,
}

/// The names that a rule with a [`Target`] is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A wire name, within the scope of the rule.
    Name(Box<[u8]>),
    /// Those that match a [pattern](crate::pattern::HostPattern).
    Pattern(Box<str>),
    /// Every name.
    All,
}

/// The types of query that a rule is about (`$dnstype`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueryTypes {
    /// Every type.
    All,
    /// These, in order.
    Only(Box<[u16]>),
    /// All but these, in order.
    Except(Box<[u16]>),
}

impl QueryTypes {
    /// Whether a query of this type is among them.
    #[inline]
    pub fn has(&self, qtype: u16) -> bool {
        match self {
            Self::All => true,
            Self::Only(types) => types.contains(&qtype),
            Self::Except(types) => !types.contains(&qtype),
        }
    }
}

impl Target {
    /// Whether it spares `name`.
    #[inline]
    pub fn spares(&self, name: &Folded) -> bool {
        is_at_or_below_any(name, &self.spared)
    }

    /// Its text, as lists have it: `*.x$dnstype=AAAA`, `/re/$denyallow=a.x`.
    pub fn text(&self, scope: Scope) -> String {
        let mut text = match (&self.subject, scope) {
            (Subject::Name(wire), Scope::Exact) => format!("={}", shown(wire)),
            (Subject::Name(wire), Scope::Subtree) => shown(wire),
            (Subject::Name(wire), Scope::Below) => format!("*.{}", shown(wire)),
            (Subject::Pattern(text), _) => text.to_string(),
            (Subject::All, _) => "*".to_owned(),
        };
        let mut sign = '$';
        if self.types != QueryTypes::All {
            let _ = write!(text, "{sign}dnstype={}", self.types);
            sign = ',';
        }
        if !self.spared.is_empty() {
            let names: Vec<String> = self.spared.iter().map(|name| shown(name)).collect();
            let _ = write!(text, "{sign}denyallow={}", names.join("|"));
        }
        text
    }
}

/// Whether a name is one of these, in wire form and in order, or below one.
#[inline]
pub(crate) fn is_at_or_below_any(name: &Folded, names: &[Box<[u8]>]) -> bool {
    let is_one = |index| names.binary_search_by(|one| (**one).cmp(name.suffix(index))).is_ok();
    !names.is_empty() && (0..name.label_count()).any(is_one)
}

impl fmt::Display for QueryTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (types, sign) = match self {
            Self::All => return Ok(()),
            Self::Only(types) => (types, ""),
            Self::Except(types) => (types, "~"),
        };
        let names: Vec<String> =
            types.iter().map(|one| format!("{sign}{}", rtype::name_of(*one))).collect();
        f.write_str(&names.join("|"))
    }
}

/// A wire name in presentation form, without the final dot.
fn shown(wire: &[u8]) -> String {
    let mut text = String::new();
    let _ = write_presentation(wire, &mut text);
    text.trim_end_matches('.').to_owned()
}
