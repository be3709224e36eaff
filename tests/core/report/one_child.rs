//! The law of privacy: what one child asks, below the thresholds, is told nowhere.
//!
//! Two lives of one gateway differ in the names that one child asked for. Everything is the program's
//! own: policy, counters, blocks, record of the month, report, the department's tables, what is shown of
//! blocked names, what is kept of allowed ones, `/metrics`.
//!
//! ```text
//! the same others ─┬─ the child asks for these ─▶ a life ─┐
//!                  └─ or for as many others    ─▶ a life ─┴─▶ equal
//! ```
//!
//! What the law does not say: that a child asks at all is in the number of queries, and what it asks
//! for in a category that is not sensitive is one more in its count. Both have a law of their own below.
//! A worker notes one of eight blocks for the top names: here each is noted, as the phase of that sample
//! depends on all that the worker blocked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use lachan::cache::AnswerCache;
use lachan::clients::blocks::Blocks;
use lachan::clients::client_id::ClientId;
use lachan::config::Config;
use lachan::dns::name::{Folded, Name};
use lachan::dns::rtype;
use lachan::evidence::cause::Holding;
use lachan::evidence::record::{MonthRecord, ReviewCounts};
use lachan::evidence::{EvidenceBook, EvidenceInput};
use lachan::metrics::counters::{Counters, Totals};
use lachan::metrics::labels::Protection;
use lachan::metrics::{Metrics, ScrapeState};
use lachan::overblock::top::TopName;
use lachan::policy::Snapshot;
use lachan::rehearse::recent::RecentNames;
use lachan::rehearse::sample::PopularSample;
use lachan::resolve::{Now, Transport, Trust};
use proptest::prelude::*;

use super::fleet::{period, published, record};
use crate::kit::core::Core;
use crate::kit::folder::Folder;
use crate::kit::wire::{an_address, query};

const SCHOOL: &str = r#"
default_group = "pupils"
[school]
id = "school-0000"
timezone = "Asia/Ho_Chi_Minh"
level = "lower-secondary"
[lists]
starter = false
[[lists.source]]
category = "games"
path = "games.txt"
[[lists.source]]
category = "adult"
path = "adult.txt"
[[lists.source]]
category = "self_harm"
path = "harm.txt"
[[lists.source]]
category = "csam"
path = "csam.txt"
[[group]]
name = "pupils"
clients = ["10.1.0.0/16"]
profile = "pupils"
[profile.pupils]
level = "lower-secondary"
block = ["games", "adult", "self_harm"]
[evidence]
hours = "always"
"#;

/// 2026-11-30 06:00 in Hanoi.
const MORNING: u64 = 1_795_993_200;
/// The child: none of the others.
const CHILD: u16 = 999;
/// Names of one kind.
const NAMES: u8 = 4;
/// More of the others than any threshold needs.
const MANY: u16 = 90;

/// What somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    /// A name of no category.
    Free(u8),
    /// A name of the popular sample.
    Popular(u8),
    /// A name of a category that is not sensitive.
    Game(u8),
    /// A name of a sensitive category.
    Adult(u8),
    /// Names of the two protected ones.
    Harm(u8),
    Csam(u8),
    /// Help for children.
    Help,
}

impl Wish {
    fn name(self) -> Name {
        let text = match self {
            Self::Free(n) => format!("free{n}.example"),
            Self::Popular(n) => format!("popular{n}.example"),
            Self::Game(n) => format!("www.game{n}.example"),
            Self::Adult(n) => format!("adult{n}.example"),
            Self::Harm(n) => format!("harm{n}.example"),
            Self::Csam(n) => format!("csam{n}.example"),
            Self::Help => "www.tongdai111.vn".to_owned(),
        };
        Name::from_text(&text).unwrap()
    }
}

/// What a child may ask for below the thresholds: anything but what is counted one by one.
fn wishes() -> impl Strategy<Value = Wish> {
    let one = || 0..NAMES;
    prop_oneof![
        one().prop_map(Wish::Free),
        one().prop_map(Wish::Popular),
        one().prop_map(Wish::Adult),
        one().prop_map(Wish::Harm),
        one().prop_map(Wish::Csam),
        Just(Wish::Help),
    ]
}

