//! Parsing of one source, line by line, by the reader of its syntax.

use super::adblock::AdblockReader;
use super::auto::detect::{self, Detected};
use super::auto::mixed::MixedReader;
use super::format::{Format, MAX_LINE, ScopeChoice};
use super::line::{Lines, readable, without_comment};
use super::parsed::Parsed;
use super::reject::Reject;
use super::rpz::RpzReader;
use super::sink::RuleSink;
use super::{addresses, dnsmasq, domains, hosts, unbound};

/// Number of rules in a piece.
const PIECE: usize = 16_384;

/// The reader of one syntax.
enum Reader<'t> {
    Mixed(MixedReader<'t>),
    Domains,
    Hosts,
    Adblock(AdblockReader),
    Dnsmasq,
    Unbound,
    Rpz(RpzReader),
    Addresses,
}

impl<'t> Reader<'t> {
    fn new(format: Format, text: &'t [u8]) -> Self {
        match format {
            Format::Domains | Format::Auto => Self::Domains,
            Format::Hosts => Self::Hosts,
            Format::Adblock => Self::Adblock(AdblockReader::new(text)),
            Format::Dnsmasq => Self::Dnsmasq,
            Format::Unbound => Self::Unbound,
            Format::Rpz => Self::Rpz(RpzReader::default()),
            Format::Addresses => Self::Addresses,
        }
    }

    /// A reader of the syntax that most lines have.
    fn detected(found: Detected, text: &'t [u8]) -> Self {
        match found.format {
            Format::Rpz => Self::new(Format::Rpz, text),
            format => Self::Mixed(MixedReader::new(format, found.is_of_pages, text)),
        }
    }

    fn line(&mut self, line: &str, rules: &mut RuleSink<'_>) {
        let trimmed = line.trim();
        match self {
            Self::Mixed(reader) => reader.line(trimmed, rules),
            Self::Domains => domains::line(trimmed, rules),
            Self::Hosts => hosts::line(trimmed, rules),
            Self::Adblock(reader) => reader.line(trimmed, rules),
            Self::Dnsmasq => dnsmasq::line(trimmed, rules),
            Self::Unbound => unbound::line(trimmed, rules),
            // A leading blank has a meaning in zone files.
            Self::Rpz(reader) => reader.line(line, rules),
            Self::Addresses => addresses::line(trimmed, rules),
        }
    }

    /// The part of a line that is no comment.
    fn content<'l>(&self, line: &'l str) -> &'l str {
        let text = line.trim_start();
        match self {
            Self::Mixed(reader) => reader.content(line),
            Self::Hosts => hosts::without_comment(line),
            Self::Rpz(_) => line.split(';').next().unwrap_or(line),
            _ if text.starts_with(['!', ';']) || text.starts_with("//") => "",
            Self::Adblock(_) if hosts::looks_like(text) => hosts::without_comment(line),
            Self::Domains => domains::without_note(line),
            _ => without_comment(line),
        }
    }

    /// Whether the meaning of a line never depends on later lines.
    fn is_settled(&self) -> bool {
        !matches!(self, Self::Rpz(_))
    }

    fn finish(self, rules: &mut RuleSink<'_>) {
        if let Self::Rpz(reader) = self {
            reader.finish(rules);
        }
    }
}

/// Parses a source.
///
/// Never fails: rejected lines are counted in the result, and [`Parsed::verdict`] decides whether
/// the source is usable.
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

/// Parses a source and passes its rules on in pieces, so that a long list is in memory only once.
///
/// `take` gets each piece by reference; the rules of the last piece are in the result as well.
/// Where the meaning of a line depends on later ones there is one piece only. The verdict is known
/// at the end only: a caller must drop the rules of all pieces when [`Parsed::verdict`] refuses
/// the source.
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
    parsed.reserve(room);
    let mut reader = if format == Format::Auto {
        let found = detect::format(text);
        parsed.format = found.format;
        Reader::detected(found, text)
    } else {
        parsed.format = format;
        Reader::new(format, text)
    };
    let mut rules = RuleSink::new(&mut parsed, choice);
    for line in Lines(text) {
        rules.next_line();
        if line.len() > MAX_LINE {
            let start = String::from_utf8_lossy(line.get(..80).unwrap_or(line)).into_owned();
            rules.reject(&start, Reject::LineTooLong);
            continue;
        }
        match readable(line, |line| reader.content(line)) {
            Some(line) => reader.line(&line, &mut rules),
            None => rules.reject(&String::from_utf8_lossy(line), Reject::NotText),
        }
        let parsed = rules.parsed();
        if parsed.pending() >= piece && reader.is_settled() {
            parsed.pass_on(take);
        }
    }
    reader.finish(&mut rules);
    rules.finish();
    parsed
}
