//! Detection of the syntax of a text, and refusal of texts that are no list.
//!
//! Lines that are neither blank nor comments vote: in a short text all of them, once each; in a
//! longer one the first 64 and 64 spread over all of it, because the start of a sorted list is not
//! representative (UT1 `redirector` begins with 22,000 addresses).

use std::borrow::Cow;

use crate::blocklist::domains::{host_of, without_note};
use crate::blocklist::format::{Format, MAX_LINE};
use crate::blocklist::line::Lines;
use crate::blocklist::parsed::ListRefusal;
use crate::blocklist::{adblock, addresses, dnsmasq, hosts, rpz, unbound};

/// Voting lines at the start, and as many spread over the text.
const TELLING: usize = 64;
/// The most lines read to find the voting lines at the start.
const HEADER: usize = 2048;
/// Octets of a text in which every line votes.
const SHORT: usize = 128 << 10;
/// Octets searched for a line at each place of the text.
const NEAR: usize = 8 * MAX_LINE;
/// The starts of a web page.
const HTML: [&[u8]; 5] = [b"<!doctype", b"<html", b"<head", b"<body", b"<?xml"];

/// The refusal of a text that is no list in any syntax.
pub(in crate::blocklist) fn not_a_list(text: &[u8]) -> Option<ListRefusal> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") || is_wide(text) {
        return Some(ListRefusal::Utf16);
    }
    let mut text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    while let Some(comment) = text.strip_prefix(b"<!--") {
        let end = comment.windows(3).position(|part| part == b"-->")?;
        text = comment.get(end + 3..)?.trim_ascii_start();
    }
    let is_html = HTML.iter().any(|start| {
        text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    });
    is_html.then_some(ListRefusal::Html)
}

/// Whether every other octet at the start is NUL: UTF-16 without its mark.
fn is_wide(text: &[u8]) -> bool {
    let start = text.get(..text.len().min(64)).unwrap_or(text);
    let is_nul = |first: usize| start.iter().skip(first).step_by(2).all(|&octet| octet == 0);
    start.len() >= 8 && (is_nul(0) || is_nul(1))
}

/// Votes by syntax.
#[derive(Debug, Default)]
struct Votes {
    adblock: usize,
    hosts: usize,
    dnsmasq: usize,
    unbound: usize,
    rpz: usize,
    addresses: usize,
    domains: usize,
    /// Of the domains: those with a path.
    pages: usize,
}

/// The syntax of a text.
#[derive(Debug, Clone, Copy)]
pub(in crate::blocklist) struct Detected {
    pub(in crate::blocklist) format: Format,
    /// Whether most lines name pages, not hosts.
    pub(in crate::blocklist) is_of_pages: bool,
}

impl From<Format> for Detected {
    fn from(format: Format) -> Self {
        Self { format, is_of_pages: false }
    }
}

impl Votes {
    fn count(&mut self, line: &str) {
        let text = without_note(line);
        let vote = if rpz::looks_like(line) {
            &mut self.rpz
        } else if hosts::looks_like(line) {
            &mut self.hosts
        } else if adblock::looks_like(text) || adblock::has_expression(line) {
            &mut self.adblock
        } else if dnsmasq::looks_like(line) {
            &mut self.dnsmasq
        } else if unbound::looks_like(line) {
            &mut self.unbound
        } else if addresses::looks_like(text) {
            &mut self.addresses
        } else {
            self.pages += usize::from(host_of(text).is_none());
            &mut self.domains
        };
        *vote += 1;
    }

    fn winner(&self) -> Format {
        let Self { adblock, hosts, dnsmasq, unbound, rpz, addresses, domains, .. } = *self;
        if addresses > 0 && addresses >= 9 * (adblock + hosts + dnsmasq + unbound + rpz + domains) {
            return Format::Addresses;
        }
        // Lists of domains contain addresses too.
        let domains = domains + addresses;
        let candidates = [
            (domains, Format::Domains),
            (hosts, Format::Hosts),
            (adblock, Format::Adblock),
            (dnsmasq, Format::Dnsmasq),
            (unbound, Format::Unbound),
            (rpz, Format::Rpz),
        ];
        let most = candidates.iter().map(|(votes, _)| *votes).max().unwrap_or(0);
        candidates.iter().find(|(votes, _)| *votes == most).map_or(Format::Domains, |(_, f)| *f)
    }
}

/// The syntax with the most votes.
pub(in crate::blocklist) fn format(text: &[u8]) -> Detected {
    let mut votes = Votes::default();
    let mut seen = 0;
    let is_short = text.len() <= SHORT;
    for line in Lines(text).take(if is_short { usize::MAX } else { HEADER }) {
        let Some(line) = readable(line) else { continue };
        let line = line.trim();
        if is_adblock_header(line) {
            return Format::Adblock.into();
        }
        if is_comment(line) {
            continue;
        }
        if matches!(line.split_whitespace().next(), Some("$TTL" | "$ORIGIN")) {
            return Format::Rpz.into();
        }
        votes.count(line);
        seen += 1;
        if seen == TELLING && !is_short {
            break;
        }
    }
    for part in (1..TELLING).filter(|_| !is_short) {
        let from = text.len() / TELLING * part;
        let rest = text.get(from..text.len().min(from + NEAR)).unwrap_or(&[]);
        // The first line may be partial.
        let lines = Lines(rest).skip(1).take(8).filter_map(readable);
        if let Some(line) = lines.map(|line| line.trim().to_owned()).find(|l| !is_comment(l)) {
            votes.count(&line);
        }
    }
    Detected { format: votes.winner(), is_of_pages: 2 * votes.pages > votes.domains }
}

/// A line that is not blank, as text; octets of a comment have no encoding.
fn readable(line: &[u8]) -> Option<Cow<'_, str>> {
    let line = String::from_utf8_lossy(line.get(..line.len().min(MAX_LINE))?);
    (!line.trim().is_empty()).then_some(line)
}

pub(in crate::blocklist) fn is_comment(line: &str) -> bool {
    line.starts_with(['!', ';'])
        || line.starts_with("//")
        || line.starts_with('#') && !adblock::looks_like(line)
}

/// `[Adblock Plus 2.0]`, `[uBlock Origin]`, `[AdGuard]`.
fn is_adblock_header(line: &str) -> bool {
    let Some(inner) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    let inner = inner.to_ascii_lowercase();
    ["adblock", "adguard", "ublock"].iter().any(|start| inner.starts_with(start))
}
