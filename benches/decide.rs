//! What one decision costs, in ns: `cargo bench --bench decide`.
//!
//! ```text
//! begin    query octets → reply octets: blocked, cached, cached behind an alias; and a miss
//!          up to the owned query that would go upstream
//! group    a device → its group: by its address, and by one of 1,000 hardware addresses under a
//!          timetable; the last is what claims cost a query
//! decide   the name of a question → verdict, hashing included
//! lookup   a name → categories at 1 k, 100 k and 1 M listed names, hashing included,
//!          beside a walk over the ancestors in a `HashMap` of the standard library
//! ```
//!
//! Names are synthetic and always the same. Each bench goes round 4,096 names, so that
//! not everything is in the nearest cache, and checks each outcome before any time is taken.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench: it fails by panicking")]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use divan::{Bencher, black_box};
use lachan::cache::AnswerCache;
use lachan::category::{CategoryId, CategorySet};
use lachan::dns::message::answer::TtlLimits;
use lachan::dns::name::{Folded, Name};
use lachan::dns::rtype;
use lachan::load::assemble::Assembler;
use lachan::matcher::SuffixHashes;
use lachan::matcher::build::{Builder, Rule};
use lachan::matcher::suffix::SuffixTable;
use lachan::overrides::StoredOverride;
use lachan::policy::{Claims, Identity, Mac, Snapshot, Verdict};
use lachan::resolve::{
    AnswerSource, Answered, Begin, Done, Finish, Now, Origin, Transport, Trust, begin,
};
use lachan::rule::{Action, Effect, Scope};

fn main() {
    // Samples of a quarter round: long against the timer, whatever the first call took.
    divan::Divan::from_args().sample_size(ROUND as u32 / 4).sample_count(200).main();
}

/// Names that a bench goes round.
const ROUND: usize = 4096;
const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NOW: Now = Now { mono: 10, civil: 1_800_000_010, trust: Trust::Synced };

//------------ Names ---------------------------------------------------------

/// The `number`th name of a kind (`l` listed, `zq` unlisted: what no keyword rule hits): 17 to 21 octets of text, in two or three labels.
fn name(kind: &str, number: usize) -> String {
    // SplitMix64: spread out, and the same on every machine.
    let mut z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^= z >> 27;
    let below = if number.is_multiple_of(3) { ".example" } else { ".com.example" };
    format!("{kind}{:x}{below}", z >> 36)
}

fn listed(number: usize) -> String {
    name("l", number)
}

/// Names to ask for, spread over the first `size`; every second with a label in front.
fn round(kind: &str, size: usize) -> Vec<Folded> {
    let step = (size / ROUND).max(1);
    let texts = (0..ROUND).map(|number| {
        let text = name(kind, number * step % size);
        if number.is_multiple_of(2) { text } else { format!("www.{text}") }
    });
    texts.map(|text| Folded::from_name(&Name::from_text(&text).unwrap())).collect()
}

fn query(name: &Folded) -> Vec<u8> {
    let head = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    let tail = [0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    [head.as_slice(), name.as_wire(), &tail].concat()
}

/// Each of `items` in turn, over and over.
fn in_turn<'a, T>(items: &'a [T]) -> impl FnMut() -> &'a T {
    let mut all = items.iter().cycle();
    move || all.next().unwrap()
}

//------------ begin and decide ----------------------------------------------

/// The starter lists and 100,000 names more, in memory as `serve` would have them.
static SNAPSHOT: LazyLock<Arc<Snapshot>> = LazyLock::new(|| snapshot("", &[]));

/// The same with full policy on: a department, a timetable with an edge every few hours and a
/// calendar, the school's own names, an override.
static FULL: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let config = r#"
        [department]
        policy = "department.toml"
        [school]
        level = "lower-secondary"
        timezone = "Asia/Ho_Chi_Minh"
        [[schedule]]
        name = "lessons"
        times = ["07:00-11:30", "13:30-17:00"]
        except = ["holidays.ics"]
        [[schedule]]
        name = "night"
        times = ["22:00-05:00"]
        [[group]]
        name = "default"
        profile = "p"
        [profile.p]
        allow = ["allowed.example", "other.example", "www.third.example"]
        deny = ["denied.example"]
        [profile.p.during.night]
        block = ["video"]
    "#;
    let over = StoredOverride {
        id: 1,
        kind: "lesson".into(),
        group: "default".into(),
        names: vec!["lesson.example".into()],
        deny: Vec::new(),
        categories: vec!["games".into()],
        from: NOW.civil - 60,
        until: NOW.civil + 2000,
        by: "bench".into(),
        reason: String::new(),
    };
    snapshot(config, &[over])
});

