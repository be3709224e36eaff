use super::*;
use crate::category::{CategoryId, CategorySet, MAX_CATEGORIES};
use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::suffix::{Listed, SuffixTable, ZoneHit};
use crate::rule::{Action, Effect, Scope};
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
    let action = prop_oneof![Just(Action::Passthru), Just(Action::NxDomain), Just(Action::Drop)];
    (0..4_usize, scope, effect, action, 0..3_u16).prop_map(
        |(category, scope, effect, action, source)| Rule {
            // A zone has one category, and other rules have no action.
            category: CategoryId::new(if effect == Effect::Rpz { source.into() } else { category })
                .unwrap(),
            scope,
            effect,
            action: if effect == Effect::Rpz { action } else { Action::Default },
            source,
        },
    )
}

/// The model of zones: per zone the longest name with a rule, then the first zone.
fn naive_zones(rules: &[(Name, Rule)], name: &Name) -> (CategorySet, Option<ZoneHit>) {
    let (mut any, mut first) = (CategorySet::EMPTY, None);
    for zone in 0..3 {
        let mut node = Some(name.clone());
        while let Some(at) = node {
            let hit = rules
                .iter()
                .filter(|(n, r)| {
                    *n == at
                        && r.effect == Effect::Rpz
                        && r.source == zone
                        && r.scope.covers(at == *name)
                })
                .map(|(_, r)| *r)
                .min();
            if let Some(rule) = hit {
                if rule.action != Action::Passthru {
                    any = any.with(rule.category);
                }
                first.get_or_insert(ZoneHit { category: rule.category, action: rule.action });
                break;
            }
            node = at.parent();
        }
    }
    (any, first)
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
            let (any_zone, zone) = naive_zones(&rules, name);
            let mut set = naive(&rules, name);
            if let Some(hit) = zone.filter(|hit| hit.action != Action::Passthru) {
                set = set.with(hit.category);
            }
            let expected = Listed { set, any_zone, zone };
            prop_assert_eq!(forward.lookup(&folded, &hashes), expected);
            prop_assert_eq!(backward.lookup(&folded, &hashes), expected);
        }
    }
}
