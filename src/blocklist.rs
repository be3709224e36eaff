//! Blocklist sources: text in a known syntax → rules.

/// The syntax of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Found out from the text.
    #[default]
    Auto,
    /// One name a line: the name and all below it.
    Domains,
    /// hosts(5): an address and the names it is given, each exactly.
    Hosts,
}

impl Format {
    /// Every format, `auto` first.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Domains, Self::Hosts];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Domains => "domains",
            Self::Hosts => "hosts",
        }
    }
}

/// What a source's names stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScopeChoice {
    /// As the format means it: hosts(5) names exactly, domain lists with all below.
    #[default]
    AsFormat,
    /// Each name and all below it, whatever the format.
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
