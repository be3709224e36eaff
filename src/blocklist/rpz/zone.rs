//! Zone files (RFC 1035 §5): words, parentheses, comments, origins, records.
//!
//! Only the subset that policy zones use: `$INCLUDE` and `$GENERATE` are not followed.

use std::borrow::Cow;

use crate::blocklist::reject::Reject;
use crate::dns::rtype;

/// The most words of one record, parentheses and all.
const MAX_WORDS: usize = 1024;

/// The words of one entry, which parentheses may spread over lines.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) words: Vec<String>,
    /// Whether the first line had a leading blank: no owner is given.
    pub(super) starts_blank: bool,
    depth: u32,
}

impl Tokens {
    /// Whether a `(` is unclosed.
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Adds the words of a line.
    pub(super) fn extend(&mut self, line: &str) -> Result<(), Reject> {
        if self.depth == 0 {
            self.starts_blank = line.starts_with([' ', '\t']);
        }
        let mut rest = line.trim_end();
        loop {
            rest = rest.trim_start();
            let Some(first) = rest.chars().next() else { return Ok(()) };
            if self.words.len() == MAX_WORDS {
                return Err(Reject::LineTooLong);
            }
            match first {
                ';' => return Ok(()),
                '(' => self.depth += 1,
                ')' => self.depth = self.depth.checked_sub(1).ok_or(Reject::Syntax)?,
                '"' => {
                    let (text, after) = quoted(rest.get(1..).unwrap_or(""))?;
                    self.words.push(text);
                    rest = after;
                    continue;
                }
                _ => {
                    let (word, after) = rest.split_at(end_of_word(rest));
                    self.words.push(word.to_owned());
                    rest = after;
                    continue;
                }
            }
            rest = rest.get(1..).unwrap_or("");
        }
    }
}

/// The end of a word; what stands behind a backslash does not end it.
fn end_of_word(text: &str) -> usize {
    let mut is_escaped = false;
    let is_end = |c: char| {
        let ends = c.is_whitespace() || matches!(c, ';' | '(' | ')' | '"');
        let is_literal = is_escaped;
        is_escaped = c == '\\' && !is_literal;
        ends && !is_literal
    };
    text.find(is_end).unwrap_or(text.len())
}

/// The text up to the closing quote, and the rest.
fn quoted(text: &str) -> Result<(String, &str), Reject> {
    let mut out = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((out, text.get(at + 1..).unwrap_or(""))),
            '\\' => match characters.next() {
                Some((_, next)) if !next.is_ascii_digit() => out.push(next),
                _ => return Err(Reject::Unsupported),
            },
            _ => out.push(character),
        }
    }
    Err(Reject::Syntax)
}

/// One resource record without its owner.
#[derive(Debug)]
pub(super) struct ZoneRecord<'a> {
    pub(super) rtype: u16,
    pub(super) rdata: &'a [String],
}

/// Parses TTL and class, in either order or omitted, the type and its data.
pub(super) fn record(fields: &[String]) -> Result<ZoneRecord<'_>, Reject> {
    let mut rest = fields;
    let (mut has_ttl, mut has_class) = (false, false);
    loop {
        let (word, after) = rest.split_first().ok_or(Reject::Syntax)?;
        if !has_ttl && field::is_ttl(word) {
            has_ttl = true;
        } else if !has_class && word.eq_ignore_ascii_case("IN") {
            has_class = true;
        } else if matches!(word.as_str(), "CH" | "HS" | "CS") {
            return Err(Reject::Unsupported);
        } else {
            let rtype = field::rtype(word)?;
            return Ok(ZoneRecord { rtype, rdata: after });
        }
        rest = after;
    }
}

/// Whether a line is a whole record: an owner, a known type and data.
pub(super) fn is_record(line: &str) -> bool {
    let mut tokens = Tokens::default();
    let is_whole = tokens.extend(line).is_ok() && !tokens.is_open() && !tokens.starts_blank;
    is_whole
        && tokens
            .words
            .split_first()
            .is_some_and(|(_, fields)| record(fields).is_ok_and(|record| !record.rdata.is_empty()))
}

/// Single words.
pub(super) mod field {
    use super::{Reject, rtype};

    /// `300`, `5m`, `1h30m`.
    pub(in super::super) fn is_ttl(word: &str) -> bool {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.bytes().all(|b| b.is_ascii_digit() || b"smhdwSMHDW".contains(&b))
    }