fn snapshot(more: &str, overrides: &[StoredOverride]) -> Arc<Snapshot> {
    let dir = tempfile::tempdir().unwrap();
    let config = "[[lists.source]]\ncategory = \"adult\"\npath = \"list.txt\"\n";
    let list: Vec<String> = (0..100_000).map(listed).collect();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("list.txt", &list.join("\n"));
    write("gateway.toml", &format!("{more}\n{config}"));
    write("department.toml", include_str!("../config/department.toml"));
    write("holidays.ics", include_str!("../config/levels/holidays.ics"));
    let path = dir.path().join("gateway.toml");
    let mut assembler = Assembler::new(Some(path)).around(NOW.civil);
    assembler.set_overrides(overrides.to_vec());
    Arc::new(assembler.assemble().unwrap().snapshot)
}

fn step(policy: &Arc<Snapshot>, octets: &[u8], cache: &AnswerCache, out: &mut [u8]) -> Begin {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let meta = Origin::plain(CLIENT, local, Transport::Udp);
    begin(octets, &meta, policy, cache, NOW, out)
}

/// Fills a cache with what upstream says to each query: the records that `answer` gives.
fn learn(queries: &[Vec<u8>], answers: u8, answer: &[u8]) -> AnswerCache {
    let cache = AnswerCache::new(64 << 20);
    let limits = TtlLimits { min: 0, max: 86_400, max_negative: 10_800 };
    let mut out = vec![0; 65_535];
    for query in queries {
        let forward = match step(&SNAPSHOT, query, &cache, &mut out) {
            Begin::Forward(forward) => forward,
            other => panic!("no miss: {other:?}"),
        };
        // The question without its OPT, as a response.
        let mut message = query[..query.len() - 11].to_vec();
        message[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0]);
        message.extend(answer);
        let answered = Answered { message: Ok(&message), asked: 0 };
        let done = forward.finish(answered, &cache, &limits, NOW, &mut out);
        assert!(matches!(done, Finish::Done(Done::Reply(..))), "{done:?}");
    }
    cache
}

/// `@ 300 A 192.0.2.1`
const ADDRESS: &[u8] = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x01";
/// `@ 300 CNAME edge.@`, `edge.@ 300 CNAME pop.edge.@`, `pop.edge.@ 300 A 192.0.2.1`, without
/// compression but for the question's name.
const CHAIN: &[u8] = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x01\x2c\x00\x07\x04edge\xc0\x0c\
    \x04edge\xc0\x0c\x00\x05\x00\x01\x00\x00\x01\x2c\x00\x0b\x03pop\x04edge\xc0\x0c\
    \x03pop\x04edge\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x01";

/// Times `begin` over `queries`, each of which is answered from `expected` (`None`: a miss).
fn bench_begin(
    bencher: Bencher<'_, '_>,
    policy: &Arc<Snapshot>,
    queries: &[Vec<u8>],
    cache: &AnswerCache,
    expected: Option<AnswerSource>,
) {
    let mut out = vec![0; 65_535];
    for query in queries {
        let source = match step(policy, query, cache, &mut out) {
            Begin::Done(Done::Reply(_, outcome)) => Some(outcome.source),
            Begin::Forward(_) => None,
            silent => panic!("no answer: {silent:?}"),
        };
        assert_eq!(source, expected);
    }
    bencher
        .with_inputs(in_turn(queries))
        .bench_local_values(|query| step(policy, black_box(query), cache, &mut out));
}

