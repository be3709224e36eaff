//! The guard over a large list: `cargo bench --bench guard`.
//!
//! ```text
//! NAMES=1000000   how many names are listed
//! WIDE=1000       how many of each: patterns, rules with query types; besides all guarded names
//! ROUNDS=5        how often each is timed; the median is shown
//! ```
//!
//! It times what a load does with one text: reading, compiling, verifying, joining, and taking guarded
//! names out of the joined table. The last row is the ratio of all with the guard to all without it.
#![expect(clippy::unwrap_used, reason = "a bench: it fails by panicking")]
#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::disallowed_methods, reason = "a bench measures")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use lachan::blocklist::{Format, ScopeChoice, parse};
use lachan::config::data::guard::{Guard, Judged};
use lachan::config::data::starter;
use lachan::dns::name::Name;
use lachan::matcher::SuffixHashes;
use lachan::matcher::build::{Rule, join};
use lachan::pack::{Compiler, Pack, SEED, TargetedRule};

fn number(key: &str, default: usize) -> usize {
    std::env::var(key).map_or(default, |text| text.parse().unwrap())
}

/// A list of `names`, of rules about more than a name, and of every guarded name.
fn text(names: usize, wide: usize) -> String {
    let mut text = String::new();
    for number in 0..names {
        let hash = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let host = ["", "www.", "ads.cdn.", "a-longer-host.eu-west-1."][(hash >> 62) as usize];
        let _ = writeln!(text, "||{host}n{:08x}.example^", hash >> 32);
    }
    for number in 0..wide {
        let _ = writeln!(text, "/^ads{number}[0-9]+\\./\n||t{number}.example^$dnstype=A");
    }
    for (name, _) in starter::parse_guarded(starter::GUARD).unwrap() {
        let _ = writeln!(text, "||{}^", name.to_string().trim_end_matches('.'));
    }
    text
}

fn main() {
    let (names, wide, rounds) =
        (number("NAMES", 1_000_000), number("WIDE", 1000), number("ROUNDS", 5));
    let text = text(names, wide);
    let taxonomy = starter::taxonomy().unwrap();
    let category = taxonomy.find("gambling").unwrap();
    let guarded = Name::from_text("www.google.com").unwrap();
    let mut times: Vec<[f64; 3]> = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let parsed = parse(text.as_bytes(), Format::Adblock, ScopeChoice::AsFormat);
        let ids = taxonomy.iter().map(|(_, row)| row.id.clone());
        let mut compiler = Compiler::new(SEED, ids);
        for rule in parsed.rules() {
            let (scope, effect, action) = (rule.scope, rule.effect, rule.action);
            compiler.add(rule.name, Rule { category, scope, effect, action, source: 0 }).unwrap();
        }
        for target in &parsed.targets {
            let (scope, effect, action) = (target.scope, target.effect, target.action);
            let rule = Rule { category, scope, effect, action, source: 0 };
            compiler.add_target(TargetedRule { target: target.target.clone(), rule });
        }
        let pack = Pack::verify(Arc::new(compiler.finish_in_memory().unwrap())).unwrap();
        let compiled = start.elapsed();

        let start = Instant::now();
        let mut table = join([Arc::new(pack)], |id| taxonomy.find(id)).unwrap().table;
        let joined = start.elapsed();

        let start = Instant::now();
        let guard = Guard::embedded(&taxonomy);
        table.void(guard.suffixes(), |name, rule| guard.judge(name, rule, &[]) == Judged::Void);
        table.spare(guard.names(), |name, one| {
            guard.judge_at(name, one.rule(), &[]) == Judged::Void
        });
        let spared = start.elapsed();
        let folded = lachan::dns::name::Folded::from_name(&guarded);
        let found = table.lookup(&folded, &SuffixHashes::of(&folded, table.seed()));
        assert!(found.set.is_empty(), "a guarded name is listed");
        times.push([compiled, joined, spared].map(|time| time.as_secs_f64() * 1e3));
    }
    let median = |of: &dyn Fn(&[f64; 3]) -> f64| {
        let mut all: Vec<f64> = times.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!("{names} names, {wide} patterns, {wide} rules with types; ms");
    println!("read, compile, verify {:10.2}", median(&|t| t[0]));
    println!("join                  {:10.2}", median(&|t| t[1]));
    println!("guard                 {:10.2}", median(&|t| t[2]));
    println!("join with / without   {:10.2}", median(&|t| (t[1] + t[2]) / t[1]));
    println!("load with / without   {:10.4}", median(&|t| (t[0] + t[1] + t[2]) / (t[0] + t[1])));
}