/// A query: the client and the wish.
type Query = (u16, Wish);

/// The others: each popular name and each game by fewer than nine of them, or by many, and each sensitive
/// cell once, so that all it can be with the child is 1 to 9.
fn others() -> impl Strategy<Value = Vec<Query>> {
    let asked = || prop_oneof![0..9_u16, Just(MANY)];
    let of_names = prop::collection::vec((asked(), asked()), usize::from(NAMES));
    of_names.prop_map(|counts| {
        let mut all = vec![(1, Wish::Adult(0)), (2, Wish::Harm(0)), (3, Wish::Free(0))];
        for (n, (popular, games)) in (0..NAMES).zip(counts) {
            all.extend((0..popular).map(|client| (client, Wish::Popular(n))));
            all.extend((0..games).map(|client| (client, Wish::Game(n))));
        }
        all
    })
}

/// The places among the others at which the child asks, each with two wishes: one a life.
fn two_lives() -> impl Strategy<Value = Vec<(prop::sample::Index, Wish, Wish)>> {
    prop::collection::vec((any::<prop::sample::Index>(), wishes(), wishes()), 1..=8)
}

/// The queries of a life: the child's between those of the others.
fn day(others: &[Query], child: impl Iterator<Item = (usize, Wish)>) -> Vec<Query> {
    let mut at: BTreeMap<usize, Vec<Wish>> = BTreeMap::new();
    child.for_each(|(place, wish)| at.entry(place).or_default().push(wish));
    let mut all = Vec::new();
    for (place, query) in others.iter().enumerate() {
        all.extend(at.get(&place).into_iter().flatten().map(|wish| (CHILD, *wish)));
        all.push(*query);
    }
    all
}

/// Config and policy of the school.
static POLICY: LazyLock<(Config, Arc<Snapshot>)> = LazyLock::new(|| {
    let list = |kind: fn(u8) -> Wish| {
        (0..NAMES)
            .map(move |n| format!("||{}^\n", kind(n).name().to_string().trim_end_matches('.')))
    };
    let games = list(Wish::Game).collect::<String>();
    let (adult, harm) =
        (list(Wish::Adult).collect::<String>(), list(Wish::Harm).collect::<String>());
    let csam = list(Wish::Csam).collect::<String>();
    let files = [
        ("games.txt", &*games),
        ("adult.txt", &*adult),
        ("harm.txt", &*harm),
        ("csam.txt", &*csam),
    ];
    let made = Folder::new(SCHOOL, &files).assembler().assemble().unwrap();
    (made.config, Arc::new(made.snapshot))
});

/// All that a life leaves.
struct Life {
    record: MonthRecord,
    top: Vec<TopName>,
    /// What is kept of allowed names: format and sample, bits; and the two sums.
    seen: [String; 3],
    sums: String,
    metrics: String,
}

