use super::*;
use crate::category::{CategoryId, CategorySet, MAX_CATEGORIES};
use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::suffix::{Listed, SuffixTable, ZoneHit};
use crate::rule::{Action, Effect, Scope, source_bit};
use proptest::prelude::*;

fn rule(category: usize, scope: Scope, effect: Effect) -> Rule {
    Rule {
        category: CategoryId::new(category).unwrap(),
        scope,
        effect,
        action: Action::Default,
        source: 0,
    }
}

fn lookup(table: &SuffixTable, name: &str) -> Vec<usize> {
    let name = Folded::from_name(&Name::from_text(name).unwrap());
    let hashes = SuffixHashes::of(&name, table.seed());
    table.lookup(&name, &hashes).set.iter().map(CategoryId::index).collect()
}

fn table(rules: &[(&str, Rule)]) -> SuffixTable {
    let mut builder = Builder::new(3);
    for (name, rule) in rules {
        builder.add(Name::from_text(name).unwrap().as_wire(), *rule).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn scopes_and_label_boundaries_are_kept() {
    let table = table(&[
        ("example.com", rule(1, Scope::Subtree, Effect::Add)),
        ("exact.org", rule(2, Scope::Exact, Effect::Add)),
        ("below.net", rule(3, Scope::Below, Effect::Add)),
    ]);
    assert_eq!(lookup(&table, "example.com"), [1]);
    assert_eq!(lookup(&table, "a.b.example.com"), [1]);
    assert!(lookup(&table, "notexample.com").is_empty());
    assert!(lookup(&table, "com").is_empty());
    assert_eq!(lookup(&table, "exact.org"), [2]);
    assert!(lookup(&table, "www.exact.org").is_empty());
    assert!(lookup(&table, "below.net").is_empty());
    assert_eq!(lookup(&table, "www.below.net"), [3]);
}

#[test]
fn exceptions_clear_their_category_from_their_name_down() {
    let table = table(&[
        ("a.com", rule(1, Scope::Subtree, Effect::Add)),
        ("a.com", rule(2, Scope::Subtree, Effect::Add)),
        ("ok.a.com", rule(1, Scope::Subtree, Effect::Clear)),
        ("bad.ok.a.com", rule(1, Scope::Subtree, Effect::Add)),
        ("i.com", rule(1, Scope::Subtree, Effect::AddImportant)),
        ("x.i.com", rule(1, Scope::Subtree, Effect::Clear)),
        ("y.i.com", rule(1, Scope::Subtree, Effect::ClearImportant)),
        ("both.com", rule(1, Scope::Subtree, Effect::Add)),
        ("both.com", rule(1, Scope::Subtree, Effect::Clear)),
    ]);
    assert_eq!(lookup(&table, "a.com"), [1, 2]);
    assert_eq!(lookup(&table, "x.ok.a.com"), [2]);
    assert_eq!(lookup(&table, "bad.ok.a.com"), [1, 2]);
    assert_eq!(lookup(&table, "x.i.com"), [1]);
    assert!(lookup(&table, "y.i.com").is_empty());
    assert!(lookup(&table, "both.com").is_empty());
}

#[test]
fn many_names_are_found_and_no_other() {
    let mut builder = Builder::new(11);
    for n in 0..50_000 {
        let name = Name::from_text(&format!("n{n}.example{}.org", n % 7)).unwrap();
        builder.add(name.as_wire(), rule(n % 5, Scope::Exact, Effect::Add)).unwrap();
    }
    let table = builder.build().unwrap();
    assert_eq!(table.len(), 50_000);
    for n in 0..50_000 {
        assert_eq!(lookup(&table, &format!("n{n}.example{}.org", n % 7)), [n % 5]);
        assert!(lookup(&table, &format!("n{n}.example{}.org", n % 7 + 7)).is_empty());
    }
    assert_eq!(table.listed_in(0), 10_000);
}

#[test]
fn an_empty_table_lists_nothing() {
    let table = table(&[]);
    assert!(table.is_empty());
    assert!(lookup(&table, "example.com").is_empty());
    assert!(lookup(&SuffixTable::default(), "example.com").is_empty());
}

/// The same rules, looked up by walking a list of them.
fn naive(rules: &[(Name, Rule)], name: &Name) -> CategorySet {
    let (mut plain, mut important) = (CategorySet::EMPTY, CategorySet::EMPTY);
    let mut path = vec![name.clone()];
    while let Some(parent) = path.last().unwrap().parent() {
        path.push(parent);
    }
    for node in path.iter().rev() {
        let here: Vec<Rule> = rules.iter().filter(|(n, _)| n == node).map(|(_, r)| *r).collect();
        let has = |category, effect| {
            here.iter().any(|r| {
                r.category == category && r.effect == effect && r.scope.covers(node == name)
            })
        };
        for category in (0..MAX_CATEGORIES).filter_map(CategoryId::new) {
            let bit = CategorySet::EMPTY.with(category);
            if has(category, Effect::ClearImportant) {
                important = important.without(bit);
                plain = plain.without(bit);
            } else {
                if has(category, Effect::AddImportant) {
                    important = important.union(bit);
                }
                if has(category, Effect::Clear) {
                    plain = plain.without(bit);
                } else if has(category, Effect::Add) {
                    plain = plain.union(bit);
                }
            }
        }
    }
    plain.union(important)
}

fn any_name() -> impl Strategy<Value = Name> {
    proptest::collection::vec("[ab]{1,2}", 1..5)
        .prop_map(|labels| Name::from_text(&labels.join(".")).unwrap())
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let scope = prop_oneof![Just(Scope::Exact), Just(Scope::Subtree), Just(Scope::Below)];
    let effect = prop_oneof![
        Just(Effect::Add),
        Just(Effect::AddImportant),
        Just(Effect::Clear),
        Just(Effect::ClearImportant),
        Just(Effect::Rpz),
    ];
    let action = prop_oneof![
        Just(Action::Passthru),
        Just(Action::PassthruAll),
        Just(Action::NxDomain),
        Just(Action::Drop),
    ];
    (0..4_usize, scope, effect, action, 0..3_u16).prop_map(
        |(category, scope, effect, action, source)| Rule {
            // A zone has one category, two of the three share one, and other rules have no action.
            category: CategoryId::new(if effect == Effect::Rpz {
                usize::from(source / 2)
            } else {
                category
            })
            .unwrap(),
            scope,
            effect,
            action: if effect == Effect::Rpz { action } else { Action::Default },
            source,
        },
    )
}

/// The rule of each zone that has a name: of the longest name. What a zone has by itself stops the
/// wildcards above it for what is below.
fn naive_zones(rules: &[(Name, Rule)], name: &Name) -> Vec<Rule> {
    let of_zone = |zone: u16| {
        let mut node = Some(name.clone());
        while let Some(at) = node {
            let is_here =
                |(n, r): &&(Name, Rule)| *n == at && r.effect == Effect::Rpz && r.source == zone;
            let here = || rules.iter().filter(is_here).map(|(_, r)| *r);
            if let Some(rule) = here().filter(|r| r.scope.covers(at == *name)).min() {
                return Some(rule);
            }
            if here().any(|r| r.scope == Scope::Exact) {
                return None;
            }
            node = at.parent();
        }
        None
    };
    (0..3).filter_map(of_zone).collect()
}

/// The model among zones: a rule decides unless an earlier zone of its category has one, or an
/// earlier one that decides passes all.
fn deciding(found: &[Rule]) -> Vec<Rule> {
    let mut decided: Vec<Rule> = Vec::new();
    for rule in found {
        let is_over = decided
            .iter()
            .any(|other| other.category == rule.category || other.action == Action::PassthruAll);
        if !is_over {
            decided.push(*rule);
        }
    }
    decided
}

/// The listing by the model, without the zones of `is_spared`.
fn modelled(rules: &[(Name, Rule)], name: &Name, is_spared: impl Fn(&Rule) -> bool) -> Listed {
    let found = naive_zones(rules, name);
    let blocking = |rule: &&Rule| !rule.action.is_pass();
    let any_zone = found.iter().filter(blocking).map(|rule| rule.category).collect();
    let asked: Vec<Rule> = found.into_iter().filter(|rule| !is_spared(rule)).collect();
    let decided = deciding(&asked);
    let blocks = || decided.iter().filter(blocking);
    let zones: CategorySet = blocks().map(|rule| rule.category).collect();
    let zone = blocks().next().map(|r| ZoneHit { category: r.category, action: r.action });
    Listed { set: naive(rules, name).union(zones), any_zone, zone, named: 0 }
}

/// The sources that list a name or one above it, whatever exceptions say; those of zones that decide.
fn modelled_sources(rules: &[(Name, Rule)], name: &Name) -> u32 {
    let lists = |rule: &Rule| matches!(rule.effect, Effect::Add | Effect::AddImportant);
    let is_above =
        |at: &Name| std::iter::successors(Some(name.clone()), Name::parent).any(|n| n == *at);
    let plain = rules
        .iter()
        .filter(|(at, rule)| lists(rule) && is_above(at) && rule.scope.covers(at == name));
    let zones = deciding(&naive_zones(rules, name));
    let zones = zones.iter().filter(|rule| !rule.action.is_pass()).map(|rule| rule.source);
    plain.map(|(_, rule)| rule.source).chain(zones).fold(0, |set, one| set | source_bit(one))
}

proptest! {
    #[test]
    fn the_table_equals_the_naive_walk(
        rules in proptest::collection::vec((any_name(), any_rule()), 0..60),
        names in proptest::collection::vec(any_name(), 1..30),
        seed: u64,
    ) {
        let build = |rules: &mut dyn Iterator<Item = &(Name, Rule)>| {
            let mut builder = Builder::new(seed);
            for (name, rule) in rules {
                builder.add(name.as_wire(), *rule).unwrap();
            }
            builder.build().unwrap()
        };
        let forward = build(&mut rules.iter());
        let backward = build(&mut rules.iter().rev());
        prop_assert_eq!(forward.digest(), backward.digest());
        for name in &names {
            let folded = Folded::from_name(name);
            let hashes = SuffixHashes::of(&folded, seed);
            let expected = modelled(&rules, name, |_| false);
            for table in [&forward, &backward] {
                let found = table.lookup(&folded, &hashes);
                let is_named = modelled_sources(&rules, name) != 0;
                prop_assert!(found.set.is_empty() || is_named == (found.named != 0));
                prop_assert_eq!(Listed { named: 0, ..found }, expected);
            }
        }
    }

    /// A pass of one name ends its zone and the later ones of its category for another name; a pass of
    /// all ends all later ones. Locks see every zone as before.
    #[test]
    fn what_one_name_spares_another_equals_the_model(
        rules in proptest::collection::vec((any_name(), any_rule()), 0..40),
        asked in any_name(),
        alias in any_name(),
    ) {
        let rules: Vec<(Name, Rule)> =
            rules.into_iter().filter(|(_, rule)| rule.effect == Effect::Rpz).collect();
        let mut builder = Builder::new(7);
        for (name, rule) in &rules {
            builder.add(name.as_wire(), *rule).unwrap();
        }
        let table = builder.build().unwrap();
        let [asked_folded, alias_folded] = [&asked, &alias].map(Folded::from_name);
        let hashes = |name: &Folded| SuffixHashes::of(name, table.seed());
        let spared = table.spared(&asked_folded, &hashes(&asked_folded));
        let passed = deciding(&naive_zones(&rules, &asked));
        let is_spared = |rule: &Rule| passed.iter().any(|pass| {
            let is_of = pass.action == Action::PassthruAll
                || pass.action == Action::Passthru && pass.category == rule.category;
            is_of && rule.source >= pass.source
        });
        let found = table.lookup_without(&alias_folded, &hashes(&alias_folded), &spared);
        // Sources are numbered anew: the order of zones is the same, and there are no gaps.
        let unnamed = Listed { named: 0, ..found };
        prop_assert_eq!(unnamed, modelled(&rules, &alias, is_spared));
        let first = table.first_zone(&alias_folded, &hashes(&alias_folded), found.any_zone);
        prop_assert_eq!(first, modelled(&rules, &alias, |_| false).zone);
    }
}
