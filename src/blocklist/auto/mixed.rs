//! Mixed lists: each line in the syntax that it can be understood in, where that is one only.
//!
//! A school's own file is pasted together: hosts(5), `||x^`, names, URLs. The majority decides how
//! a bare name is read (its scope); a line in the syntax of another format is read as that format
//! reads it. Only where no `format` is set, and never in a zone file.

use crate::blocklist::adblock::{self, AdblockReader};
use crate::blocklist::auto::detect;
use crate::blocklist::format::Format;
use crate::blocklist::sink::{RuleSink, Wire};
use crate::blocklist::{addresses, dnsmasq, domains, hosts, unbound};
use crate::rule::Scope;

/// Reader of a list of several formats, line by line.
#[derive(Debug)]
pub(in crate::blocklist) struct MixedReader<'t> {
    majority: Format,
    /// Whether most lines name pages, not hosts.
    is_of_pages: bool,
    text: &'t [u8],
    adblock: Option<AdblockReader>,
}

impl<'t> MixedReader<'t> {
    /// A reader of `text`, most lines of which are of one format.
    pub(in crate::blocklist) fn new(majority: Format, is_of_pages: bool, text: &'t [u8]) -> Self {
        Self { majority, is_of_pages, text, adblock: None }
    }

    /// Reads one line, already trimmed.
    pub(in crate::blocklist) fn line(&mut self, line: &str, rules: &mut RuleSink<'_>) {
        if detect::is_comment(line) || line.is_empty() {
            return;
        }
        match self.syntax(line) {
            Format::Hosts => hosts::line(line, rules),
            Format::Dnsmasq => dnsmasq::line(line, rules),
            Format::Unbound => unbound::line(line, rules),
            Format::Addresses => addresses::line(line, rules),
            Format::Adblock => {
                let text = self.text;
                let reader = self.adblock.get_or_insert_with(|| AdblockReader::new(text));
                reader.line(line, rules);
            }
            Format::Auto | Format::Domains | Format::Rpz => self.name(line, rules),
        }
    }

    /// The format of a line; [`Format::Domains`] where it is of none of the others.
    fn syntax(&self, line: &str) -> Format {
        let text = domains::without_note(line);
        let is_of = |format: &Format| match format {
            Format::Hosts => hosts::looks_like(line),
            Format::Adblock => {
                adblock::looks_like(text) || adblock::has_expression(line) || is_header(line)
            }
            Format::Dnsmasq => dnsmasq::looks_like(line),
            Format::Unbound => unbound::looks_like(line),
            _ => false,
        };
        if self.majority == Format::Addresses && addresses::looks_like(text) {
            return Format::Addresses;
        }
        let each =
            [self.majority, Format::Hosts, Format::Adblock, Format::Dnsmasq, Format::Unbound];
        if let Some(format) = each.into_iter().find(is_of) {
            return format;
        }
        let is_named = domains::host_of(text).is_some_and(|name| Wire::of(name).is_ok());
        match self.majority {
            Format::Adblock if !is_named || !adblock::is_host_like(text) => Format::Adblock,
            _ => Format::Domains,
        }
    }

    /// A line with one name: with the scope that the majority gives names.
    fn name(&self, line: &str, rules: &mut RuleSink<'_>) {
        let scope = match self.majority {
            Format::Hosts | Format::Adblock => Scope::Exact,
            _ => Scope::Subtree,
        };
        domains::line_of(line, scope, !self.is_of_pages, rules);
    }

    /// The part of a line that is no comment.
    pub(in crate::blocklist) fn content<'l>(&self, line: &'l str) -> &'l str {
        let text = line.trim_start();
        if detect::is_comment(text) {
            return "";
        }
        match self.syntax(text) {
            Format::Hosts => hosts::without_comment(line),
            _ => domains::without_note(line),
        }
    }
}

/// `[Adblock Plus 2.0]`.
fn is_header(line: &str) -> bool {
    line.starts_with('[') && line.ends_with(']')
}
