//! The compiled pack against a `hashbrown` map of the same names, in one run:
//! `cargo bench --bench pack`.
//!
//! ```text
//! NAMES=5000000   how many names are listed
//! LIST=FILE       take them from a file, one a line; made up without it
//! POPULAR=FILE    names that are not listed, by rank; made up without it
//! ROUNDS=3        how often each is timed; the best is shown
//! ```
//!
//! Every look-up starts from the octets of a name on the wire and is made for a million
//! different names in random order; half of the listed ones have a label or two in front.
//! Both sides must find the same, or nothing is shown. A ratio is pack / map.
#![expect(clippy::unwrap_used, reason = "a bench: it fails by panicking")]
#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use lachan::category::{CategoryId, CategorySet};
use lachan::dns::name::{Folded, Name};
use lachan::matcher::SuffixHashes;
use lachan::matcher::build::{Rule, join};
use lachan::matcher::suffix::SuffixTable;
use lachan::pack::{Compiler, Pack, SEED};
use lachan::rule::{Action, Effect, Scope};
use lachan::sys::mapped;

const QUERIES: usize = 1_000_000;
const CATEGORIES: usize = 24;

/// `SplitMix64`: the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const PIECES: [&str; 48] = [
    "shop", "bet", "cas", "ino", "play", "live", "tv", "game", "free", "porn", "hub", "xx", "win",
    "88", "vn", "online", "store", "my", "the", "best", "click", "track", "ads", "media", "net",
    "cloud", "secure", "login", "pay", "bank", "mail", "news", "date", "girl", "sex", "cam",
    "stream", "film", "down", "load", "proxy", "web", "site", "link", "go", "pro", "top", "hot",
];
const ENDS: [&str; 16] = [
    "com", "net", "org", "xyz", "top", "info", "ru", "de", "co.uk", "com.br", "icu", "site",
    "online", "vn", "club", "shop",
];

/// A name as lists have them: two labels mostly, 20 octets on average.
fn made_up(random: &mut Random) -> String {
    let mut name = String::new();
    match random.below(20) {
        0..5 => name = format!("{}{}.", random.one(&PIECES), random.below(100)),
        5 => name = format!("{}.{}.", random.one(&PIECES), random.one(&PIECES)),
        _ => {}
    }
    for _ in 0..2 {
        name.push_str(random.one(&PIECES));
    }
    // Something that no dictionary has.
    let mut digits = random.next() % 36_u64.pow(4);
    for _ in 0..4 {
        name.push(char::from_digit((digits % 36) as u32, 36).unwrap());
        digits /= 36;
    }
    format!("{name}.{}", random.one(&ENDS))
}

fn wire(text: &str) -> Option<Box<[u8]>> {
    Name::from_text(text).ok().map(|name| name.as_wire().into())
}

/// Names on the wire.
type Wires = Vec<Box<[u8]>>;

/// The listed names, and names that are not listed, the most popular first.
fn names(count: usize) -> (Wires, Wires) {
    let mut random = Random(1);
    let mut seen = HashSet::new();
    let mut listed = Vec::new();
    if let Some(file) = std::env::var_os("LIST") {
        for name in fs::read_to_string(file).unwrap().lines().filter_map(wire) {
            if listed.len() < count && seen.insert(name.clone()) {
                listed.push(name);
            }
        }
    }
    while listed.len() < count {
        let name = wire(&made_up(&mut random)).unwrap();
        if seen.insert(name.clone()) {
            listed.push(name);
        }
    }
    let mut popular: Vec<Box<[u8]>> = Vec::new();
    if let Some(file) = std::env::var_os("POPULAR") {
        popular.extend(fs::read_to_string(file).unwrap().lines().filter_map(wire));
    }
    let mut random = Random(2);
    while popular.len() < 60_000 {
        popular.extend(wire(&format!("www.{}", made_up(&mut random))));
    }
    popular.retain(|name| {
        let folded = Folded::from_wire(name).unwrap().0;
        !(0..folded.label_count()).any(|index| seen.contains(folded.suffix(index)))
    });
    (listed, popular)
}

