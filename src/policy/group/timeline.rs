//! Timeline: the value in force in each interval, looked up by the civil time.
//!
//! ```text
//!        strict │ state 0 │ state 2 │ state 0 │ state 1 │ strict
//! ──────────────┼─────────┼─────────┼─────────┼─────────┼────────▶ civil seconds
//!             from      edge      edge      edge      until
//! ```
//!
//! It is computed outside the query path, for some weeks. Beyond its end, and while the clock is
//! untrusted, the strict state is in force: **an unknown time never loosens a rule.** A constant
//! value has no edges and needs no clock.
//!
//! Absent on purpose: weekdays, time zones, calendars.

use crate::policy::group::time::{Now, Trust};

/// A value for each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<T> {
    states: Vec<T>,
    /// Start of each interval in ascending order, with its place in `states`; the first is the
    /// start of the table. Empty where `states[strict]` is in force at all times.
    edges: Vec<(u64, u16)>,
    until: u64,
    strict: u16,
}

impl<T> Timeline<T> {
    /// One value at all times.
    #[cfg(test)]
    pub fn constant(state: T) -> Self {
        Self { states: vec![state], edges: Vec::new(), until: u64::MAX, strict: 0 }
    }

    /// The same intervals with other values.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Timeline<U> {
        Timeline {
            states: self.states.into_iter().map(make).collect(),
            edges: self.edges,
            until: self.until,
            strict: self.strict,
        }
    }

    /// Every value that can be in force.
    pub fn states(&self) -> &[T] {
        &self.states
    }

    /// Whether one value is in force at all times.
    #[inline]
    pub fn is_constant(&self) -> bool {
        self.edges.is_empty()
    }

    /// The value for unknown times.
    #[inline]
    pub fn strict(&self) -> &T {
        &self.states[usize::from(self.strict)]
    }

    /// The value in force now.
    #[inline]
    pub fn at(&self, now: Now) -> &T {
        self.place(now).map_or(self.strict(), |edge| self.state(edge))
    }

    /// The number of the interval between two edges that contains now; 0 where it is unknown.
    ///
    /// Within an interval the value and the edges ahead do not change.
    #[inline]
    pub fn interval(&self, now: Now) -> u32 {
        self.place(now).map_or(0, |edge| edge as u32 + 1)
    }

    /// The edges after now, each with the value in force from it on.
    ///
    /// None while the clock is untrusted: their distance is unknown.
    #[inline]
    pub fn changes(&self, now: Now) -> impl Iterator<Item = (u64, &T)> {
        let after = self.place(now).map_or(self.edges.len(), |edge| edge + 1);
        (after..self.edges.len())
            .filter_map(|edge| Some((self.edges.get(edge)?.0, self.state(edge))))
    }

    /// The place in [`Timeline::states`] of the value in force now.
    pub fn number(&self, now: Now) -> usize {
        let place = self.place(now).and_then(|edge| self.edges.get(edge));
        usize::from(place.map_or(self.strict, |&(_, place)| place))
    }

    /// The value in force now, and the instant of the next edge in civil seconds; `u64::MAX` where
    /// none comes, or its distance is unknown.
    #[inline]
    pub fn at_until(&self, now: Now) -> (&T, u64) {
        let Some(edge) = self.place(now) else { return (self.strict(), u64::MAX) };
        let next = self.edges.get(edge + 1).map_or(self.until, |&(next, _)| next);
        (self.state(edge), next)
    }

    /// The instants at which the value can change, in ascending order.
    pub fn instants(&self) -> impl Iterator<Item = u64> {
        let end = (!self.edges.is_empty()).then_some(self.until);
        self.edges.iter().map(|&(edge, _)| edge).chain(end)
    }

    /// The instants that the table covers; `None` for a constant value.
    pub fn span(&self) -> Option<std::ops::Range<u64>> {
        Some(self.edges.first()?.0..self.until)
    }

    /// The number of the last edge before now.
    #[inline]
    fn place(&self, now: Now) -> Option<usize> {
        if self.edges.is_empty() || now.trust == Trust::Untrusted || now.civil >= self.until {
            return None;
        }
        self.edges.partition_point(|&(edge, _)| edge <= now.civil).checked_sub(1)
    }

    #[inline]
    fn state(&self, edge: usize) -> &T {
        let place = self.edges.get(edge).map_or(self.strict, |&(_, place)| place);
        self.states.get(usize::from(place)).unwrap_or(self.strict())
    }
}

