//! Response policy zone: `x` for a name, `*.x` for all below it, each with its answer.
//!
//! Owners are relative, so that the zone has the name under which a server loads it. Programs find
//! the wildcard of a name in two ways: the longest one, or that of the closest name that exists in
//! the zone (RFC 4592 §3.3.1), which is Unbound's. The zone says the same to both: where names above
//! a rule are blocked, each name between has its own two rules.

use std::io::{self, Write};

use crate::publish::export::fate::Fate;
use crate::publish::export::lost::Lost;
use crate::publish::export::output::Output;
use crate::publish::export::tree::{Key, Tree, TreeName};
use crate::rule::Action;

/// The most octets of an owner: the name of the zone stands behind it, and `*.` in front.
const MAX_OWNER: usize = 255 - 64 - 2;
/// The answer that lets pass.
const PASS: &str = "rpz-passthru.";

/// The head of the zone.
pub(super) fn head(serial: u64, to: &mut impl Write) -> io::Result<()> {
    // A serial has 32 bits (RFC 1982).
    let serial = (serial % (1 << 32)) as u32;
    writeln!(to, "$TTL 30")?;
    writeln!(to, "@ SOA localhost. hostmaster.localhost. {serial} 3600 600 604800 30")?;
    writeln!(to, "@ NS localhost.")
}

/// The answer of a zone; none for what passes.
fn answer(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Pass => None,
        Fate::Block(_, Action::NoData) => Some("*."),
        Fate::Block(_, Action::Drop) => Some("rpz-drop."),
        Fate::Block(_, Action::TcpOnly) => Some("rpz-tcp-only."),
        Fate::Closed | Fate::Block(..) => Some("."),
    }
}

/// Writes the rules of a tree.
pub(super) fn rules(tree: &Tree, out: &mut Output<'_>) -> io::Result<()> {
    let root = (Key(&[]), answer(tree.root));
    if let (_, Some(answer)) = root {
        out.block(format_args!("* CNAME {answer}"))?;
    }
    let mut stack = vec![root];
    for name in tree.names() {
        while stack.len() > 1 && stack.last().is_some_and(|(above, _)| !name.key.is_below(*above)) {
            stack.pop();
        }
        if matches!(name.own, Fate::Block(_, Action::Local(_) | Action::Refused))
            || matches!(name.below, Fate::Block(_, Action::Local(_) | Action::Refused))
        {
            out.lose(Lost::Answer);
        }
        let (above, inherited) = stack.last().copied().unwrap_or(root);
        let below = answer(name.below);
        if !is_said(&name, inherited, out) {
            continue;
        }
        if inherited.is_some() {
            for between in name.key.between(above) {
                put(between, inherited, inherited, inherited, out)?;
                stack.push((between, inherited));
            }
        }
        put(name.key, answer(name.own), below, inherited, out)?;
        stack.push((name.key, below));
    }
    Ok(())
}

/// Whether a name has rules in the zone.
fn is_said(name: &TreeName<'_>, inherited: Option<&str>, out: &mut Output<'_>) -> bool {
    let (own, below) = (answer(name.own), answer(name.below));
    if own == inherited && below == inherited {
        return false;
    }
    if name.key.wire_length() > MAX_OWNER {
        out.lose(Lost::TooLong);
        return false;
    }
    let lines = u32::from(own.is_some()) + u32::from(below.is_some());
    let category = name.own.category().or(name.below.category());
    match category {
        // What is blocked all the same needs no place within the limit.
        Some(category) if inherited.is_none() => out.takes(name.place, category, lines),
        _ => true,
    }
}

/// The rules of a name and of all below it, where they are not as above.
fn put(
    key: Key<'_>,
    own: Option<&str>,
    below: Option<&str>,
    inherited: Option<&str>,
    out: &mut Output<'_>,
) -> io::Result<()> {
    let text = key.text();
    for (front, answer) in [("", own), ("*.", below)] {
        match answer {
            Some(answer) => out.block(format_args!("{front}{text} CNAME {answer}"))?,
            None if inherited.is_some() => out.pass(format_args!("{front}{text} CNAME {PASS}"))?,
            None => {}
        }
    }
    Ok(())
}
