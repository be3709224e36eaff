//! Keyword table: an automaton of all literals, and the conditions that confirm a hit.

use std::fmt;

use super::fold;
use super::parse::KeywordRules;
use super::rule::{KeywordRule, LiteralUse, Tier};
use super::zone::{Guarded, Protected, Zone};
use crate::category::{CategoryId, CategorySet};
use crate::dns::name::{Folded, Labels, Name};
use crate::matcher::automaton::Automaton;
use crate::matcher::hash_wire;

/// A label at least this long, of hexadecimal digits and `-`, is an identifier.
const OPAQUE_LABEL: usize = 16;
/// Literals up to this length count in the registrable label only.
const SHORT_LITERAL: usize = 4;

/// A literal of one or more rules; its place is its pattern in the automaton.
#[derive(Debug)]
struct Literal {
    length: u8,
    uses: Box<[LiteralUse]>,
    /// Shields that can cover its first octet, each with its start left of it in octets.
    shields: Box<[(u8, Box<[u8]>)]>,
}

/// The categories of the keyword rules that match a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeywordMatch {
    /// Hit by a rule of tier `block`.
    pub block: CategorySet,
    /// Hit by a rule of tier `observe`. May overlap with `block`.
    pub observe: CategorySet,
}

/// One matching rule, for `why`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeywordTrace<'a> {
    /// Tier of the rule.
    pub tier: Tier,
    /// Category of the rule.
    pub category: CategoryId,
    /// The pattern as written, or `tld` and the domain.
    pub pattern: &'a str,
    /// Its line in the rule file.
    pub line: u32,
    /// Which label of the name it hit, 0 for the first.
    pub label: usize,
}

/// Compiled keyword rules.
#[derive(Default)]
pub struct Keywords {
    automaton: Option<Automaton>,
    literals: Box<[Literal]>,
    rules: Box<[KeywordRule]>,
    /// Top-level domains, sorted, each with the place of its rule.
    tlds: Box<[(Box<[u8]>, u32)]>,
    protected: Protected,
    guarded: Guarded,
    digest: u64,
}

impl Keywords {
    /// Builds the automaton of `rules`.
    pub fn compile(rules: KeywordRules) -> Self {
        let digest = rules.digest();
        let KeywordRules { rules, mut literals, shields, mut tlds, protected } = rules;
        // Sorted, so that equal literals stand together.
        literals.sort_by(|a, b| a.0.cmp(&b.0));
        tlds.sort();
        let mut table: Vec<Literal> = Vec::new();
        let mut words: Vec<&[u8]> = Vec::new();
        for group in literals.chunk_by(|a, b| a.0 == b.0) {
            let Some((word, _)) = group.first() else { continue };
            words.push(word);
            table.push(Literal {
                length: word.len() as u8,
                uses: group.iter().map(|(_, place)| *place).collect(),
                shields: shields_over(word, &shields),
            });
        }
        Self {
            automaton: Automaton::new(&words),
            literals: table.into(),
            rules: rules.into(),
            tlds: tlds.into(),
            protected: Protected::new(&protected),
            guarded: Guarded::default(),
            digest,
        }
    }

    /// Takes the labels of those `names` for which `is_void` refuses a rule that blocks out of what
    /// rules of its category look at. A label in front of such a name is looked at as ever. Law: the
    /// number of the rules changes with them.
    pub fn guard<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n Name>,
        mut is_void: impl FnMut(&Name, &KeywordTrace<'_>) -> bool,
    ) {
        let mut guarded = Vec::new();
        for name in names {
            let folded = Folded::from_name(name);
            let hits = self.trace(&folded).into_iter().filter(|hit| hit.tier == Tier::Block);
            let void = hits.filter(|hit| is_void(name, hit)).map(|hit| hit.category);
            let void: CategorySet = void.collect();
            if !void.is_empty() {
                let hash = hash_wire(name.as_wire(), self.digest);
                self.digest = self.digest.rotate_left(1) ^ hash;
                guarded.push((name.clone(), void));
            }
        }
        self.guarded = Guarded::new(guarded);
    }

    /// The categories of the rules that match `name`, by tier.
    #[inline]
    pub fn lookup(&self, name: &Folded) -> KeywordMatch {
        let mut found = KeywordMatch::default();
        self.visit(name, |rule, _| match rule.tier {
            Tier::Block => found.block = found.block.with(rule.category),
            Tier::Observe => found.observe = found.observe.with(rule.category),
        });
        found
    }

