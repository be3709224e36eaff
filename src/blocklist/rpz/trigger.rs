//! Triggers: owners in a response policy zone → the names or addresses that match.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::blocklist::reject::Reject;
use crate::rule::Scope;

/// The owner of the rule for every name.
pub(super) const EVERY: &str = "*";

/// The trigger of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trigger<'a> {
    /// A name in the question.
    Name(&'a str, Scope),
    /// An address in the answer.
    Net(IpNet),
}

/// Parses an owner relative to its zone.
pub(super) fn of(owner: &str) -> Result<Trigger<'_>, Reject> {
    let (before, last) = owner.rsplit_once('.').unwrap_or(("", owner));
    match last.to_ascii_lowercase().as_str() {
        "rpz-ip" => return net(before).map(Trigger::Net).ok_or(Reject::Syntax),
        "rpz-client-ip" => return Err(Reject::ClientIp),
        "rpz-nsip" => return Err(Reject::ServerIp),
        "rpz-nsdname" => return Err(Reject::ServerName),
        reserved if reserved.starts_with("rpz-") => return Err(Reject::Unsupported),
        _ => {}
    }
    if owner == EVERY {
        return Ok(Trigger::Name(EVERY, Scope::Below));
    }
    let (name, scope) = match owner.strip_prefix("*.") {
        Some(below) => (below, Scope::Below),
        None => (owner, Scope::Exact),
    };
    if name.contains('*') {
        return Err(Reject::Wildcard);
    }
    Ok(Trigger::Name(name, scope))
}

/// `24.0.2.0.192`: the prefix length, then the address from its end.
///
/// IPv6 has its words in hexadecimal and `zz` for `::`. Host bits must be zero.
fn net(text: &str) -> Option<IpNet> {
    let (length, address) = text.split_once('.')?;
    let length: u8 = length.parse().ok()?;
    let parts: Vec<&str> = address.split('.').rev().collect();
    if length == 0 {
        return None;
    }
    let is_v4 = parts.len() == 4 && !parts.iter().any(|part| part.eq_ignore_ascii_case("zz"));
    let net: IpNet = if is_v4 {
        let address: Ipv4Addr = parts.join(".").parse().ok()?;
        Ipv4Net::new(address, length).ok()?.into()
    } else {
        Ipv6Net::new(v6(&parts)?, length).ok()?.into()
    };
    (net.trunc() == net).then_some(net)
}

fn v6(parts: &[&str]) -> Option<Ipv6Addr> {
    let is_gap = |part: &&&str| part.eq_ignore_ascii_case("zz");
    if parts.iter().filter(is_gap).count() > 1 {
        return None;
    }
    let word = |part: &&str| u16::from_str_radix(part, 16).ok();
    let (before, after) = match parts.iter().position(|part| is_gap(&part)) {
        Some(gap) => (parts.get(..gap)?, parts.get(gap + 1..)?),
        None if parts.len() == 8 => (parts, &[][..]),
        None => return None,
    };
    let gap = 8_usize.checked_sub(before.len() + after.len())?;
    let words = before.iter().map(word).chain((0..gap).map(|_| Some(0)));
    let words: Option<Vec<u16>> = words.chain(after.iter().map(word)).collect();
    let words: [u16; 8] = words?.try_into().ok()?;
    Some(words.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_their_end() {
        let shown = |text| net(text).map(|net| net.to_string());
        assert_eq!(shown("24.0.2.0.192").as_deref(), Some("192.0.2.0/24"));
        assert_eq!(shown("32.1.2.0.192").as_deref(), Some("192.0.2.1/32"));
        assert_eq!(shown("128.57.zz.2.2001").as_deref(), Some("2001:2::57/128"));
        assert_eq!(shown("48.zz.101.db8.2001").as_deref(), Some("2001:db8:101::/48"));
        assert_eq!(shown("128.1.zz").as_deref(), Some("::1/128"));
        assert_eq!(shown("128.8.7.6.5.4.3.2.1").as_deref(), Some("1:2:3:4:5:6:7:8/128"));
        // Bits behind the prefix, two gaps, everything, nothing.
        for text in ["24.1.2.0.192", "64.1.zz.2.2001", "128.zz.1.zz", "0.0.0.0.0", "24", ""] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
