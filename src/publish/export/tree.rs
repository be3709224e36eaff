//! Listed names in the order of the tree, each with what becomes of it and of the names below it.

use std::collections::BTreeMap;

use crate::dns::name::{Folded, Labels, MAX_LABELS};
use crate::publish::export::fate::Fate;
use crate::publish::export::level::LevelPolicy;
use crate::publish::export::lost::Lost;

/// No listed name above.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    at: u32,
    length: u8,
    /// The nearest listed name above.
    parent: u32,
    own: Fate,
    below: Fate,
    /// Whether it, or a listed name below it, passes.
    has_pass: bool,
}

/// Every listed name, parents first.
#[derive(Debug)]
pub(super) struct Tree {
    /// Names with their labels reversed and a zero octet between them: their order is that of the
    /// tree.
    keys: Vec<u8>,
    nodes: Vec<Node>,
    /// What becomes of a name of which nothing is said.
    pub(super) root: Fate,
}

/// One name of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct TreeName<'a> {
    /// Its place.
    pub(super) place: usize,
    /// Its labels reversed.
    pub(super) key: Key<'a>,
    /// What becomes of it.
    pub(super) own: Fate,
    /// What becomes of unlisted names below it.
    pub(super) below: Fate,
    /// Whether it, or a listed name below it, passes.
    pub(super) has_pass: bool,
}

/// A name with its labels reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key<'a>(pub(super) &'a [u8]);

impl<'a> Key<'a> {
    /// Whether it lies below `other`; every name lies below the empty one.
    pub(super) fn is_below(self, other: Key<'_>) -> bool {
        match self.0.strip_prefix(other.0) {
            Some(rest) => other.0.is_empty() && !rest.is_empty() || rest.first() == Some(&0),
            None => false,
        }
    }

    /// The names between `above` and it, the shortest first.
    pub(super) fn between(self, above: Key<'_>) -> impl Iterator<Item = Key<'a>> {
        let octets = self.0;
        let start = if above.0.is_empty() { 0 } else { above.0.len() + 1 };
        let ends = octets.iter().enumerate().filter(|(_, octet)| **octet == 0);
        ends.map(|(end, _)| end)
            .filter(move |end| *end > start)
            .filter_map(move |end| octets.get(..end).map(Key))
    }

    /// Its number of labels.
    pub(super) fn labels(self) -> usize {
        self.0.split(|octet| *octet == 0).count()
    }

    /// The name as people write it.
    pub(super) fn text(self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for label in self.0.rsplit(|octet| *octet == 0) {
            if !text.is_empty() {
                text.push('.');
            }
            text.extend(label.iter().map(|octet| char::from(*octet)));
        }
        text
    }

    /// Octets of the name on the wire.
    pub(super) fn wire_length(self) -> usize {
        self.0.len() + 2
    }
}

impl Tree {
    /// The names of a list, with those that are guarded; names that other programs do not read are
    /// counted in `lost`.
    pub(super) fn of(policy: &LevelPolicy, lost: &mut BTreeMap<Lost, u64>) -> Self {
        let pack = policy.pack();
        let mut tree = Self {
            keys: Vec::new(),
            nodes: Vec::with_capacity(pack.len()),
            root: policy.unlisted(),
        };
        let mut add = |wire: &[u8], is_counted: bool| {
            let Ok((name, _)) = Folded::from_wire(wire) else { return };
            if name.label_count() == 0 || !Labels(wire).all(is_plain) {
                let is_blocked = is_counted && policy.fate(&name).is_block();
                *lost.entry(Lost::OddName).or_default() += u64::from(is_blocked);
                return;
            }
            let (own, below) = policy.fates(&name);
            tree.push(wire, own, below);
        };
        pack.each_name(|wire, _| add(wire, true));
        for name in policy.guarded() {
            add(name.as_wire(), false);
        }
        lost.retain(|_, count| *count > 0);
        tree.sort();
        tree
    }

    fn push(&mut self, wire: &[u8], own: Fate, below: Fate) {
        let mut labels: [&[u8]; MAX_LABELS] = [&[]; MAX_LABELS];
        let mut count = 0;
        for (slot, label) in labels.iter_mut().zip(Labels(wire)) {
            *slot = label;
            count += 1;
        }
        let at = self.keys.len();
        for (place, label) in labels.iter().take(count).rev().enumerate() {
            if place > 0 {
                self.keys.push(0);
            }
            self.keys.extend_from_slice(label);
        }
        let length = (self.keys.len() - at) as u8;
        let has_pass = !own.is_block() || !below.is_block();
        self.nodes.push(Node { at: at as u32, length, parent: NONE, own, below, has_pass });
    }

    fn sort(&mut self) {
        let Self { keys, nodes, .. } = self;
        nodes.sort_unstable_by(|a, b| key(keys, a).0.cmp(key(keys, b).0));
        nodes.dedup_by(|a, b| key(keys, a) == key(keys, b));
        let mut above: Vec<u32> = Vec::new();
        for place in 0..nodes.len() {
            let Some(this) = nodes.get(place).copied() else { break };
            let is_above = |one: &u32| {
                let one = nodes.get(*one as usize);
                one.is_some_and(|one| key(keys, &this).is_below(key(keys, one)))
            };
            while above.last().is_some_and(|one| !is_above(one)) {
                above.pop();
            }
            let parent = above.last().copied().unwrap_or(NONE);
            if let Some(node) = nodes.get_mut(place) {
                node.parent = parent;
            }
            above.push(place as u32);
        }
        for place in (0..nodes.len()).rev() {
            let Some(node) = nodes.get(place).copied() else { continue };
            if let Some(parent) = nodes.get_mut(node.parent as usize) {
                parent.has_pass |= node.has_pass;
            }
        }
    }

    /// Number of names.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The names, parents first.
    pub(super) fn names(&self) -> impl Iterator<Item = TreeName<'_>> {
        self.nodes.iter().enumerate().map(|(place, node)| TreeName {
            place,
            key: key(&self.keys, node),
            own: node.own,
            below: node.below,
            has_pass: node.has_pass,
        })
    }

    /// The name at a place.
    pub(super) fn key(&self, place: usize) -> Key<'_> {
        self.nodes.get(place).map_or(Key(&[]), |node| key(&self.keys, node))
    }

    /// Whether a name is listed.
    pub(super) fn has(&self, wanted: &[u8]) -> bool {
        self.nodes.binary_search_by(|node| key(&self.keys, node).0.cmp(wanted)).is_ok()
    }
}

fn key<'k>(keys: &'k [u8], node: &Node) -> Key<'k> {
    let at = node.at as usize;
    Key(keys.get(at..at + usize::from(node.length)).unwrap_or(&[]))
}

/// Whether every program reads a label alike: letters, digits, hyphens, underscores.
fn is_plain(label: &[u8]) -> bool {
    label.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(octet))
}
