//! Adblock syntax: `||x^` for a name with all below it, `|x^` for it alone, `@@` for exceptions.
//!
//! In `AdGuard` an exception wins over a block however long its name is. A block below an exception
//! is therefore `$important`, and an exception below that one too; a fifth turn cannot be said.
//! Pi-hole reads `||x^` of a file that it blocks by, and `@@||x^` of the same file as an allow list;
//! an exact block is written `|x^`, since Pi-hole's allow lists take a bare name for an exception.

use std::io;

use crate::publish::export::lost::Lost;
use crate::publish::export::output::Output;
use crate::publish::export::tree::{Key, Tree, TreeName};

/// The rules that undo each other, weakest first: before the name, and behind it.
const TURNS: [(&str, &str); 4] = [("", ""), ("@@", ""), ("", "$important"), ("@@", "$important")];

/// What holds below a name that has a rule.
#[derive(Clone, Copy)]
struct Above<'a> {
    key: Key<'a>,
    is_block: bool,
    /// The number of turns so far.
    turn: usize,
}

/// Writes the rules of a tree.
pub(super) fn rules(tree: &Tree, out: &mut Output<'_>) -> io::Result<()> {
    let root = Above { key: Key(&[]), is_block: false, turn: 0 };
    let mut stack = vec![root];
    for name in tree.names() {
        while stack.len() > 1 && stack.last().is_some_and(|above| !name.key.is_below(above.key)) {
            stack.pop();
        }
        if name.own.has_answer() || name.below.has_answer() {
            out.lose(Lost::Answer);
        }
        let above = stack.last().copied().unwrap_or(root);
        if let Some(next) = rule(&name, above, out)? {
            stack.push(next);
        }
    }
    Ok(())
}

/// Writes what a name needs under what is above it; what holds below it then.
fn rule<'a>(
    name: &TreeName<'a>,
    above: Above<'_>,
    out: &mut Output<'_>,
) -> io::Result<Option<Above<'a>>> {
    let Above { is_block, turn, .. } = above;
    let (own, below) = (name.own.is_block() != is_block, name.below.is_block() != is_block);
    // A name alone that is as all above it, while those below it are not, takes two turns.
    let turns = usize::from(own || below) + usize::from(below && !own);
    if turns == 0 {
        return Ok(None);
    }
    if turn + turns > TURNS.len() {
        out.lose(Lost::Exception);
        return Ok(None);
    }
    let category = name.own.category().or(name.below.category());
    if let Some(category) = category.filter(|_| !is_block)
        && !out.takes(name.place, category, 1)
    {
        return Ok(None);
    }
    let text = name.key.text();
    let mut write = |anchor: &str, turn: usize| {
        let (front, end) = TURNS.get(turn).copied().unwrap_or_default();
        if front.is_empty() {
            out.block(format_args!("{anchor}{text}^{end}"))
        } else {
            out.pass(format_args!("{front}{anchor}{text}^{end}"))
        }
    };
    if !below {
        write("|", turn)?;
        return Ok(None);
    }
    write("||", turn)?;
    if !own {
        write("|", turn + 1)?;
    }
    Ok(Some(Above { key: name.key, is_block: !is_block, turn: turn + 1 }))
}
