//! Plain names, each with all below it: no exceptions, no narrower scope.

use std::io;

use crate::publish::export::lost::Lost;
use crate::publish::export::output::Output;
use crate::publish::export::tree::{Key, Tree};

/// Writes the rules of a tree.
pub(super) fn rules(tree: &Tree, out: &mut Output<'_>) -> io::Result<()> {
    let mut covered: Option<Key<'_>> = None;
    for name in tree.names() {
        if covered.is_some_and(|above| name.key.is_below(above)) {
            continue;
        }
        if name.own.has_answer() || name.below.has_answer() {
            out.lose(Lost::Answer);
        }
        match (name.own.is_block(), name.below.is_block()) {
            (false, false) => {}
            (true, false) => out.lose(Lost::Exact),
            (false, true) => out.lose(Lost::Below),
            (true, true) if name.key.labels() == 1 => out.lose(Lost::TopLevel),
            (true, true) if name.has_pass => out.lose(Lost::Exception),
            (true, true) => {
                let Some(category) = name.own.category() else { continue };
                if out.takes(name.place, category, 1) {
                    out.block(format_args!("{}", name.key.text()))?;
                    covered = Some(name.key);
                }
            }
        }
    }
    Ok(())
}