fn live(queries: &[Query]) -> Life {
    let (config, snapshot) = &*POLICY;
    let core = Core { snapshot: Arc::clone(snapshot), cache: AnswerCache::new(1 << 20) };
    let counters = Arc::new(Counters::shared());
    let blocks = Blocks::new((1, 2), (3, 4));
    let sample = PopularSample::new((0..NAMES).map(|n| Wish::Popular(n).name()));
    let recent = RecentNames::new(Arc::new(sample), (5, 6));
    let book = EvidenceBook::open(None, 0);
    let at = |mono| Now { mono, civil: MORNING + mono, trust: Trust::Synced };
    let tick = |now, is_last| {
        let protection = Protection::Ok;
        let holding =
            Holding { protection, held: Vec::new(), is_refused: false, has_upstream: true };
        let input = || EvidenceInput {
            config,
            snapshot,
            totals: Totals::of([&*counters]),
            config_digest: String::new(),
            unit: "box1".to_owned(),
            release: 0,
            emergency: (0, None),
            reviews: ReviewCounts::default(),
        };
        book.tick(now, &holding, input, is_last);
    };
    tick(at(1), false);
    for (&(client, wish), mono) in queries.iter().zip(2..) {
        let (now, name) = (at(mono), wish.name());
        let octets = query(&name, rtype::A);
        let [high, low] = client.to_be_bytes();
        let client = Ipv4Addr::new(10, 1, high, low);
        let outcome = core.resolve(&octets, client, now, |_| an_address(&octets)).outcome;
        assert_eq!(outcome.group.is_none(), wish == Wish::Help, "{wish:?}: {outcome:?}");
        counters.query(Transport::Udp, false);
        let address = IpAddr::from(client);
        if outcome.blocked.is_some() {
            blocks.note_octets(&counters, (snapshot, &octets), address, &outcome, now);
        }
        let question = (&Folded::from_name(&name), rtype::A);
        recent.note(snapshot, question, ClientId::of(address).number(), &outcome, 1);
        counters.outcome(&outcome, 100);
    }
    tick(at(1000), true);
    let kept = recent.kept();
    let &[format, digest, sums, bits] = &*kept.lines().collect::<Vec<_>>() else {
        panic!("{kept}")
    };
    let state = ScrapeState {
        snapshot: Arc::clone(snapshot),
        cache: (0, 0),
        upstreams: Vec::new(),
        zones: Vec::new(),
        in_flight: 0,
        samples: Vec::new(),
    };
    let metrics = Metrics::new(vec![Arc::clone(&counters)], Box::new(move || state.clone()));
    Life {
        record: book.this_month().unwrap(),
        top: blocks.overblock.top.shown(snapshot),
        seen: [format, digest, bits].map(str::to_owned),
        sums: sums.to_owned(),
        metrics: metrics.unwrap().text().unwrap(),
    }
}

/// The series of two scrapes with values that differ. Neither has one that the other lacks.
fn differing(one: &Life, other: &Life) -> BTreeSet<String> {
    let series = |life: &Life| -> BTreeMap<String, String> {
        let lines = life.metrics.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.rsplit_once(' ')).map(|(s, v)| (s.into(), v.into())).collect()
    };
    let (one, other) = (series(one), series(other));
    assert!(one.keys().eq(other.keys()), "a series comes or goes with what a child asks");
    one.into_iter().filter(|(name, value)| other[name] != *value).map(|(name, _)| name).collect()
}

/// Whether a series is a sum over all of a group, or of the school.
fn is_total(series: &str) -> bool {
    [
        "lachan_responses_total{",
        "lachan_response_duration_seconds_",
        "lachan_blocked_total{",
        "lachan_source_matches_total{",
    ]
    .iter()
    .any(|family| series.starts_with(family))
}

