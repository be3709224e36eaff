//! Literals: octets that every match of an expression contains.
//!
//! `^ad[0-9]+\.(track|stat)er\.` matches nothing without `er.`; one pass over a name for the literals
//! of all patterns leaves few to run.

use std::collections::BTreeSet;

use regex_syntax::hir::{Hir, HirKind};

/// The most literals of one pattern.
const MAX_LITERALS: usize = 32;
/// A literal of fewer octets is in too many names.
const MIN_WORTH: usize = 3;
/// Ends and starts of most names: a literal that is one of these stops nothing.
const COMMON: [&[u8]; 12] = [
    b".com", b".net", b".org", b".vn", b"com", b"net", b"org", b".com.vn", b"www", b"www.", b".io",
    b".com.",
];

/// The literals of an expression, one of which is in every match; none where it has none that are
/// rare enough.
pub(super) fn required(hir: &Hir) -> Option<Vec<Box<[u8]>>> {
    let literals = of(hir)?;
    let is_worth = worth(&literals) >= MIN_WORTH;
    is_worth.then(|| literals.into_iter().map(Vec::into_boxed_slice).collect())
}

fn worth(literals: &BTreeSet<Vec<u8>>) -> usize {
    let one = |literal: &Vec<u8>| {
        if COMMON.contains(&literal.as_slice()) { 1 } else { literal.len() }
    };
    literals.iter().map(one).min().unwrap_or(0)
}

fn of(hir: &Hir) -> Option<BTreeSet<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(BTreeSet::from([literal.0.to_vec()])),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub),
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(of).max_by_key(worth),
        HirKind::Alternation(parts) => {
            let mut all = BTreeSet::new();
            for part in parts {
                all.extend(of(part)?);
            }
            (all.len() <= MAX_LITERALS).then_some(all)
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}
