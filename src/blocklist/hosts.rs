//! hosts(5): an address, then one or more names, each matched exactly.
//!
//! The address is ignored: lists use `0.0.0.0`, `127.0.0.1` and others alike. The names of the
//! machine itself, which every hosts file has, are skipped.

use std::net::IpAddr;

use super::line::without_comment;
use super::reject::Reject;
use super::sink::{RuleBody, RuleSink};
use crate::rule::Scope;

/// Names of the machine itself.
const OWN_NAMES: [&str; 12] = [
    "localhost",
    "localhost.localdomain",
    "local",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-localnet",
    "ip6-mcastprefix",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-allhosts",
    "0.0.0.0",
];

/// Whether a line is an address and a name.
pub(super) fn looks_like(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next().is_some_and(is_address) && words.next().is_some()
}

/// Reads one line, already trimmed.
pub(super) fn line(line: &str, rules: &mut RuleSink<'_>) {
    let text = without_comment(line);
    let mut words = text.split_ascii_whitespace();
    let Some(address) = words.next() else { return };
    if !is_address(address) {
        rules.reject(text, Reject::Syntax);
        return;
    }
    let mut has_name = false;
    for name in words {
        has_name = true;
        if !OWN_NAMES.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            rules.host(name, RuleBody::add(Scope::Exact));
        }
    }
    if !has_name {
        rules.reject(text, Reject::Address);
    }
}

/// An address, with the zone that link-local ones carry (`fe80::1%lo0`).
fn is_address(word: &str) -> bool {
    matches!(word, "0.0.0.0" | "127.0.0.1")
        || word.split('%').next().is_some_and(|address| address.parse::<IpAddr>().is_ok())
}