/// Queries on the wire, one behind the other.
struct Queries {
    octets: Vec<u8>,
    starts: Vec<u32>,
}

impl Queries {
    fn new(names: impl Iterator<Item = Box<[u8]>>) -> Self {
        let mut queries = Self { octets: Vec::new(), starts: Vec::new() };
        for name in names {
            queries.starts.push(queries.octets.len() as u32);
            queries.octets.extend_from_slice(&name);
        }
        queries
    }

    /// Nanoseconds a query, and a sum that says what was found.
    fn time(&self, lookup: impl Fn(&Folded) -> u64) -> (f64, u64) {
        let started = now();
        let mut sum = 0_u64;
        for &start in &self.starts {
            let (name, _) = Folded::from_wire(&self.octets[start as usize..]).unwrap();
            sum = sum.wrapping_mul(31).wrapping_add(lookup(&name));
        }
        (started.elapsed().as_nanos() as f64 / self.starts.len() as f64, sum)
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn now() -> Instant {
    Instant::now()
}

fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for at in (1..items.len()).rev() {
        items.swap(at, random.below(at + 1));
    }
}

fn with_front(name: &[u8], random: &mut Random) -> Box<[u8]> {
    let mut octets = Vec::new();
    for _ in 0..random.below(4).saturating_sub(1) {
        let label = random.one(&["www", "m", "cdn", "img", "static", "api"]);
        octets.push(label.len() as u8);
        octets.extend(label.bytes());
    }
    octets.extend_from_slice(name);
    octets.into()
}

/// Listed; not listed; by popularity with one in twenty listed.
fn queries(listed: &[Box<[u8]>], popular: &[Box<[u8]>]) -> [(&'static str, Queries); 3] {
    let mut random = Random(3);
    let mut order: Vec<usize> = (0..listed.len()).collect();
    shuffle(&mut order, &mut random);
    order.truncate(QUERIES);
    let blocked: Vec<Box<[u8]>> =
        order.iter().map(|&at| with_front(&listed[at], &mut random)).collect();
    // A million that are not listed: popular ones with something in front, and what looks
    // like listed names.
    let known: HashSet<&[u8]> = listed.iter().map(|name| &**name).collect();
    let mut free = HashSet::new();
    while free.len() < QUERIES {
        let name = if free.len() % 2 == 0 {
            let label = format!("h{}", random.below(1_000_000));
            let base = &popular[random.below(popular.len())];
            [&[label.len() as u8], label.as_bytes(), base].concat().into_boxed_slice()
        } else {
            let base = &listed[random.below(listed.len())];
            let mut near = base.to_vec();
            near[1] = b'a' + random.below(26) as u8;
            near.into_boxed_slice()
        };
        let folded = Folded::from_wire(&name).unwrap().0;
        if !(0..folded.label_count()).any(|index| known.contains(folded.suffix(index))) {
            free.insert(name);
        }
    }
    let mut free: Vec<_> = free.into_iter().collect();
    free.sort_unstable();
    shuffle(&mut free, &mut random);
    let ranks = popular.len().min(50_000);
    let zipf = (0..QUERIES).map(|_| {
        if random.below(20) == 0 {
            return blocked[random.below(blocked.len())].clone();
        }
        // The inverse of a harmonic sum: rank r as often as 1 / r.
        let uniform = random.next() as f64 / u64::MAX as f64;
        let rank = (ranks as f64).powf(uniform).max(1.0);
        #[expect(clippy::cast_sign_loss, reason = "it is at least 1")]
        let place = rank as usize - 1;
        popular[place.min(ranks - 1)].clone()
    });
    let zipf = Queries::new(zipf);
    [
        ("not listed", Queries::new(free.into_iter())),
        ("listed", Queries::new(blocked.into_iter())),
        ("popular, 5 % listed", zipf),
    ]
}

fn category(number: usize) -> CategoryId {
    CategoryId::new(number % CATEGORIES).unwrap()
}

fn build(listed: &[Box<[u8]>], path: &std::path::Path) -> Pack {
    let started = now();
    let mut compiler = Compiler::new(SEED, (0..CATEGORIES).map(|n| format!("c{n:02}")));
    for (number, name) in listed.iter().enumerate() {
        let (scope, effect) = (Scope::Subtree, Effect::Add);
        let rule = |category| Rule { category, scope, effect, action: Action::Default, source: 0 };
        compiler.add(name, rule(category(number))).unwrap();
        if number % 7 == 0 {
            compiler.add(name, rule(category(number + 1))).unwrap();
        }
    }
    let mut file = compiler.finish(File::create(path).unwrap()).unwrap();
    file.flush().unwrap();
    println!("build from names           {:8.2} s", started.elapsed().as_secs_f64());
    let opened = |what: &str, open: &dyn Fn() -> Pack| {
        let started = now();
        let pack = open();
        println!("{what:26} {:8.1} ms", started.elapsed().as_secs_f64() * 1000.0);
        pack
    };
    let map = || Arc::new(mapped::map(&File::open(path).unwrap()).unwrap());
    let pack = opened("open, all verified", &|| Pack::verify(map()).unwrap());
    opened("open, verified before", &|| Pack::verify_known(map(), &pack.check()).unwrap())
}

fn main() {
    let number = |name: &str, default: usize| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let (count, rounds) = (number("NAMES", 5_000_000), number("ROUNDS", 3));
    let (listed, popular) = names(count);
    let octets: usize = listed.iter().map(|name| name.len() - 1).sum();
    let of_names = listed.len() as f64;
    println!("names                      {:8}", listed.len());
    println!("octets a name on the wire  {:8.2}", octets as f64 / of_names);
    let dir = tempfile::tempdir().unwrap();
    let pack = build(&listed, &dir.path().join("bench.pack"));
    println!("hot octets a name          {:8.2}", pack.hot_octets() as f64 / of_names);
    println!("file octets a name         {:8.2}", pack.octets() as f64 / of_names);
    let number = |id: &str| CategoryId::new(id[1..].parse().ok()?);
    let table: SuffixTable = join([Arc::new(pack)], number).unwrap().table;
    let mut map: HashMap<Box<[u8]>, u64, FixedState> =
        HashMap::with_capacity_and_hasher(listed.len(), FixedState::default());
    for (number, name) in listed.iter().enumerate() {
        let mut set = CategorySet::EMPTY.with(category(number));
        if number % 7 == 0 {
            set = set.with(category(number + 1));
        }
        map.insert(name.clone(), set.bits());
    }
    println!("\n{:26} {:>8} {:>8} {:>8}", "ns a look-up, best", "pack", "map", "ratio");
    for (what, queries) in queries(&listed, &popular) {
        let in_pack =
            |name: &Folded| table.lookup(name, &SuffixHashes::of(name, table.seed())).set.bits();
        let in_map = |name: &Folded| {
            (0..name.label_count())
                .fold(0, |set, index| set | map.get(name.suffix(index)).copied().unwrap_or(0))
        };
        let hash_only = |name: &Folded| SuffixHashes::of(name, table.seed()).at(0);
        let (mut ours, mut theirs, mut hashing) = (f64::MAX, f64::MAX, f64::MAX);
        for _ in 0..rounds {
            let (time, found) = queries.time(in_pack);
            let (other, expected) = queries.time(in_map);
            assert_eq!(found, expected, "the pack and the map disagree");
            (ours, theirs) = (ours.min(time), theirs.min(other));
            hashing = hashing.min(queries.time(hash_only).0);
        }
        let ratio = ours / theirs;
        println!("{what:26} {ours:8.1} {theirs:8.1} {ratio:8.2}   (of it hashing {hashing:.1})");
    }
}