impl<T: PartialEq> Timeline<T> {
    /// The values of `state_at` from `from` to `until`; they change at `edges` only.
    ///
    /// Equal neighbours are merged; where all values equal `strict` the timeline is constant.
    pub fn new(
        from: u64,
        until: u64,
        edges: impl IntoIterator<Item = u64>,
        state_at: impl Fn(u64) -> T,
        strict: T,
    ) -> Self {
        let mut instants: Vec<u64> =
            edges.into_iter().filter(|edge| (from..until).contains(edge)).collect();
        instants.push(from);
        instants.sort_unstable();
        instants.dedup();
        let mut line = Self { states: vec![strict], edges: Vec::new(), until, strict: 0 };
        for instant in instants {
            let state = state_at(instant);
            let place = line.states.iter().position(|known| *known == state);
            let place = place.unwrap_or_else(|| {
                line.states.push(state);
                line.states.len() - 1
            });
            // States past 65,535 become strict, never loose.
            let place = u16::try_from(place).unwrap_or(line.strict);
            if line.edges.last().is_none_or(|&(_, last)| last != place) {
                line.edges.push((instant, place));
            }
        }
        if line.states.len() == 1 {
            line.edges.clear();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(civil: u64) -> Now {
        Now { mono: 1, civil, trust: Trust::Synced }
    }

    /// 7 from 100 to 200 and from 300 to 400, else 1; strict is 9; known from 50 to 1000.
    fn line() -> Timeline<u8> {
        let state_at = |t| if (100..200).contains(&t) || (300..400).contains(&t) { 7 } else { 1 };
        Timeline::new(50, 1000, [100, 150, 200, 300, 400, 2000], state_at, 9)
    }

    #[test]
    fn an_edge_belongs_to_what_it_begins() {
        let line = line();
        let found = [49, 50, 99, 100, 199, 200, 299, 300, 999, 1000].map(|t| *line.at(at(t)));
        assert_eq!(found, [9, 1, 1, 7, 7, 1, 1, 7, 1, 9]);
        let changes = |t| line.changes(at(t)).map(|(e, s)| (e, *s)).collect::<Vec<_>>();
        assert_eq!(changes(100), [(200, 1), (300, 7), (400, 1)]);
        assert_eq!(changes(400), []);
        let until = |t| line.at_until(at(t)).1;
        assert_eq!([49, 50, 100, 400, 1000].map(until), [u64::MAX, 100, 200, 1000, u64::MAX]);
        assert_eq!(line.instants().collect::<Vec<_>>(), [50, 100, 200, 300, 400, 1000]);
        for t in [49, 50, 99, 100, 250, 300, 1000] {
            assert_eq!(line.states().get(line.number(at(t))), Some(line.at(at(t))));
        }
    }

    #[test]
    fn a_clock_that_is_not_trusted_gets_the_strict_state_and_no_edge() {
        let now = Now { trust: Trust::Untrusted, ..at(150) };
        assert_eq!(*line().at(now), 9);
        assert_eq!(line().changes(now).count(), 0);
        let now = Now { trust: Trust::Plausible, ..at(150) };
        assert_eq!(*line().at(now), 7);
    }

    #[test]
    fn what_never_changes_needs_no_clock() {
        let same = Timeline::new(50, 1000, [100, 200], |_| 3, 3);
        assert!(same.is_constant() && same.span().is_none());
        assert_eq!(*same.at(at(5000)), 3);
        assert_eq!(*Timeline::constant(4).at(Now { trust: Trust::Untrusted, ..at(0) }), 4);
    }

    proptest! {
        #[test]
        fn the_table_equals_the_function(
            edges in proptest::collection::btree_set(0_u64..200, 0..12),
            t in 0_u64..220,
        ) {
            let state_at = |t: u64| edges.iter().filter(|&&edge| edge <= t).count() % 3;
            let line = Timeline::new(10, 200, edges.iter().copied(), state_at, 99);
            let expected = if (10..200).contains(&t) { state_at(t) } else { 99 };
            prop_assert_eq!(*line.at(at(t)), expected);
            for (edge, state) in line.changes(at(t)) {
                prop_assert!(edge > t);
                prop_assert_eq!(*state, state_at(edge));
                prop_assert_ne!(state_at(edge), state_at(edge - 1));
            }
        }
    }
}
