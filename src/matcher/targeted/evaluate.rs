//! The meaning of rules about more than a name, among those of names.

use super::table::{BY_PATTERN, Hits, TargetRule, TargetTable};
use crate::category::{CategoryId, CategorySet};
use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;
use crate::matcher::suffix::{Listing, RuleChange, State, SuffixTable, Value};
use crate::rule::{Action, Effect, Rule, SEVERAL_SOURCES};

/// The categories from the root to a node, and those that an exception holds cleared.
#[derive(Default)]
struct Held {
    state: State,
    cleared: CategorySet,
    important_cleared: CategorySet,
}

impl Held {
    fn apply(&mut self, change: &RuleChange) {
        self.state = self.state.apply(change);
        let cleared = self.cleared.union(change.cleared).union(change.important_cleared);
        self.cleared = cleared.without(change.added);
        self.important_cleared =
            self.important_cleared.union(change.important_cleared).without(change.important);
    }

    /// The result with the rules that match whole names.
    fn with(self, change: &RuleChange) -> State {
        let Self { state, cleared, important_cleared } = self;
        let freed = change.cleared.union(change.important_cleared);
        let important = change.important.without(important_cleared);
        State {
            plain: state.plain.without(freed).union(change.added.without(cleared)),
            important: state.important.without(change.important_cleared).union(important),
            named: state.named | change.named,
        }
    }
}

impl TargetTable {
    /// The rules of hits at a label, or of patterns.
    fn at<'a>(
        &'a self,
        hits: &'a Hits,
        index: u8,
    ) -> impl Iterator<Item = &'a Rule> + Clone + use<'a> {
        hits.iter().filter(move |(at, _)| *at == index).filter_map(|(_, number)| self.rule(number))
    }
}

impl SuffixTable {
    /// The state of a name in one pack, if any rule about more than a name holds for it.
    #[inline]
    pub(in crate::matcher) fn targeted(
        &self,
        listing: &Listing,
        table: &TargetTable,
        name: &Folded,
        hashes: &SuffixHashes,
        qtype: Option<u16>,
    ) -> Option<State> {
        self.targeted_by(listing, table, (name, hashes), qtype, |_| true)
    }

    /// As `targeted`, by the rules that are asked.
    #[inline]
    pub(in crate::matcher) fn targeted_by(
        &self,
        listing: &Listing,
        table: &TargetTable,
        (name, hashes): (&Folded, &SuffixHashes),
        qtype: Option<u16>,
        is_asked: impl Fn(&Rule) -> bool,
    ) -> Option<State> {
        let hits = table.hits(name, hashes, qtype);
        (!hits.is_empty()).then(|| self.evaluate(listing, (name, hashes), (table, &hits), is_asked))
    }

    /// The sources with an exception about more than a name that holds for `name`, for every type.
    pub(in crate::matcher) fn sparing_targets(
        &self,
        name: &Folded,
        hashes: &SuffixHashes,
    ) -> Vec<u16> {
        let mut sources = Vec::new();
        for table in self.target_tables() {
            let hits = table.hits(name, hashes, None);
            let rules = hits.iter().filter_map(|(_, number)| table.rule(number));
            let clears = |rule: &&Rule| {
                matches!(rule.effect, Effect::Clear | Effect::ClearImportant)
                    && rule.source != SEVERAL_SOURCES
            };
            sources.extend(rules.filter(clears).map(|rule| rule.source));
        }
        sources
    }

    /// The state of a name in one pack, by the rules that are asked.
    #[cold]
    fn evaluate(
        &self,
        listing: &Listing,
        (name, hashes): (&Folded, &SuffixHashes),
        (table, hits): (&TargetTable, &Hits),
        is_asked: impl Fn(&Rule) -> bool,
    ) -> State {
        let mut held = Held::default();
        // Labels from the right: names of the pack, and those beside it.
        let mut next = hashes.label_count();
        let mut step = |index: usize, value: Option<&Value>| {
            while next > index {
                next -= 1;
                let here = value.filter(|_| next == index).map_or(&[][..], |value| &value.rules);
                let rules = here.iter().chain(table.at(hits, next as u8));
                held.apply(&RuleChange::of(&rules, next == 0, &is_asked));
            }
        };
        self.nodes(listing, name, hashes, |index, value| step(index, Some(value)));
        step(0, None);
        // The scope of a pattern is `Exact`, and so holds for the name itself.
        let patterns = RuleChange::of(&table.at(hits, BY_PATTERN), true, &is_asked);
        held.with(&patterns)
    }

    /// The action of the longest name, else of a pattern, that lists `name` in `category`.
    pub(in crate::matcher) fn targeted_action(
        &self,
        name: &Folded,
        hashes: &SuffixHashes,
        (category, qtype): (CategoryId, Option<u16>),
        (mut place, mut action): (usize, Action),
    ) -> Action {
        let mut by_pattern = Action::Default;
        for table in self.target_tables() {
            let hits = table.hits(name, hashes, qtype);
            for (index, number) in hits.iter() {
                let Some(rule) = table.rule(number) else { continue };
                let lists = matches!(rule.effect, Effect::Add | Effect::AddImportant);
                if !lists || rule.category != category {
                    continue;
                }
                if index == BY_PATTERN {
                    by_pattern = by_pattern.max(rule.action);
                } else if (usize::from(index), std::cmp::Reverse(rule.action))
                    < (place, std::cmp::Reverse(action))
                {
                    (place, action) = (index.into(), rule.action);
                }
            }
        }
        if action == Action::Default { by_pattern } else { action }
    }

    /// The rules about more than a name that hold for `name`, for traces.
    pub fn trace_targets(
        &self,
        name: &Folded,
        hashes: &SuffixHashes,
        qtype: Option<u16>,
    ) -> Vec<&TargetRule> {
        let of = |table| -> Vec<&TargetRule> {
            let table: &TargetTable = table;
            let hits = table.hits(name, hashes, qtype);
            hits.iter().filter_map(|(_, number)| table.rules().get(number as usize)).collect()
        };
        self.target_tables().flat_map(of).collect()
    }

    /// The rules about more than a name, by pack.
    pub(in crate::matcher) fn target_tables(&self) -> impl Iterator<Item = &TargetTable> {
        self.listings.iter().filter_map(|listing| listing.targets.as_ref())
    }

    /// Octets of the automata of all patterns.
    pub fn pattern_octets(&self) -> usize {
        self.target_tables().map(TargetTable::octets).sum()
    }
}
