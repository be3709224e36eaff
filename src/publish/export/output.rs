//! Where the rules of an export go: counted first, then written.

use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::io::{self, Write};

use crate::category::CategoryId;
use crate::publish::export::lost::Lost;

/// A name that a format would block.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockCandidate {
    /// Its place in the tree.
    pub(super) place: u32,
    /// The category that is reported of it.
    pub(super) category: CategoryId,
    /// Its lines.
    pub(super) lines: u32,
}

/// Rules of one pass over the tree.
#[derive(Default)]
pub(super) struct Output<'a> {
    /// None where rules are only counted.
    to: Option<&'a mut dyn Write>,
    /// The names within the limit, by their places; without a limit all.
    picked: Option<&'a [bool]>,
    /// Collected where somebody chooses among them.
    pub(super) candidates: Option<Vec<BlockCandidate>>,
    /// Rules that block.
    pub(super) rules: u64,
    /// Rules that let pass.
    pub(super) exceptions: u64,
    /// What the format cannot say.
    pub(super) lost: BTreeMap<Lost, u64>,
}

impl<'a> Output<'a> {
    /// Counts.
    pub(super) fn counting(picked: Option<&'a [bool]>) -> Self {
        Self { picked, ..Self::default() }
    }

    /// Writes.
    pub(super) fn writing(picked: Option<&'a [bool]>, to: &'a mut dyn Write) -> Self {
        Self { picked, to: Some(to), ..Self::default() }
    }

    /// Whether the name at `place` is to be blocked, with so many lines.
    pub(super) fn takes(&mut self, place: usize, category: CategoryId, lines: u32) -> bool {
        if let Some(candidates) = &mut self.candidates {
            candidates.push(BlockCandidate { place: place as u32, category, lines });
        }
        self.picked.is_none_or(|picked| picked.get(place) == Some(&true))
    }

    /// A line that blocks.
    pub(super) fn block(&mut self, line: Arguments<'_>) -> io::Result<()> {
        self.rules += 1;
        self.line(line)
    }

    /// A line that lets pass.
    pub(super) fn pass(&mut self, line: Arguments<'_>) -> io::Result<()> {
        self.exceptions += 1;
        self.line(line)
    }

    /// Counts what cannot be said.
    pub(super) fn lose(&mut self, kind: Lost) {
        *self.lost.entry(kind).or_default() += 1;
    }

    fn line(&mut self, line: Arguments<'_>) -> io::Result<()> {
        match &mut self.to {
            None => Ok(()),
            Some(to) => writeln!(to, "{line}"),
        }
    }
}
