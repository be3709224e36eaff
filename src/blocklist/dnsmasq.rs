//! dnsmasq configurations (dnsmasq(8)): `address=`, `local=` and `server=`.
//!
//! Each covers a name with its subtree, or several: `/a/b/…`. An empty target, `#`, and
//! unspecified and loopback addresses mean *block*, so the group decides the answer; any other
//! address is local data. `server=/x/#` forwards x as usual, and is an exception. A certain
//! server as the target, and every other option, is counted.

use std::net::IpAddr;

use super::line::without_comment;
use super::local::ListRecord;
use super::reject::Reject;
use super::sink::{RuleBody, RuleSink, Wire};
use crate::dns::rtype;
use crate::rule::{Action, Effect, Scope};

/// The target of a statement.
enum Target {
    Block,
    Free,
    Answer(IpAddr),
}

/// Whether a line is a statement that lists names.
pub(super) fn looks_like(line: &str) -> bool {
    ["address=/", "local=/", "server=/"].iter().any(|start| line.starts_with(start))
}

/// Reads one line, already trimmed.
pub(super) fn line(line: &str, rules: &mut RuleSink<'_>) {
    let text = without_comment(line);
    if text.is_empty() {
        return;
    }
    let (key, value) = text.split_once('=').map_or((text, ""), |(k, v)| (k.trim(), v.trim()));
    let is_option = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_option {
        rules.reject(text, Reject::Syntax);
        return;
    }
    let names = value.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    let (Some((names, target)), "address" | "local" | "server") = (names, key) else {
        rules.reject(text, Reject::Unsupported);
        return;
    };
    match target_of(key, target) {
        Ok(target) => {
            for name in names.split('/') {
                take(name, &target, rules);
            }
        }
        Err(reject) => rules.reject(text, reject),
    }
}

fn target_of(key: &str, target: &str) -> Result<Target, Reject> {
    match (key, target) {
        (_, "") | ("address", "#") => Ok(Target::Block),
        (_, "#") => Ok(Target::Free),
        ("address", _) => match target.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() || address.is_loopback() => Ok(Target::Block),
            Ok(address) => Ok(Target::Answer(address)),
            Err(_) => Err(Reject::Syntax),
        },
        _ => Err(Reject::Unsupported),
    }
}

fn take(name: &str, target: &Target, rules: &mut RuleSink<'_>) {
    if name.is_empty() || name.starts_with('*') || name == "#" {
        // An empty name stands for unqualified names, `#` for all names.
        rules.reject(name, Reject::Wildcard);
        return;
    }
    let name = name.strip_prefix('.').unwrap_or(name);
    let mut body = RuleBody::add(Scope::Subtree);
    match target {
        Target::Block => rules.name(name, body),
        Target::Free => {
            body.effect = Effect::Clear;
            rules.name(name, body);
        }
        Target::Answer(address) => match Wire::of_zone(name) {
            Ok(wire) => {
                body.action = Action::Default;
                rules.local(&wire, body, address_record(*address));
            }
            Err(reject) => rules.reject(name, reject),
        },
    }
}

/// An address as a record.
pub(super) fn address_record(address: IpAddr) -> ListRecord {
    match address {
        IpAddr::V4(v4) => ListRecord::Data(rtype::A, v4.octets().into()),
        IpAddr::V6(v6) => ListRecord::Data(rtype::AAAA, v6.octets().into()),
    }
}