    /// Whether a target is in the `rpz-` top-level domains, which are reserved for actions.
    pub(in super::super) fn is_reserved(target: &str) -> bool {
        let name = target.strip_suffix('.').unwrap_or(target);
        let last = name.rsplit('.').next().unwrap_or("");
        last.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("rpz-"))
    }

    /// The number of a record type that is read or counted.
    pub(in super::super) fn rtype(word: &str) -> Result<u16, Reject> {
        let word = word.to_ascii_uppercase();
        Ok(match word.as_str() {
            "A" => rtype::A,
            "AAAA" => rtype::AAAA,
            "CNAME" => rtype::CNAME,
            "SOA" => rtype::SOA,
            "PTR" => rtype::PTR,
            "MX" => rtype::MX,
            "TXT" => rtype::TXT,
            "SRV" => rtype::SRV,
            "DNAME" => rtype::DNAME,
            "NS" => rtype::NS,
            "RRSIG" => rtype::RRSIG,
            _ => match word.strip_prefix("TYPE").and_then(|number| number.parse().ok()) {
                Some(number) => number,
                None if is_mnemonic(&word) => return Err(Reject::Unsupported),
                None => return Err(Reject::Syntax),
            },
        })
    }

    /// Types in zones that are not read.
    fn is_mnemonic(word: &str) -> bool {
        matches!(
            word,
            "HTTPS"
                | "SVCB"
                | "CAA"
                | "NAPTR"
                | "HINFO"
                | "RP"
                | "DNSKEY"
                | "DS"
                | "CDS"
                | "CDNSKEY"
                | "NSEC"
                | "NSEC3"
                | "NSEC3PARAM"
                | "SSHFP"
                | "TLSA"
                | "LOC"
                | "URI"
                | "SPF"
                | "ZONEMD"
        )
    }
}

/// Whether a line is one of a zone file and of nothing else.
pub(in super::super) fn looks_like(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or("");
    if matches!(first, "$TTL" | "$ORIGIN") {
        return true;
    }
    let is_type = |word: &str| {
        matches!(word.to_ascii_uppercase().as_str(), "SOA" | "CNAME" | "NS" | "A" | "AAAA" | "TXT")
    };
    first.parse::<std::net::IpAddr>().is_err()
        && words
            .take_while(|word| !word.starts_with(['#', ';']))
            .take(3)
            .find(|word| !field::is_ttl(word) && !word.eq_ignore_ascii_case("IN"))
            .is_some_and(is_type)
}

/// The origin of relative names in the file. Names here have no final dot.
#[derive(Debug, Default)]
pub(super) struct ZoneOrigin {
    /// None: the zone itself.
    origin: Option<String>,
    /// None: not known yet.
    zone: Option<String>,
}

impl ZoneOrigin {
    /// `$ORIGIN`.
    pub(super) fn change(&mut self, text: &str) -> Result<(), Reject> {
        let origin = match text.strip_suffix('.') {
            Some(absolute) => absolute.to_owned(),
            None if text == "@" => return Ok(()),
            None => match self.here() {
                Some(here) => below(text, here),
                None => return Err(Reject::Syntax),
            },
        };
        if self.zone.is_none() && !origin.is_empty() {
            // Files that name their zone do so first; zone dumps start at the root.
            self.zone = Some(origin.clone());
        }
        self.origin = Some(origin);
        Ok(())
    }

    /// Names the zone by the owner of the first SOA.
    pub(super) fn is_apex(&mut self, owner: &str) {
        let absolute = match owner.strip_suffix('.') {
            Some(absolute) => Some(absolute.to_owned()),
            None if owner == "@" => self.here().map(str::to_owned),
            None => self.here().map(|here| below(owner, here)),
        };
        self.zone = absolute.filter(|zone| !zone.is_empty());
    }

    fn here(&self) -> Option<&str> {
        self.origin.as_deref().or(self.zone.as_deref())
    }

    /// An owner relative to the zone; none at its apex.
    pub(super) fn relative<'a>(&self, owner: &'a str) -> Result<Option<Cow<'a, str>>, Reject> {
        let is_here_the_zone = self.origin.is_none() || self.origin == self.zone;
        let absolute = match owner.strip_suffix('.') {
            Some(absolute) => Cow::Borrowed(absolute),
            None if is_here_the_zone => {
                return Ok((owner != "@").then_some(Cow::Borrowed(owner)));
            }
            None if owner == "@" => Cow::Owned(self.here().unwrap_or("").to_owned()),
            None => Cow::Owned(below(owner, self.here().unwrap_or(""))),
        };
        let zone = self.zone.as_deref().ok_or(Reject::OutOfZone)?;
        if absolute.eq_ignore_ascii_case(zone) {
            return Ok(None);
        }
        let inner = absolute.len().checked_sub(zone.len() + 1).ok_or(Reject::OutOfZone)?;
        let (before, end) = absolute.split_at_checked(inner).ok_or(Reject::OutOfZone)?;
        let is_inside = end.strip_prefix('.').is_some_and(|end| end.eq_ignore_ascii_case(zone));
        if !is_inside || before.is_empty() {
            return Err(Reject::OutOfZone);
        }
        Ok(Some(Cow::Owned(before.to_owned())))
    }

    /// A name in the data of a record, absolute.
    pub(super) fn absolute<'a>(&self, name: &'a str) -> Result<Cow<'a, str>, Reject> {
        match (name.strip_suffix('.'), self.here()) {
            (Some(absolute), _) => Ok(Cow::Borrowed(absolute)),
            (None, Some(here)) if name == "@" => Ok(Cow::Owned(here.to_owned())),
            (None, Some(here)) => Ok(Cow::Owned(below(name, here))),
            (None, None) => Err(Reject::Syntax),
        }
    }
}

/// A relative name below an origin, which may be the root.
fn below(name: &str, origin: &str) -> String {
    if origin.is_empty() { name.to_owned() } else { format!("{name}.{origin}") }
}
