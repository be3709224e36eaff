//! Lists of addresses and prefixes, which apply to names that resolve into one.
//!
//! Host bits of a prefix (`192.0.2.1/24`) are cleared. A prefix of length 0 covers every address,
//! and is counted instead.

use std::net::IpAddr;

use ipnet::IpNet;

use super::line::without_comment;
use super::reject::Reject;
use super::sink::RuleSink;
use crate::rule::{Action, Effect};

/// Whether a line is an address or a prefix and nothing else.
pub(super) fn looks_like(line: &str) -> bool {
    net(line).is_some()
}

/// Reads one line, already trimmed.
pub(super) fn line(line: &str, rules: &mut RuleSink<'_>) {
    let text = without_comment(line);
    let text = text.split_once(';').map_or(text, |(before, _)| before.trim_end());
    if text.is_empty() {
        return;
    }
    match net(text) {
        Some(net) if net.prefix_len() == 0 => rules.reject(text, Reject::Wildcard),
        Some(net) => rules.address(net.trunc(), Effect::Add, Action::Default),
        None => rules.reject(text, Reject::Syntax),
    }
}

fn net(text: &str) -> Option<IpNet> {
    text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse::<IpNet>()).ok()
}
