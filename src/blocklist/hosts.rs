//! hosts(5): an address, then one or more names, each matched exactly.
//!
//! The address is ignored: lists use `0.0.0.0`, `127.0.0.1` and others alike, and the short forms
//! of `inet_aton(3)` (`0`, `127.1`). `#` begins a comment at any place, also right behind a name. The
//! names of the machine itself, which every hosts file has, are skipped.

use std::net::IpAddr;

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
    let mut words = without_comment(line).split_whitespace();
    words.next().is_some_and(is_address) && words.next().is_some()
}

/// A line without its comment (hosts(5)).
pub(super) fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or(line).trim_end()
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
        || is_short_address(word)
}

/// An IPv4 address as `inet_aton(3)` takes it: one to four numbers, the last of which fills the rest.
fn is_short_address(word: &str) -> bool {
    let count = word.split('.').count();
    word.starts_with(|first: char| first.is_ascii_digit())
        && count <= 4
        && word.split('.').enumerate().all(|(place, part)| {
            let octets = if place + 1 == count { 5 - count } else { 1 };
            number(part).is_some_and(|number| number < 1 << (8 * octets))
        })
}

/// A number in decimal, octal (`0…`) or hexadecimal (`0x…`).
fn number(part: &str) -> Option<u64> {
    let (digits, radix) = match part.get(..2) {
        Some("0x" | "0X") => (part.get(2..)?, 16),
        Some(start) if start.starts_with('0') => (part, 8),
        _ => (part, 10),
    };
    let is_number = digits.len() <= 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_number.then(|| u64::from_str_radix(digits, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_short() {
        for word in ["0", "127.1", "127.0.1", "0x7f.1", "0.0", "127.000.000.001", "4294967295"] {
            assert!(is_address(word), "{word}");
        }
        for word in ["", "256.1.1.1", "1.2.3.4.5", "0x", "1.", ".1", "127.16777216", "09", "a.b"] {
            assert!(!is_address(word), "{word}");
        }
    }
}
