//! Syntaxes of lists, and the choice of scope.

use crate::rule::Action;

/// The longest line in octets; longer ones are rejected unread.
pub const MAX_LINE: usize = 4096;

/// The syntax of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Detected from the text.
    #[default]
    Auto,
    /// One name a line: the name and all below it.
    Domains,
    /// hosts(5): an address and the names it is given, each exactly.
    Hosts,
    /// The part of the Adblock syntax that AdGuard defines for DNS.
    Adblock,
    /// A dnsmasq configuration: `address=`, `local=`, `server=`.
    Dnsmasq,
    /// An Unbound configuration: `local-zone:`.
    Unbound,
    /// A response policy zone as a zone file.
    Rpz,
    /// Addresses and prefixes, matched in answers.
    Addresses,
}

impl Format {
    /// Every format, `auto` first.
    pub const ALL: [Self; 8] = [
        Self::Auto,
        Self::Domains,
        Self::Hosts,
        Self::Adblock,
        Self::Dnsmasq,
        Self::Unbound,
        Self::Rpz,
        Self::Addresses,
    ];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Domains => "domains",
            Self::Hosts => "hosts",
            Self::Adblock => "adblock",
            Self::Dnsmasq => "dnsmasq",
            Self::Unbound => "unbound",
            Self::Rpz => "rpz",
            Self::Addresses => "addresses",
        }
    }
}

/// The action of every trigger of a response policy zone, by the operator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZoneAction {
    /// As the zone says.
    #[default]
    Given,
    /// NXDOMAIN.
    NxDomain,
    /// NOERROR without an answer.
    NoData,
    /// No block, and no later zone of the category.
    Passthru,
    /// No answer.
    Drop,
    /// Truncated over UDP, resolved over TCP.
    TcpOnly,
    /// None: the zone is read and counted, and says nothing.
    Disabled,
}

impl ZoneAction {
    /// Every choice, default first.
    pub const ALL: [Self; 7] = [
        Self::Given,
        Self::NxDomain,
        Self::NoData,
        Self::Passthru,
        Self::Drop,
        Self::TcpOnly,
        Self::Disabled,
    ];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::NxDomain => "nxdomain",
            Self::NoData => "nodata",
            Self::Passthru => "passthru",
            Self::Drop => "drop",
            Self::TcpOnly => "tcp-only",
            Self::Disabled => "disabled",
        }
    }

    /// The action of a trigger that has `given`; none where it has no effect.
    pub fn apply(self, given: Action) -> Option<Action> {
        match self {
            Self::Given => Some(given),
            Self::NxDomain => Some(Action::NxDomain),
            Self::NoData => Some(Action::NoData),
            Self::Passthru => Some(Action::Passthru),
            Self::Drop => Some(Action::Drop),
            Self::TcpOnly => Some(Action::TcpOnly),
            Self::Disabled => None,
        }
    }
}

/// Scope of the names of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScopeChoice {
    /// The scope of the format: hosts(5) names exactly, domain lists with their subtree.
    #[default]
    AsFormat,
    /// Each listed name with its subtree, in any format.
    ///
    /// Exceptions and PASSTHRU retain their written scope: widening never clears a name.
    Subtree,
}

impl ScopeChoice {
    /// Every choice, default first.
    pub const ALL: [Self; 2] = [Self::AsFormat, Self::Subtree];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::AsFormat => "as-format",
            Self::Subtree => "subtree",
        }
    }
}