#[divan::bench]
fn begin_blocked(bencher: Bencher<'_, '_>) {
    let queries: Vec<_> = round("l", 100_000).iter().map(query).collect();
    bench_begin(
        bencher,
        &SNAPSHOT,
        &queries,
        &AnswerCache::new(1 << 20),
        Some(AnswerSource::Blocked),
    );
}

#[divan::bench]
fn begin_cached(bencher: Bencher<'_, '_>) {
    let queries: Vec<_> = round("zq", 100_000).iter().map(query).collect();
    let cache = learn(&queries, 1, ADDRESS);
    bench_begin(bencher, &SNAPSHOT, &queries, &cache, Some(AnswerSource::Cache));
}

#[divan::bench]
fn begin_blocked_full_policy(bencher: Bencher<'_, '_>) {
    let queries: Vec<_> = round("l", 100_000).iter().map(query).collect();
    bench_begin(bencher, &FULL, &queries, &AnswerCache::new(1 << 20), Some(AnswerSource::Blocked));
}

#[divan::bench]
fn begin_cached_full_policy(bencher: Bencher<'_, '_>) {
    let queries: Vec<_> = round("zq", 100_000).iter().map(query).collect();
    let cache = learn(&queries, 1, ADDRESS);
    bench_begin(bencher, &FULL, &queries, &cache, Some(AnswerSource::Cache));
}

#[divan::bench]
fn begin_cached_alias(bencher: Bencher<'_, '_>) {
    let queries: Vec<_> = round("zq", 100_000).iter().map(query).collect();
    let cache = learn(&queries, 3, CHAIN);
    bench_begin(bencher, &SNAPSHOT, &queries, &cache, Some(AnswerSource::Cache));
}

#[divan::bench]
fn begin_miss(bencher: Bencher<'_, '_>) {
    let queries: Vec<_> = round("zq", 100_000).iter().map(query).collect();
    bench_begin(bencher, &SNAPSHOT, &queries, &AnswerCache::new(1 << 20), None);
}

/// Times `decide` over names that are all blocked, or all pass.
fn bench_decide(bencher: Bencher<'_, '_>, names: &[Folded], is_blocked: bool) {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let group = SNAPSHOT.group_by_address(CLIENT, local);
    let decide = |name: &Folded| {
        SNAPSHOT.decide(SNAPSHOT.rules_at(group, NOW), &SNAPSHOT.hashed(name), rtype::A)
    };
    for name in names {
        assert_eq!(matches!(decide(name), Verdict::Block(_)), is_blocked, "{name:?}");
    }
    bencher.with_inputs(in_turn(names)).bench_local_values(|name| decide(black_box(name)));
}

#[divan::bench]
fn decide_blocked(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, &round("l", 100_000), true);
}

#[divan::bench]
fn decide_unlisted(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, &round("zq", 100_000), false);
}

//------------ group ----------------------------------------------------------

/// Pupils, a stricter group with 1,000 devices, and staff with one, under a timetable.
static CLAIMED: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let macs: Vec<String> = (0..1000).map(|number| device(number).to_string()).collect();
    let config = format!(
        r#"
        default_group = "pupils"
        [[schedule]]
        name = "lessons"
        times = ["07:00-11:30", "13:30-17:00"]
        [[group]]
        name = "pupils"
        profile = "p"
        [[group]]
        name = "small"
        profile = "s"
        macs = {macs:?}
        [[group]]
        name = "staff"
        level = "staff"
        clients = ["10.0.0.0/8"]
        macs = ["{STAFF_DEVICE}"]
        [[group]]
        name = "room"
        profile = "p"
        clients = ["10.9.0.0/16"]
        [profile.p]
        level = "lower-secondary"
        [profile.p.during.lessons]
        block = ["video"]
        [profile.s]
        level = "primary"
        [profile.s.during.lessons]
        block = ["video"]
    "#
    );
    snapshot(&config, &[])
});

const STAFF_DEVICE: &str = "a0:36:9f:ff:00:01";

fn device(number: u32) -> Mac {
    let [_, b, c, d] = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
    Mac([0xa0, 0x36, 0x9f, b, c, d])
}

