//! Packs joined into one table, under one numbering.

use std::sync::Arc;

use crate::category::{CategoryId, CategorySet, MAX_CATEGORIES};
use crate::dns::name::{Folded, Name};
use crate::matcher::suffix::{EveryRule, Listing, RpzRule, RuleChange, SuffixTable, Value};
use crate::matcher::targeted::{TargetRule, TargetTable};
use crate::pack::{BuildError, ListedNet, Pack, SEED, TargetedRule};
use crate::rule::{Action, EVERY_NAME, Effect, LocalData, Rule, SEVERAL_SOURCES, source_bit};

/// Several packs as one table.
#[derive(Debug, Default)]
pub struct JoinedPacks {
    /// Every listed name.
    pub table: SuffixTable,
    /// The local data behind [`Action::Local`].
    pub local: Vec<LocalData>,
    /// Listed addresses.
    pub addresses: Vec<ListedNet>,
    /// Sources of rules, by [`Rule::source`]: the place of the pack, and the place of the note in
    /// [`Pack::sources`].
    pub sources: Vec<(usize, usize)>,
    /// Categories of packs that the taxonomy lacks.
    pub unknown: Vec<String>,
}

/// Joins packs; `number` maps the id of a category to its number.
///
/// # Errors
///
/// [`BuildError::TooManyRules`] for more local data or sources than 16 bits can number.
pub fn join(
    packs: impl IntoIterator<Item = Arc<Pack>>,
    number: impl Fn(&str) -> Option<CategoryId>,
) -> Result<JoinedPacks, BuildError> {
    let mut joined = JoinedPacks::default();
    let mut per_category = vec![0; MAX_CATEGORIES];
    let mut named_in = vec![0; MAX_CATEGORIES];
    for (place, pack) in packs.into_iter().enumerate() {
        let numbers = Numbers::of(&pack, &number, &joined)?;
        if place == 0 {
            joined.table.seed = pack.seed();
        }
        let values = numbers.values(&pack);
        count(&pack, &values, &mut per_category);
        joined.table.has_actions |= pack.rules().iter().any(|rule| rule.action != Action::Default);
        let digest = pack.digest().first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets));
        joined.table.digest = joined.table.digest.rotate_left(1) ^ digest;
        joined.unknown.extend(numbers.unknown.iter().cloned());
        joined.addresses.extend(pack.addresses().iter().filter_map(|l| numbers.listed(l)));
        joined.local.extend_from_slice(pack.local());
        joined.sources.extend((0..numbers.source_count).map(|note| (place, note)));
        let every = pack.set_of(&every_name()).and_then(|set| values.get(usize::from(set)));
        let every: Box<[EveryRule]> = every.map_or_else(Box::default, |value| {
            let below = value.rpz.iter().filter(|rule| rule.scope.covers(false));
            below.map(|rule| EveryRule { rule: *rule, guarded: Box::default() }).collect()
        });
        joined.table.has_every |= !every.is_empty();
        let targets = TargetTable::new(numbers.targets(&pack), joined.table.seed);
        joined.table.has_actions |= pack.targets().iter().any(|t| t.rule.action != Action::Default);
        count_targets(targets.as_ref(), &mut per_category);
        let rules = values.iter().flat_map(|value| &value.rules);
        let rules = rules.chain(targets.iter().flat_map(TargetTable::rules).map(|one| &one.rule));
        let rules = rules.map(|rule| (rule.category, rule.effect, rule.source));
        let addresses = pack.addresses().iter().filter_map(|listed| numbers.listed(listed));
        let addresses = addresses.map(|one| (one.category, one.effect, one.source));
        note_sources(rules.chain(addresses), &mut named_in);
        joined.table.listings.push(Listing { pack, values, every, voided: Vec::new(), targets });
    }
    if joined.table.listings.is_empty() {
        joined.table.seed = SEED;
    }
    joined.unknown.sort_unstable();
    joined.unknown.dedup();
    joined.table.per_category = per_category.into_boxed_slice();
    joined.table.named_in = named_in.into_boxed_slice();
    Ok(joined)
}

/// The name of rules for every name.
fn every_name() -> Folded {
    Folded::from_wire(EVERY_NAME)
        .map_or_else(|_| Folded::from_name(&Name::root()), |(name, _)| name)
}

/// The numbers of one pack → the numbers of the snapshot.
struct Numbers {
    categories: Vec<Option<CategoryId>>,
    unknown: Vec<String>,
    first_local: u16,
    first_source: u16,
    source_count: usize,
    /// The sources that are response policy zones, in order.
    zones: Vec<u16>,
}

