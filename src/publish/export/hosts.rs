//! hosts(5): a name alone, with an address of no host.
//!
//! Of a rule with all below it the name remains, and `www` in front of a registrable domain: that is
//! where people go, and the most that exact names can say.

use std::io;

use psl::Psl as _;

use crate::dns::public_suffix::PublicSuffixes;
use crate::publish::export::lost::Lost;
use crate::publish::export::output::Output;
use crate::publish::export::tree::{Tree, TreeName};

/// Writes the rules of a tree, one line for each address.
pub(super) fn rules(tree: &Tree, addresses: &[&str], out: &mut Output<'_>) -> io::Result<()> {
    for name in tree.names() {
        if name.own.has_answer() || name.below.has_answer() {
            out.lose(Lost::Answer);
        }
        let (own, below) = (name.own.is_block(), name.below.is_block());
        if name.key.labels() == 1 {
            // A host has two labels or more.
            if own || below {
                out.lose(Lost::TopLevel);
            }
            continue;
        }
        let www = below && has_www(tree, &name);
        if below {
            out.lose(if own { Lost::Subtree } else { Lost::Below });
        }
        let Some(category) = name.own.category().or(name.below.category()) else { continue };
        let lines = (u32::from(own) + u32::from(www)) * addresses.len() as u32;
        if lines == 0 || !out.takes(name.place, category, lines) {
            continue;
        }
        let text = name.key.text();
        for address in addresses {
            if own {
                out.block(format_args!("{address} {text}"))?;
            }
            if www {
                out.block(format_args!("{address} www.{text}"))?;
            }
        }
    }
    Ok(())
}

/// Whether `www` in front of a name has no rule of its own, and the name is one that people register.
fn has_www(tree: &Tree, name: &TreeName<'_>) -> bool {
    let key = name.key.0;
    let suffix = PublicSuffixes.find(key.split(|octet| *octet == 0)).len;
    let label = key.rsplit(|octet| *octet == 0).next().map_or(0, <[u8]>::len);
    let is_registrable = suffix + 1 + label == key.len();
    is_registrable && !tree.has(&[key, b"\0www"].concat())
}
