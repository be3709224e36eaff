//! What the patterns of lists cost a name that no list knows, beside as many keyword rules.
//!
//! The words are those of the shipped keyword rules, as regular expressions in four shapes that people
//! write; the names are popular ones, as in `keywords`. `without_literals` are expressions that no
//! literal stops, which all run on every name. Counts and octets are asserted before anything is
//! timed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lachan::blocklist::{Format, ScopeChoice, parse};
use lachan::category::CategoryId;
use lachan::config::data::taxonomy;
use lachan::dns::name::Folded;
use lachan::dns::rtype;
use lachan::matcher::SuffixHashes;
use lachan::matcher::build::join;
use lachan::matcher::keyword::{KeywordRules, Keywords};
use lachan::matcher::suffix::SuffixTable;
use lachan::pack::{Compiler, Pack, SEED, TargetedRule};
use lachan::rule::{Action, Rule};

#[path = "support/popular.rs"]
mod names;
use names::{folded, popular};

const SHIPPED: &str = include_str!("../blocklists/keywords.txt");
/// Patterns, and keyword rules.
const RULES: usize = 500;
/// What the automata of [`RULES`] patterns may take.
const MOST_OCTETS: usize = 8 << 20;

fn main() {
    let (table, names) = (table(&expressions()), folded(&popular()));
    let is_listed = |table: &SuffixTable, name: &Folded| {
        let hashes = SuffixHashes::of(name, table.seed());
        !table.lookup_of(name, &hashes, Some(rtype::A)).set.is_empty()
    };
    let hits = names.iter().filter(|name| is_listed(&table, name)).count();
    assert!(hits < names.len() / 50, "{hits} popular names are listed");
    assert!(names.len() > 2000, "{} popular names are too few to time", names.len());
    assert!(table.pattern_octets() <= MOST_OCTETS, "{} octets", table.pattern_octets());
    println!(
        "{RULES} patterns: {} octets; {hits} of {} names hit",
        table.pattern_octets(),
        names.len()
    );
    divan::main();
}

/// The words of the first keyword rules, each once.
fn words() -> Vec<String> {
    let is_rule = |line: &&str| line.starts_with("block") || line.starts_with("observe");
    let word = |line: &str| {
        let word = line.split_whitespace().nth(2)?;
        let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        (word.len() > 3).then_some(word)
    };
    let mut words: Vec<String> = SHIPPED.lines().filter(is_rule).filter_map(word).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(RULES);
    assert_eq!(words.len(), RULES);
    words
}

fn expressions() -> String {
    let shape = |(number, word): (usize, &String)| match number % 4 {
        0 => format!("/^(.+[_.-])?{word}[0-9]*[_.-]/"),
        1 => format!("/{word}(vn|[0-9]{{2,3}})?\\.(com|net|vip)$/"),
        2 => format!("/(^|\\.)[a-z]{{1,3}}-?{word}\\d+\\./"),
        _ => format!("/\\b{word}s?\\b/"),
    };
    words().iter().enumerate().map(shape).collect::<Vec<_>>().join("\n")
}

/// Expressions of random names, which have no literal.
fn without_literals() -> String {
    let of = |length| format!("/^[a-z]{{{length}}}[0-9]{{4}}\\.(com|net|org)$/");
    (8..40).map(of).collect::<Vec<_>>().join("\n")
}

fn table(text: &str) -> SuffixTable {
    let parsed = parse(text.as_bytes(), Format::Adblock, ScopeChoice::AsFormat);
    assert!(parsed.rejects.is_empty(), "{:?}", parsed.rejects);
    let category = CategoryId::new(0).unwrap();
    let mut compiler = Compiler::new(SEED, ["ads".to_owned()]);
    for one in parsed.targets {
        let (scope, effect, action) = (one.scope, one.effect, Action::Default);
        let rule = Rule { category, scope, effect, action, source: 0 };
        compiler.add_target(TargetedRule { target: one.target, rule });
    }
    let pack = Pack::verify(Arc::new(compiler.finish_in_memory().unwrap())).unwrap();
    join([Arc::new(pack)], |_| Some(category)).unwrap().table
}

fn bench_table(bencher: Bencher<'_, '_>, text: &str) {
    let (table, names) = (table(text), folded(&popular()));
    let hashed: Vec<_> =
        names.iter().map(|name| (name, SuffixHashes::of(name, table.seed()))).collect();
    bencher.counter(ItemsCount::new(names.len())).bench_local(|| {
        for (name, hashes) in &hashed {
            black_box(table.lookup_of(black_box(name), hashes, Some(rtype::A)));
        }
    });
}

#[divan::bench]
fn keyword_rules(bencher: Bencher<'_, '_>) {
    let is_rule = |line: &&str| line.starts_with("block") || line.starts_with("observe");
    let (keyword, other): (Vec<&str>, Vec<&str>) = SHIPPED.lines().partition(is_rule);
    let text = other.into_iter().chain(keyword.into_iter().take(RULES)).collect::<Vec<_>>();
    let categories = taxonomy::parse(include_str!("../blocklists/categories.toml")).unwrap();
    let keywords = Keywords::compile(KeywordRules::parse(&text.join("\n"), &categories).unwrap());
    let names = folded(&popular());
    bencher.counter(ItemsCount::new(names.len())).bench_local(|| {
        for name in &names {
            black_box(keywords.lookup(black_box(name)));
        }
    });
}

#[divan::bench]
fn no_patterns(bencher: Bencher<'_, '_>) {
    bench_table(bencher, "");
}

#[divan::bench]
fn patterns(bencher: Bencher<'_, '_>) {
    bench_table(bencher, &expressions());
}

#[divan::bench]
fn patterns_without_literals(bencher: Bencher<'_, '_>) {
    bench_table(bencher, &without_literals());
}

#[divan::bench]
fn compile(bencher: Bencher<'_, '_>) {
    let text = expressions();
    bencher.bench_local(|| table(&text));
}
