//! The end of the registry in a name, protected suffixes, and guarded names.
//!
//! All are computed once per name, and only after a literal matched.

use psl::{Psl as _, Type};

use crate::category::{CategoryId, CategorySet};
use crate::dns::name::{Folded, Name};
use crate::dns::public_suffix::PublicSuffixes;

/// Suffixes to which keywords never apply, sorted.
#[derive(Default)]
pub(super) struct Protected(Box<[Name]>);

impl Protected {
    pub(super) fn new(suffixes: &[Name]) -> Self {
        let mut suffixes = suffixes.to_vec();
        suffixes.sort();
        Self(suffixes.into())
    }

    fn covers(&self, name: &Folded) -> bool {
        (0..name.label_count()).any(|index| {
            let suffix = name.suffix(index);
            self.0.binary_search_by(|listed| listed.as_wire().cmp(suffix)).is_ok()
        })
    }
}

/// Guarded names with the categories that do not look at their labels, sorted; mostly none.
#[derive(Default)]
pub(super) struct Guarded(Box<[(Name, CategorySet)]>);

impl Guarded {
    pub(super) fn new(mut names: Vec<(Name, CategorySet)>) -> Self {
        names.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(names.into())
    }

    /// Whether a label of `name` is one of a guarded name, at or above it, of a category.
    pub(super) fn has(&self, name: &Folded, label: usize, category: CategoryId) -> bool {
        let is_guarded = |index| {
            let suffix = name.suffix(index);
            let found = self.0.binary_search_by(|(guarded, _)| guarded.as_wire().cmp(suffix));
            let guarded = found.ok().and_then(|place| self.0.get(place));
            guarded.is_some_and(|(_, categories)| categories.contains(category))
        };
        !self.0.is_empty() && (0..=label).any(is_guarded)
    }
}

/// Properties of one name, computed on first use.
pub(super) struct Zone<'a> {
    name: &'a Folded,
    protected: &'a Protected,
    registry: Option<usize>,
    is_protected: Option<bool>,
}

impl<'a> Zone<'a> {
    #[inline]
    pub(super) fn new(name: &'a Folded, protected: &'a Protected) -> Self {
        Self { name, protected, registry: None, is_protected: None }
    }

    /// The name.
    pub(super) fn name(&self) -> &'a Folded {
        self.name
    }

    /// The label directly left of the public suffix; `None` when the name is one.
    pub(super) fn registrable(&mut self) -> Option<usize> {
        let name = self.name;
        self.registry.get_or_insert_with(|| registry(name)).checked_sub(1)
    }

    /// Whether the name is, or lies below, a protected suffix.
    pub(super) fn is_protected(&mut self) -> bool {
        let (name, protected) = (self.name, self.protected);
        *self.is_protected.get_or_insert_with(|| protected.covers(name))
    }
}

/// The first label of the public suffix, by the ICANN section of the list.
///
/// The list returns the longest suffix of either section. One of the private section
/// (`blogspot.com`) is therefore looked up again without its first label, until the rest is a
/// registry's.
fn registry(name: &Folded) -> usize {
    let labels = name.label_count();
    // An unknown top-level domain is a registry of one label.
    let last = labels.saturating_sub(1);
    let mut first = 0;
    loop {
        let info = PublicSuffixes.find((first..labels).rev().map(|index| name.label(index)));
        let suffix = labels - labels_in(name, info.len);
        if info.typ != Some(Type::Private) || suffix >= last {
            return suffix.min(last);
        }
        first = suffix + 1;
    }
}

/// How many labels at the end of `name` make `length` octets of text with dots.
fn labels_in(name: &Folded, length: usize) -> usize {
    let mut octets = 0;
    let ends = (0..name.label_count()).rev().map(|index| {
        octets += name.label(index).len() + 1;
        octets - 1
    });
    ends.take_while(|&end| end <= length).count()
}