    /// Every rule that matches `name`, by label, then by line; each once per label.
    pub fn trace(&self, name: &Folded) -> Vec<KeywordTrace<'_>> {
        let mut found = Vec::new();
        self.visit(name, |rule, label| {
            found.push(KeywordTrace {
                tier: rule.tier,
                category: rule.category,
                pattern: &rule.pattern,
                line: rule.line,
                label,
            });
        });
        found.sort_by_key(|hit| (hit.label, hit.line));
        found.dedup();
        found
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Number of rules; shields and protected suffixes are not rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// A number that changes when the meaning of the rules does, whatever their order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Calls `hit` with each rule that hits, and the label. The same rule may come again.
    #[inline]
    fn visit<'a>(&'a self, name: &Folded, mut hit: impl FnMut(&'a KeywordRule, usize)) {
        let mut zone = Zone::new(name, &self.protected);
        self.visit_tld(name, &mut zone, &mut hit);
        let Some(automaton) = &self.automaton else { return };
        // The last label is a registry's in any case.
        let inspected = name.label_count().saturating_sub(1);
        for (index, label) in Labels(name.as_wire()).take(inspected).enumerate() {
            if index == 0 && label == b"www" {
                continue;
            }
            if label.starts_with(fold::PREFIX) {
                let mut buffer = [0; fold::ROOM];
                if let Some(label) = fold::label(label, &mut buffer) {
                    self.visit_label(automaton, index, label, &mut zone, &mut hit);
                }
            } else {
                self.visit_label(automaton, index, label, &mut zone, &mut hit);
            }
        }
    }

    #[inline]
    fn visit_label<'a>(
        &'a self,
        automaton: &Automaton,
        index: usize,
        label: &[u8],
        zone: &mut Zone<'_>,
        hit: &mut impl FnMut(&'a KeywordRule, usize),
    ) {
        automaton
            .scan(label, |literal, end| self.occurrence(literal, end, index, label, zone, hit));
    }

    /// Judges one occurrence of a literal, which ends before octet `end` of the label.
    fn occurrence<'a>(
        &'a self,
        literal: usize,
        end: usize,
        index: usize,
        label: &[u8],
        zone: &mut Zone<'_>,
        hit: &mut impl FnMut(&'a KeywordRule, usize),
    ) {
        let Some(literal) = self.literals.get(literal) else { return };
        let length = usize::from(literal.length);
        let start = end - length;
        for place in &literal.uses {
            if !place.left.holds_before(label, start) || !place.right.holds_after(label, end) {
                continue;
            }
            if literal.is_shielded(label, start) || is_opaque(label) {
                return;
            }
            let counts = match zone.registrable() {
                Some(registrable) if length <= SHORT_LITERAL => index == registrable,
                Some(registrable) => index <= registrable,
                None => false,
            };
            if !counts || zone.is_protected() {
                return;
            }
            if let Some(rule) = self.rules.get(place.rule as usize)
                && !self.is_void(rule, zone, index)
            {
                hit(rule, index);
            }
        }
    }

    #[inline]
    fn visit_tld<'a>(
        &'a self,
        name: &Folded,
        zone: &mut Zone<'_>,
        hit: &mut impl FnMut(&'a KeywordRule, usize),
    ) {
        let Some(last) = name.label_count().checked_sub(1) else { return };
        let label = name.label(last);
        let first = self.tlds.partition_point(|(tld, _)| &**tld < label);
        let equal = self.tlds.iter().skip(first).take_while(|(tld, _)| &**tld == label);
        for (_, rule) in equal {
            if zone.is_protected() {
                return;
            }
            if let Some(rule) = self.rules.get(*rule as usize)
                && !self.is_void(rule, zone, last)
            {
                hit(rule, last);
            }
        }
    }

    /// Whether a rule hits a label of a name that is guarded against it.
    fn is_void(&self, rule: &KeywordRule, zone: &Zone<'_>, label: usize) -> bool {
        rule.tier == Tier::Block && self.guarded.has(zone.name(), label, rule.category)
    }
}

impl fmt::Debug for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keywords")
            .field("rules", &self.rules.len())
            .field("literals", &self.literals.len())
            .field("digest", &format_args!("{:016x}", self.digest))
            .finish_non_exhaustive()
    }
}

impl Literal {
    /// Whether a shield covers the occurrence's first octet.
    fn is_shielded(&self, label: &[u8], start: usize) -> bool {
        self.shields.iter().any(|(before, shield)| {
            let from = start.checked_sub(usize::from(*before));
            from.and_then(|from| label.get(from..)).is_some_and(|rest| rest.starts_with(shield))
        })
    }
}

/// The shields that can cover the start of `word`, each with the offset of the word in it.
///
/// Shield and word must agree where they overlap, so most words have none.
pub(super) fn shields_over(word: &[u8], shields: &[Box<[u8]>]) -> Box<[(u8, Box<[u8]>)]> {
    let mut over = Vec::new();
    for shield in shields {
        for before in 0..shield.len() {
            let agrees = shield.iter().skip(before).zip(word).all(|(a, b)| a == b);
            if agrees {
                over.push((before as u8, shield.clone()));
            }
        }
    }
    over.into()
}

/// Whether a label is an identifier: a hash, a UUID.
fn is_opaque(label: &[u8]) -> bool {
    label.len() >= OPAQUE_LABEL
        && label.iter().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}
