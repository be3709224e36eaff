//! Reasons to reject a line, and whether they count against its source.

use crate::dns::name::NameError;
use crate::lang::{Message, messages};
use crate::pattern::PatternError;

/// The reason to reject a line, or a name on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reject {
    /// Not UTF-8, or a NUL in it.
    NotText,
    /// Longer than [`MAX_LINE`](super::format::MAX_LINE).
    LineTooLong,
    /// Not the syntax of this format.
    Syntax,
    /// A character, label or length that is invalid in a name.
    BadName,
    /// Text outside ASCII that has no A-label form.
    Idna,
    /// An owner outside the zone of its file.
    OutOfZone,
    /// More local data than a name, or different data than a source, may have.
    TooMuchData,
    /// An address in place of a name.
    Address,
    /// One label only: a top-level domain or a bare host.
    SingleLabel,
    /// A rule for a path, a port or a URL.
    PathRule,
    /// A rule for the content of a page.
    Cosmetic,
    /// A modifier that depends on the page or the client.
    Modifier,
    /// A regular expression that is none, or one about URLs.
    Regex,
    /// A regular expression with look-around or a back-reference.
    RegexUnbounded,
    /// A pattern with too large an automaton, or beyond what one text may have.
    TooLarge,
    /// A pattern of all names, or nearly all, that nothing narrows.
    TooWide,
    /// A wildcard that is not a whole first label.
    Wildcard,
    /// A pattern that no host name matches.
    Prefix,
    /// Switched off by a `$badfilter` rule of the same list.
    Disabled,
    /// A trigger of a response policy zone on the client's address.
    ClientIp,
    /// A trigger of a response policy zone on the address of a name server.
    ServerIp,
    /// A trigger of a response policy zone on the name of a name server.
    ServerName,
    /// Another statement of the format that a filter cannot honour.
    Unsupported,
}

impl Reject {
    /// Every reason; those that count against a source first.
    pub const ALL: [Self; 23] = [
        Self::NotText,
        Self::LineTooLong,
        Self::Syntax,
        Self::BadName,
        Self::Idna,
        Self::OutOfZone,
        Self::TooMuchData,
        Self::Address,
        Self::SingleLabel,
        Self::PathRule,
        Self::Cosmetic,
        Self::Modifier,
        Self::Regex,
        Self::RegexUnbounded,
        Self::TooLarge,
        Self::TooWide,
        Self::Wildcard,
        Self::Prefix,
        Self::Disabled,
        Self::ClientIp,
        Self::ServerIp,
        Self::ServerName,
        Self::Unsupported,
    ];

    /// The id used in metrics and reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::NotText => "not-text",
            Self::LineTooLong => "line-too-long",
            Self::Syntax => "syntax",
            Self::BadName => "bad-name",
            Self::Idna => "idna",
            Self::OutOfZone => "out-of-zone",
            Self::TooMuchData => "too-much-data",
            Self::Address => "address",
            Self::SingleLabel => "single-label",
            Self::PathRule => "path",
            Self::Cosmetic => "cosmetic",
            Self::Modifier => "modifier",
            Self::Regex => "regex",
            Self::RegexUnbounded => "regex-unbounded",
            Self::TooLarge => "too-large",
            Self::TooWide => "too-wide",
            Self::Wildcard => "wildcard",
            Self::Prefix => "prefix",
            Self::Disabled => "disabled",
            Self::ClientIp => "rpz-client-ip",
            Self::ServerIp => "rpz-nsip",
            Self::ServerName => "rpz-nsdname",
            Self::Unsupported => "unsupported",
        }
    }

    /// The fault of the line, for display.
    pub fn message(self) -> Message {
        match self {
            Self::NotText => messages::line_not_text(),
            Self::LineTooLong => messages::line_too_long(),
            Self::Syntax => messages::line_syntax(),
            Self::BadName => messages::line_bad_name(),
            Self::Idna => messages::line_idna(),
            Self::OutOfZone => messages::line_out_of_zone(),
            Self::TooMuchData => messages::line_too_much_data(),
            Self::Address => messages::line_address(),
            Self::SingleLabel => messages::line_single_label(),
            Self::PathRule => messages::line_path_rule(),
            Self::Cosmetic => messages::line_cosmetic(),
            Self::Modifier => messages::line_modifier(),
            Self::Regex => messages::line_regex(),
            Self::RegexUnbounded => messages::line_regex_unbounded(),
            Self::TooLarge => messages::line_too_large(),
            Self::TooWide => messages::line_too_wide(),
            Self::Wildcard => messages::line_wildcard(),
            Self::Prefix => messages::line_prefix(),
            Self::Disabled => messages::line_disabled(),
            Self::ClientIp => messages::line_client_ip(),
            Self::ServerIp => messages::line_server_ip(),
            Self::ServerName => messages::line_server_name(),
            Self::Unsupported => messages::line_unsupported(),
        }
    }

    /// Whether many such lines prove that the source is not of its format.
    ///
    /// Lines that good lists have by design are counted, and never count against the source.
    pub fn counts_against_source(self) -> bool {
        match self {
            Self::NotText
            | Self::LineTooLong
            | Self::Syntax
            | Self::BadName
            | Self::Idna
            | Self::OutOfZone
            | Self::TooMuchData => true,
            Self::Address
            | Self::SingleLabel
            | Self::PathRule
            | Self::Cosmetic
            | Self::Modifier
            | Self::Regex
            | Self::RegexUnbounded
            | Self::TooLarge
            | Self::TooWide
            | Self::Wildcard
            | Self::Prefix
            | Self::Disabled
            | Self::ClientIp
            | Self::ServerIp
            | Self::ServerName
            | Self::Unsupported => false,
        }
    }
}

impl From<PatternError> for Reject {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::Syntax => Self::Regex,
            PatternError::Unbounded => Self::RegexUnbounded,
            PatternError::TooLarge => Self::TooLarge,
            PatternError::NoHost => Self::Prefix,
        }
    }
}

impl From<NameError> for Reject {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Idna => Self::Idna,
            _ => Self::BadName,
        }
    }
}

/// A rejected line for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Line number, from 1.
    pub line: u32,
    /// The start of the line.
    pub text: String,
    /// The reason.
    pub reject: Reject,
}
