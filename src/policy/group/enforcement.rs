//! Enforcement beside categories: safe search and canaries.
//!
//! Layers override one another as they do for categories. Enforcement is the same at all times.

use crate::policy::tables::names::CanaryKind;
use crate::policy::tables::rewrite::{Engines, SafeModes};

/// Safe search and canaries of one layer, or of all layers combined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enforcement {
    /// Enforced modes of search engines.
    pub safe: SafeModes,
    /// The canaries that are answered negatively.
    pub canaries: Vec<CanaryKind>,
}

impl Enforcement {
    /// No enforcement.
    pub fn nothing(engines: &Engines) -> Self {
        Self { safe: SafeModes(vec![None; engines.0.len()]), canaries: Vec::new() }
    }

    /// Whether nothing is enforced.
    pub fn is_nothing(&self) -> bool {
        self.safe.is_empty() && self.canaries.is_empty()
    }

    /// The stricter of both, for each engine and canary.
    #[must_use]
    pub fn at_least(&self, floor: &Self, engines: &Engines) -> Self {
        let stricter = |number: usize| {
            let of = |layer: &Self| layer.safe.0.get(number).cloned().flatten();
            let (own, least) = (of(self), of(floor));
            let rank = |target: &Option<_>| engines.rank(number, target.as_ref());
            if rank(&least) > rank(&own) { least } else { own }
        };
        let holds =
            |kind: &CanaryKind| self.canaries.contains(kind) || floor.canaries.contains(kind);
        Self {
            safe: SafeModes((0..engines.0.len()).map(stricter).collect()),
            canaries: CanaryKind::ALL.into_iter().filter(holds).collect(),
        }
    }

    /// Whether it is at least as strict as `floor` for each engine and canary.
    pub fn is_at_least(&self, floor: &Self, engines: &Engines) -> bool {
        self.at_least(floor, engines) == self.at_least(&Self::nothing(engines), engines)
    }
}
