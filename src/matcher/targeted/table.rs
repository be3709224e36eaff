//! The rules of one pack that are about more than a name.

use std::collections::BTreeMap;
use std::fmt;

use super::patterns::Patterns;
use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::names::NameTable;
use crate::pattern::{HostPattern, HostText};
use crate::rule::{Effect, Rule, Scope, Subject, Target, is_at_or_below_any};

/// Hits that are kept in place; more allocate.
const FEW: usize = 24;

/// One rule, in the numbers of the taxonomy and the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRule {
    /// What it is about.
    pub target: Target,
    /// The rule.
    pub rule: Rule,
    /// Guarded names that it has no effect on, each with all below it; in wire form and in order.
    pub guarded: Box<[Box<[u8]>]>,
}

/// All rules of a pack that are about more than a name.
pub(crate) struct TargetTable {
    rules: Box<[TargetRule]>,
    /// The rules about names.
    names: NameTable<Box<[u32]>>,
    patterns: Patterns,
    /// The rules about every name.
    every: Box<[u32]>,
}

/// The rules that hold for one name and type.
pub(super) struct Hits {
    few: [(u8, u32); FEW],
    len: usize,
    more: Vec<(u8, u32)>,
}

/// The place of a hit by a pattern, in place of that of a label.
pub(super) const BY_PATTERN: u8 = u8::MAX;

impl Hits {
    fn new() -> Self {
        Self { few: [(0, 0); FEW], len: 0, more: Vec::new() }
    }

    fn push(&mut self, hit: (u8, u32)) {
        match self.few.get_mut(self.len) {
            Some(place) => {
                *place = hit;
                self.len += 1;
            }
            None => self.more.push(hit),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, u32)> + Clone {
        self.few.iter().take(self.len).chain(&self.more).copied()
    }
}

impl TargetTable {
    /// The table of these rules, for hashes of `seed`; none of no rules.
    pub(crate) fn new(rules: Vec<TargetRule>, seed: u64) -> Option<Self> {
        let (mut names, mut patterns, mut every) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (number, rule) in (0..).zip(&rules) {
            match &rule.target.subject {
                Subject::Name(wire) => {
                    names.entry(wire.clone()).or_insert_with(Vec::new).push(number);
                }
                // A pack is verified: each of its patterns is one.
                Subject::Pattern(text) => {
                    patterns.extend(HostPattern::parse(text).ok().map(|one| (one, number)));
                }
                Subject::All => every.push(number),
            }
        }
        let name = |(wire, numbers): (Box<[u8]>, Vec<u32>)| {
            let (name, _) = Name::from_wire(&wire).ok()?;
            Some((name, Scope::Subtree, numbers.into_boxed_slice()))
        };
        (!rules.is_empty()).then(|| Self {
            names: NameTable::new(names.into_iter().filter_map(name), seed),
            patterns: Patterns::new(patterns),
            every: every.into(),
            rules: rules.into(),
        })
    }

    /// Every rule.
    pub(crate) fn rules(&self) -> &[TargetRule] {
        &self.rules
    }

    /// Octets of the automata of its patterns.
    pub(crate) fn octets(&self) -> usize {
        self.patterns.octets()
    }

    /// Takes guarded names out of the rules that `is_void` refuses at them. A rule about a name that
    /// a guarded one is at or below has no effect any more, as one without a target has none.
    pub(in crate::matcher) fn guard(
        &mut self,
        name: &Folded,
        hashes: &SuffixHashes,
        mut is_void: impl FnMut(&TargetRule) -> bool,
    ) -> bool {
        let hits = self.hits(name, hashes, None);
        let mut is_changed = false;
        for (_, number) in hits.iter() {
            let Some(rule) = self.rules.get_mut(number as usize).filter(|rule| is_void(rule))
            else {
                continue;
            };
            let spared = match &rule.target.subject {
                Subject::Name(wire) => wire.clone(),
                Subject::Pattern(_) | Subject::All => name.suffix(0).into(),
            };
            let mut guarded = std::mem::take(&mut rule.guarded).into_vec();
            if let Err(place) = guarded.binary_search(&spared) {
                guarded.insert(place, spared);
                is_changed = true;
            }
            rule.guarded = guarded.into();
        }
        is_changed
    }

    /// The rule with a number.
    pub(super) fn rule(&self, number: u32) -> Option<&Rule> {
        self.rules.get(number as usize).map(|one| &one.rule)
    }

    /// The rules that hold for `name`; those of labels with the index of their first label.
    ///
    /// Without a type all rules that list count, and of exceptions those for every type.
    #[inline]
    pub(super) fn hits(&self, name: &Folded, hashes: &SuffixHashes, qtype: Option<u16>) -> Hits {
        let mut hits = Hits::new();
        let mut judge = |index: u8, number: u32| {
            if let Some(rule) = self.rules.get(number as usize)
                && rule.holds(index, name, qtype)
            {
                hits.push((index, number));
            }
        };
        self.names.each(name, hashes, |index, numbers| {
            for &number in numbers {
                judge(index as u8, number);
            }
        });
        for &number in &self.every {
            judge(BY_PATTERN, number);
        }
        self.patterns.each(&HostText::of(name), |number| judge(BY_PATTERN, number));
        hits
    }
}

impl TargetRule {
    fn holds(&self, index: u8, name: &Folded, qtype: Option<u16>) -> bool {
        let Self { target, rule, guarded } = self;
        let is_asked = match (qtype, rule.effect) {
            (Some(qtype), _) => target.types.has(qtype),
            (None, Effect::Clear | Effect::ClearImportant) => {
                target.types == crate::rule::QueryTypes::All
            }
            (None, _) => true,
        };
        is_asked
            && (index == BY_PATTERN || rule.scope.covers(index == 0))
            && !target.spares(name)
            && !is_at_or_below_any(name, guarded)
    }
}

impl fmt::Debug for TargetTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetTable").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}