impl Numbers {
    fn of(
        pack: &Pack,
        number: impl Fn(&str) -> Option<CategoryId>,
        before: &JoinedPacks,
    ) -> Result<Self, BuildError> {
        let of_names = pack.rules().iter().map(|rule| rule.source);
        let sources = of_names
            .chain(pack.addresses().iter().map(|listed| listed.source))
            .chain(pack.targets().iter().map(|targeted| targeted.rule.source));
        let sources = sources.filter(|source| *source != SEVERAL_SOURCES);
        let source_count = sources.map(|s| usize::from(s) + 1).max().unwrap_or(0);
        let source_count = source_count.max(pack.sources().len());
        let fits = |count: usize| u16::try_from(count).map_err(|_| BuildError::TooManyRules);
        fits(before.local.len() + pack.local().len())?;
        fits(before.sources.len() + source_count + 1)?;
        let known = |id: &String| number(id);
        let (first_local, first_source) = (fits(before.local.len())?, fits(before.sources.len())?);
        let zones = pack.rules().iter().filter(|rule| rule.effect == Effect::Rpz);
        let zones = zones.filter(|rule| rule.source != SEVERAL_SOURCES);
        let mut zones: Vec<u16> = zones.map(|rule| rule.source + first_source).collect();
        zones.sort_unstable();
        zones.dedup();
        Ok(Self {
            categories: pack.categories().iter().map(known).collect(),
            unknown: pack.categories().iter().filter(|id| number(id).is_none()).cloned().collect(),
            first_local,
            first_source,
            source_count,
            zones,
        })
    }

    fn action(&self, action: Action) -> Action {
        match action {
            Action::Local(number) => Action::Local(number + self.first_local),
            other => other,
        }
    }

    fn category(&self, of: CategoryId) -> Option<CategoryId> {
        self.categories.get(of.index()).copied().flatten()
    }

    fn rule(&self, rule: &Rule) -> Option<Rule> {
        let (category, action) = (self.category(rule.category)?, self.action(rule.action));
        Some(Rule { category, action, source: self.source(rule.source), ..*rule })
    }

    fn source(&self, source: u16) -> u16 {
        match source {
            SEVERAL_SOURCES => SEVERAL_SOURCES,
            source => source + self.first_source,
        }
    }

    fn listed(&self, listed: &ListedNet) -> Option<ListedNet> {
        let (category, action) = (self.category(listed.category)?, self.action(listed.action));
        Some(ListedNet { category, action, source: self.source(listed.source), ..*listed })
    }

    fn targets(&self, pack: &Pack) -> Vec<TargetRule> {
        let of = |one: &TargetedRule| {
            let rule = self.rule(&one.rule)?;
            Some(TargetRule { target: one.target.clone(), rule, guarded: Box::default() })
        };
        pack.targets().iter().filter_map(of).collect()
    }

    fn values(&self, pack: &Pack) -> Box<[Value]> {
        let numbers = 0..pack.set_count().min(usize::from(u16::MAX)) as u16;
        let value = |number| {
            let mut rules: Vec<Rule> = pack.set(number).1.filter_map(|r| self.rule(r)).collect();
            rules.sort_unstable();
            Value {
                here: RuleChange::of(&rules.as_slice(), true, |_| true),
                below: RuleChange::of(&rules.as_slice(), false, |_| true),
                rpz: rpz(&rules, &self.zones),
                rules: rules.into(),
            }
        };
        numbers.map(value).collect()
    }
}

/// Adds the number of names in each category.
fn count(pack: &Pack, values: &[Value], per_category: &mut [u64]) {
    for (number, value) in (0..).zip(values) {
        let (names, _) = pack.set(number);
        let lists = |r: &&Rule| {
            matches!(r.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
                && !r.action.is_pass()
        };
        let set: CategorySet = value.rules.iter().filter(lists).map(|r| r.category).collect();
        for category in set.iter() {
            if let Some(total) = per_category.get_mut(category.index()) {
                *total += u64::from(names);
            }
        }
    }
}

/// Adds the sources of rules that list names to those of their categories.
fn note_sources(rules: impl Iterator<Item = (CategoryId, Effect, u16)>, named_in: &mut [u32]) {
    for (category, effect, source) in rules {
        let lists = !matches!(effect, Effect::Clear | Effect::ClearImportant);
        if let Some(sources) = named_in.get_mut(category.index()).filter(|_| lists) {
            *sources |= source_bit(source);
        }
    }
}

/// Adds the number of rules about more than a name, each as one name.
fn count_targets(table: Option<&TargetTable>, per_category: &mut [u64]) {
    for TargetRule { rule, .. } in table.into_iter().flat_map(TargetTable::rules) {
        let lists = matches!(rule.effect, Effect::Add | Effect::AddImportant);
        if let Some(total) = per_category.get_mut(rule.category.index()).filter(|_| lists) {
            *total += 1;
        }
    }
}

fn rpz(rules: &[Rule], zones: &[u16]) -> Box<[RpzRule]> {
    rules
        .iter()
        .filter(|rule| rule.effect == Effect::Rpz)
        .filter_map(|rule| {
            let zone = zones.binary_search(&rule.source).ok()?;
            let Rule { category, scope, action, .. } = *rule;
            Some(RpzRule { zone: zone as u8, source: rule.source, category, scope, action })
        })
        .collect()
}
