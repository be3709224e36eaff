//! What the keyword rules cost a name that no list knows.
//!
//! The names are those of the guard and of the starter lists people use most, each also below
//! `www`, a CDN label and a hashed label. `fold` is the baseline: the same names only read from the
//! wire. Counts are asserted before anything is timed, so a fast wrong answer fails.
#![expect(clippy::unwrap_used, reason = "a bench")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lachan::config::data::taxonomy;
use lachan::dns::name::{Folded, Name};
use lachan::matcher::keyword::{KeywordRules, Keywords};

#[path = "support/popular.rs"]
mod names;
use names::{folded, popular};

const SHIPPED: &str = include_str!("../blocklists/keywords.txt");

fn main() {
    let names = popular();
    for rules in [500, usize::MAX] {
        let keywords = keywords(rules);
        let hits = folded(&names).iter().filter(|n| !keywords.lookup(n).block.is_empty()).count();
        assert_eq!(hits, 0, "popular names that the first {rules} rules hit");
        assert!(names.len() > 2000, "{} popular names are too few to time", names.len());
    }
    divan::main();
}

/// The shipped set, or its first so many keyword rules with all shields.
fn keywords(rules: usize) -> Keywords {
    let is_rule = |line: &&str| line.starts_with("block") || line.starts_with("observe");
    let (keyword, other): (Vec<&str>, Vec<&str>) = SHIPPED.lines().partition(is_rule);
    let kept = keyword.into_iter().take(rules);
    let text = other.into_iter().chain(kept).collect::<Vec<_>>().join("\n");
    let categories = taxonomy::parse(include_str!("../blocklists/categories.toml")).unwrap();
    Keywords::compile(KeywordRules::parse(&text, &categories).unwrap())
}

#[divan::bench]
fn fold(bencher: Bencher<'_, '_>) {
    let names = popular();
    bencher.counter(ItemsCount::new(names.len())).bench_local(|| {
        for wire in &names {
            let _ = black_box(Folded::from_wire(black_box(wire)));
        }
    });
}

#[divan::bench(args = [500, usize::MAX])]
fn lookup(bencher: Bencher<'_, '_>, rules: usize) {
    let keywords = keywords(rules);
    let names = folded(&popular());
    bencher.counter(ItemsCount::new(names.len())).bench_local(|| {
        for name in &names {
            black_box(keywords.lookup(black_box(name)));
        }
    });
}

#[divan::bench]
fn lookup_of_hits(bencher: Bencher<'_, '_>) {
    let keywords = keywords(usize::MAX);
    let names: Vec<Vec<u8>> =
        ["www.nhacaiuytin.com", "m.kuwin95.vip", "taixiu.example.vn", "a.b52club.app"]
            .map(|name| Name::from_text(name).unwrap().as_wire().to_vec())
            .to_vec();
    let names = folded(&names);
    assert!(names.iter().all(|name| !keywords.lookup(name).block.is_empty()));
    bencher.counter(ItemsCount::new(names.len())).bench_local(|| {
        for name in &names {
            black_box(keywords.lookup(black_box(name)));
        }
    });
}

#[divan::bench]
fn lookup_of_an_internationalised_name(bencher: Bencher<'_, '_>) {
    let keywords = keywords(usize::MAX);
    let name = Folded::from_name(&Name::from_text("www.tiếngviệt.vn").unwrap());
    bencher.bench_local(|| keywords.lookup(black_box(&name)));
}

#[divan::bench]
fn compile(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| keywords(usize::MAX));
}
