//! Blocklist sources: text in a known syntax → rules.
//!
//! ```text
//! text ▶ detect ▶ one reader per syntax, line by line ▶ RuleSink ▶ Parsed ▶ verdict
//! ```
//!
//! A source is parsed whole before any of its rules acts. A bad line never
//! loses the good ones: it is counted by [`Reject`], the first three are kept as
//! examples, and past a budget [`Parsed::verdict`] refuses the whole source.
//! A line that DNS cannot honour is never widened into one it can: it is
//! counted, and that is all.
//!
//! Each syntax has its own file, with what its words mean here:
//!
//! | id | one line | the name means |
//! |---|---|---|
//! | `domains` | `x`, `*.x`, `.x` | x and all below |
//! | `hosts` | `0.0.0.0 x y` | x, y alone |
//! | `adblock` | `\|\|x^`, `@@\|\|x^`, `\|x^`, `x` | as each is written |
//! | `dnsmasq` | `local=/x/`, `address=/x/0.0.0.0` | x and all below |
//! | `unbound` | `local-zone: "x." always_null` | x and all below |
//! | `rpz` | `x CNAME .`, `*.x CNAME .` | x alone; all below x |
//! | `addresses` | `192.0.2.0/24` | addresses in answers |
//!
//! A single label (`com`, `localhost`) is a rule in a response policy zone only,
//! where whoever wrote the zone meant it; elsewhere it is far more often debris.

mod adblock;
mod addresses;
mod detect;
mod dnsmasq;
mod domains;
mod hosts;
mod line;
mod local;
mod parsed;
mod reject;
mod rpz;
mod sink;
mod unbound;
pub mod ut1;

pub use parsed::{AddressRule, ListRefusal, ListRule, Parsed};
pub use reject::{Example, Reject};

use line::Lines;
use sink::RuleSink;

/// Rules of a piece.
const PIECE: usize = 16_384;

/// The longest line that is looked at, in octets; longer ones are rejected unread.
pub const MAX_LINE: usize = 4096;

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
    /// The part of the Adblock syntax that AdGuard defines for DNS.
    Adblock,
    /// A dnsmasq configuration: `address=`, `local=`, `server=`.
    Dnsmasq,
    /// An Unbound configuration: `local-zone:`.
    Unbound,
    /// A response policy zone as a zone file.
    Rpz,
    /// Addresses and prefixes, looked for in answers.
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

/// What a source's names stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScopeChoice {
    /// As the format means it: hosts(5) names exactly, domain lists with all below.
    #[default]
    AsFormat,
    /// Each name that is listed and all below it, whatever the format.
    ///
    /// Exceptions and PASSTHRU keep the reach they were written with: widening
    /// never frees a name.
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

/// What reads the lines of one source.
enum Reader {
    Domains,
    Hosts,
    Adblock(adblock::AdblockReader),
    Dnsmasq,
    Unbound,
    Rpz(rpz::RpzReader),
    Addresses,
}

impl Reader {
    fn new(format: Format, text: &[u8]) -> Self {
        match format {
            Format::Domains | Format::Auto => Self::Domains,
            Format::Hosts => Self::Hosts,
            Format::Adblock => Self::Adblock(adblock::AdblockReader::new(text)),
            Format::Dnsmasq => Self::Dnsmasq,
            Format::Unbound => Self::Unbound,
            Format::Rpz => Self::Rpz(rpz::RpzReader::default()),
            Format::Addresses => Self::Addresses,
        }
    }

    fn line(&mut self, line: &str, rules: &mut RuleSink<'_>) {
        let trimmed = line.trim();
        match self {
            Self::Domains => domains::line(trimmed, rules),
            Self::Hosts => hosts::line(trimmed, rules),
            Self::Adblock(reader) => reader.line(trimmed, rules),
            Self::Dnsmasq => dnsmasq::line(trimmed, rules),
            Self::Unbound => unbound::line(trimmed, rules),
            // A blank in front has a meaning in zone files.
            Self::Rpz(reader) => reader.line(line, rules),
            Self::Addresses => addresses::line(trimmed, rules),
        }
    }

    /// Whether what a line says is settled once it is read.
    fn is_settled(&self) -> bool {
        !matches!(self, Self::Adblock(_) | Self::Rpz(_))
    }

    fn finish(self, rules: &mut RuleSink<'_>) {
        match self {
            Self::Adblock(reader) => reader.finish(rules),
            Self::Rpz(reader) => reader.finish(rules),
            Self::Domains | Self::Hosts | Self::Dnsmasq | Self::Unbound | Self::Addresses => {}
        }
    }
}

/// Parses a source.
///
/// Never fails: what cannot be taken is counted in the result, and whether the
/// whole is worth anything is for [`Parsed::verdict`] to say.
///
/// # Examples
///
/// ```
/// # use lachan::blocklist::{Format, ScopeChoice, parse};
/// let parsed = parse(b"||ads.example^\n||ads.example/path\n", Format::Auto, ScopeChoice::AsFormat);
/// assert_eq!((parsed.format, parsed.len(), parsed.rejected()), (Format::Adblock, 1, 1));
/// assert!(parsed.verdict().is_ok());
/// ```
pub fn parse(text: &[u8], format: Format, choice: ScopeChoice) -> Parsed {
    read(text, format, choice, text.len(), usize::MAX, &mut |_| {})
}

/// Parses a source and gives its rules away piece by piece, so that a long list is not
/// held twice.
///
/// `take` sees the rules of [`Parsed::rules`] and must not keep the piece; the rules of
/// the last piece are in the result as well. Where the meaning of a line depends on
/// later ones there is one piece only. Whether the whole is worth anything is known
/// at the end: a caller whom [`Parsed::verdict`] tells that it is not gives back what it
/// took.
pub fn parse_pieces(
    text: &[u8],
    format: Format,
    choice: ScopeChoice,
    take: &mut dyn FnMut(&Parsed),
) -> Parsed {
    let parsed = read(text, format, choice, 0, PIECE, take);
    take(&parsed);
    parsed
}

fn read(
    text: &[u8],
    format: Format,
    choice: ScopeChoice,
    room: usize,
    piece: usize,
    take: &mut dyn FnMut(&Parsed),
) -> Parsed {
    let mut parsed = Parsed::default();
    if let Some(refusal) = detect::not_a_list(text) {
        parsed.refusal = Some(refusal);
        return parsed;
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    parsed.format = if format == Format::Auto { detect::format(text) } else { format };
    parsed.reserve(room);
    let mut reader = Reader::new(parsed.format, text);
    let mut rules = RuleSink::new(&mut parsed, choice);
    for line in Lines(text) {
        rules.next_line();
        if line.len() > MAX_LINE {
            let start = String::from_utf8_lossy(line.get(..80).unwrap_or(line)).into_owned();
            rules.reject(&start, Reject::LineTooLong);
            continue;
        }
        match std::str::from_utf8(line) {
            Ok(line) if !line.contains('\0') => reader.line(line, &mut rules),
            _ => rules.reject(&String::from_utf8_lossy(line), Reject::NotText),
        }
        let parsed = rules.parsed();
        if parsed.held() >= piece && reader.is_settled() {
            take(parsed);
            parsed.forget();
        }
    }
    reader.finish(&mut rules);
    rules.finish();
    parsed
}

#[cfg(test)]
mod tests;