/// All that is published of a life. A record has its school from the moment it is written.
fn all_published(life: &Life) -> Vec<(String, String)> {
    let school = record(0, "2026-11", 0, &[]).school;
    published(&[vec![MonthRecord { school, ..life.record.clone() }]], period("2026-11"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The law: whatever one child asks instead, at the same moments, the report with its public variant,
    /// the department's tables, the top names and what is kept of allowed names are the same octet by
    /// octet, as long as each sensitive cell stays in 1 to 9, and names of few stay below ten clients.
    /// `/metrics` has the same series, and differs in totals of the school alone.
    #[test]
    fn what_one_child_asks_is_told_nowhere(others in others(), asks in two_lives()) {
        let of = |second: bool| {
            let wish = |(at, one, other): &(prop::sample::Index, Wish, Wish)| {
                (at.index(others.len()), if second { *other } else { *one })
            };
            live(&day(&others, asks.iter().map(wish)))
        };
        let (one, other) = (of(false), of(true));
        prop_assert_eq!(all_published(&one), all_published(&other));
        prop_assert_eq!(&one.top, &other.top);
        prop_assert_eq!(&one.seen, &other.seen);
        let found = differing(&one, &other);
        prop_assert!(found.iter().all(|series| is_total(series)), "{:?}", found);
    }

    /// Which protected category a child asked for is told nowhere at all, be it often or once; nor is it
    /// told whether it asked for help, or for any name of no category.
    #[test]
    fn protected_categories_are_one_and_help_is_any_name(
        others in others(),
        asks in prop::collection::vec((any::<prop::sample::Index>(), 0..NAMES), 1..40),
        is_help in any::<bool>(),
    ) {
        let of = |wish: &dyn Fn(u8) -> Wish| {
            let at = |(at, n): &(prop::sample::Index, u8)| (at.index(others.len()), wish(*n));
            live(&day(&others, asks.iter().map(at)))
        };
        let (one, other) = if is_help {
            (of(&|_| Wish::Help), of(&|_| Wish::Free(NAMES)))
        } else {
            // Not the site that the others asked for: a site counts once a minute.
            (of(&|n| Wish::Harm(n.max(1))), of(&|n| Wish::Csam(n.max(1))))
        };
        prop_assert_eq!(&one.metrics, &other.metrics);
        prop_assert_eq!(&one.record, &other.record);
        prop_assert_eq!(&one.top, &other.top);
        prop_assert_eq!(&one.seen, &other.seen);
        // Help is not noted, so the sums of what passed have it no more than what was blocked.
        prop_assert!(is_help || one.sums == other.sums);
    }

    /// What is told of a child that asks more: how many queries came, and how many of them were for games
    /// or for another category that is not sensitive. Neither the top names nor what is kept changes.
    #[test]
    fn more_queries_are_a_greater_sum_and_nothing_else(
        others in others(),
        asks in prop::collection::vec((any::<prop::sample::Index>(), 0..NAMES), 1..9),
    ) {
        let at = |(at, n): &(prop::sample::Index, u8)| (at.index(others.len()), Wish::Game(*n));
        let (without, mut with) = (live(&others), live(&day(&others, asks.iter().map(at))));
        prop_assert_eq!(&without.top, &with.top);
        prop_assert_eq!((&without.seen, &without.sums), (&with.seen, &with.sums));
        let more = asks.len() as u64;
        with.record.queries -= more;
        let pupils = with.record.groups.get_mut("pupils").unwrap();
        let games = pupils.categories.get_mut("games").unwrap();
        games.blocked -= more;
        let before = without.record.groups["pupils"].categories.get("games").copied();
        let before = before.unwrap_or_default();
        prop_assert_eq!(games.blocked, before.blocked);
        // One site of one group counts once a minute, whoever asks.
        prop_assert!((before.merged..=before.merged + more).contains(&games.merged));
        games.merged = before.merged;
        if *games == lachan::evidence::record::CategoryCounts::default() {
            pupils.categories.remove("games");
        }
        if let Some(count) = with.record.sources.get_mut("games.txt") {
            *count -= more;
        }
        with.record.sources.retain(|_, count| *count > 0);
        prop_assert_eq!(&without.record, &with.record);
        let is_query = |series: &String| series.starts_with("lachan_queries_total{");
        let found = differing(&without, &with);
        prop_assert!(found.iter().all(|series| is_total(series) || is_query(series)), "{:?}", found);
    }
}

/// The laws have something to hold: names of many are shown and kept, and sensitive cells are counted.
#[test]
fn what_many_ask_is_told() {
    let others: Vec<Query> = (0..MANY)
        .flat_map(|client| [(client, Wish::Game(1)), (client, Wish::Popular(2))])
        .chain((0..12).map(|client| (client, Wish::Adult(1))))
        .chain([(1, Wish::Harm(0))])
        .collect();
    let life = live(&others);
    let names: Vec<&str> = life.top.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["www.game1.example"]);
    assert_eq!(life.seen[2], "0000000000000004");
    let counts = &life.record.groups["pupils"].categories;
    assert_eq!((counts["adult"].blocked, counts["protected"].blocked), (12, 1));
    let texts = all_published(&life);
    let report = &texts.iter().find(|(name, _)| name == "0/report.json").unwrap().1;
    assert!(report.contains("\"protected\":{\"blocked\":\"<10\""), "{report}");
    for (file, text) in &texts {
        assert!(!text.contains(".example") && !text.contains("10.1."), "{file}");
    }
}
