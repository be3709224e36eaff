//! What clients are held to beside categories: safe modes of search engines, and canaries.
//!
//! Layers say it one over another, as they do of categories. It does not change with the time.

use crate::policy::tables::names::CanaryKind;
use crate::policy::tables::rewrite::{Engines, SafeModes};

/// Safe modes and canaries of one layer, or of all together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enforcement {
    /// What search engines are held to.
    pub safe: SafeModes,
    /// The canaries that are answered negatively.
    pub canaries: Vec<CanaryKind>,
}

impl Enforcement {
    /// Nothing is held to anything.
    pub fn nothing(engines: &Engines) -> Self {
        Self { safe: SafeModes(vec![None; engines.0.len()]), canaries: Vec::new() }
    }

    /// Whether nothing is.
    pub fn is_nothing(&self) -> bool {
        self.safe.is_empty() && self.canaries.is_empty()
    }

    /// The stricter of both, point by point.
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

    /// Whether it is as strict as `floor` in every point.
    pub fn is_at_least(&self, floor: &Self, engines: &Engines) -> bool {
        self.at_least(floor, engines) == self.at_least(&Self::nothing(engines), engines)
    }
}