/// Times the group of devices with these claims, which must be `expected`.
fn bench_group(bencher: Bencher<'_, '_>, client: IpAddr, claims: &[Claims], expected: &str) {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let group_of = |claims: &Claims| {
        CLAIMED.group_of(Identity { client: black_box(client), local, claims }, NOW).group
    };
    for claims in claims {
        assert_eq!(CLAIMED.group(group_of(claims)).name, expected);
    }
    bencher.with_inputs(in_turn(claims)).bench_local_values(|claims| group_of(black_box(claims)));
}

#[divan::bench]
fn group_by_address(bencher: Bencher<'_, '_>) {
    bench_group(bencher, [192, 168, 0, 1].into(), &[Claims::NONE], "pupils");
}

#[divan::bench]
fn group_by_mac(bencher: Bencher<'_, '_>) {
    let claims = (0..1000).map(|number| Claims { mac: Some(device(number)), ..Claims::NONE });
    let claims: Vec<Claims> = claims.collect();
    bench_group(bencher, [192, 168, 0, 1].into(), &claims, "small");
}

#[divan::bench]
fn group_by_mac_in_its_network(bencher: Bencher<'_, '_>) {
    let claims = [Claims { mac: STAFF_DEVICE.parse().ok(), ..Claims::NONE }];
    bench_group(bencher, [10, 9, 0, 1].into(), &claims, "staff");
}

//------------ lookup ---------------------------------------------------------

fn category() -> CategoryId {
    CategoryId::new(5).unwrap()
}

fn table(size: usize) -> SuffixTable {
    let rule = Rule {
        category: category(),
        scope: Scope::Subtree,
        effect: Effect::Add,
        action: Action::Default,
        source: 1,
    };
    let mut builder = Builder::new(1);
    for number in 0..size {
        builder.add(Name::from_text(&listed(number)).unwrap().as_wire(), rule).unwrap();
    }
    builder.build().unwrap()
}

/// Times look-ups in a table of `size` names; `expected` for each name asked.
fn bench_table(bencher: Bencher<'_, '_>, size: usize, kind: &str, expected: CategorySet) {
    let (table, names) = (table(size), round(kind, size));
    let lookup = |name: &Folded| table.lookup(name, &SuffixHashes::of(name, table.seed())).set;
    for name in &names {
        assert_eq!(lookup(name), expected, "{name:?}");
    }
    bencher.with_inputs(in_turn(&names)).bench_local_values(|name| lookup(black_box(name)));
}

/// As [`bench_table`] for what one would write first.
fn bench_hash_map(bencher: Bencher<'_, '_>, size: usize, kind: &str, expected: CategorySet) {
    let wire = |number| Name::from_text(&listed(number)).unwrap().as_wire().into();
    let map: HashMap<Box<[u8]>, u64> = (0..size)
        .map(|number| (wire(number), CategorySet::EMPTY.with(category()).bits()))
        .collect();
    let names = round(kind, size);
    let lookup = |name: &Folded| {
        (0..name.label_count())
            .filter_map(|index| map.get(name.suffix(index)))
            .fold(0, |a, b| a | b)
    };
    for name in &names {
        assert_eq!(lookup(name), expected.bits(), "{name:?}");
    }
    bencher.with_inputs(in_turn(&names)).bench_local_values(|name| lookup(black_box(name)));
}

#[divan::bench(args = SIZES)]
fn lookup_listed(bencher: Bencher<'_, '_>, size: usize) {
    bench_table(bencher, size, "l", CategorySet::EMPTY.with(category()));
}

#[divan::bench(args = SIZES)]
fn lookup_listed_hash_map(bencher: Bencher<'_, '_>, size: usize) {
    bench_hash_map(bencher, size, "l", CategorySet::EMPTY.with(category()));
}

#[divan::bench(args = SIZES)]
fn lookup_unlisted(bencher: Bencher<'_, '_>, size: usize) {
    bench_table(bencher, size, "zq", CategorySet::EMPTY);
}

#[divan::bench(args = SIZES)]
fn lookup_unlisted_hash_map(bencher: Bencher<'_, '_>, size: usize) {
    bench_hash_map(bencher, size, "zq", CategorySet::EMPTY);
}
