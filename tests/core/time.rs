//! Time travel: the core is given other moments, and policy follows its timetables.
//!
//! Edges, TTLs, isolation of groups, locks under whatever runs, clocks that are put forward and
//! back; and that `lachan why --at` says what the wire would have carried.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use jiff::tz::TimeZone;
use lachan::category::{CategoryId, CategorySet, MAX_CATEGORIES};
use lachan::config::{Config, load_text};
use lachan::dns::name::Name;
use lachan::dns::rtype;
use lachan::overrides::StoredOverride;
use lachan::policy::During;
use lachan::policy::group::overrides::{Override, OverrideKind};
use lachan::resolve::{AnswerSource, Forward, Now, Trust};
use proptest::prelude::*;

use crate::kit::core::{Core, synced};
use crate::kit::folder::{Folder, stored};
use crate::kit::wire::{self, an_address, first_ttl};

const PUPIL: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 5);
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 5);

/// Seconds of a wall clock in Vietnam, where nobody changes it.
fn hanoi(text: &str) -> u64 {
    let at: jiff::civil::DateTime = text.parse().unwrap();
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    u64::try_from(zone.to_ambiguous_timestamp(at).compatible().unwrap().as_second()).unwrap()
}

/// The set whose bit `n` stands for category `n`.
fn categories_of(bits: u64) -> CategorySet {
    let is_in = |place: &usize| bits >> place & 1 != 0;
    (0..MAX_CATEGORIES).filter(is_in).filter_map(CategoryId::new).collect()
}

/// An instant as the library has it.
fn moment(civil: u64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(civil.cast_signed()).unwrap()
}

const SCHOOL: &str = r#"
default_group = "pupils"
[school]
timezone = "Asia/Ho_Chi_Minh"
level = "lower-secondary"
[lists]
starter = false
[[lists.source]]
category = "games"
path = "games.txt"
[[lists.source]]
category = "gambling"
path = "bets.txt"
[[schedule]]
name = "lessons"
days = ["mon-sat"]
times = ["07:00-11:30", "13:30-17:00"]
except = ["holidays.ics"]
[[schedule]]
name = "night"
times = ["22:00-05:00"]
[[group]]
name = "pupils"
profile = "pupils"
[[group]]
name = "others"
clients = ["10.2.0.0/16"]
level = "staff"
[profile.pupils.during.night]
allow_only = true
allow = ["music.example", "both.example"]
[profile.pupils.during.lessons]
deny = ["video.example", "both.example", "bundle:chats"]
[profile.pupils]
allow = ["good.example", "video.example", "lecture.video.example"]
[bundle.chats]
names = ["chat.example"]
"#;

/// A school on disk.
struct School(Folder);

impl School {
    fn new() -> Self {
        let holidays = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261202\nEND:VEVENT\n\
                        END:VCALENDAR\n";
        let files = [
            ("games.txt", "games.example\n"),
            ("bets.txt", "bets.example\n"),
            ("holidays.ics", holidays),
        ];
        Self(Folder::new(SCHOOL, &files))
    }

    /// The core with timetables around a time and these overrides.
    fn core(&self, around: u64, overrides: Vec<StoredOverride>) -> Core {
        Core::new(self.0.policy_around(around, overrides).unwrap())
    }

    /// What `lachan why` says of a name at a time of this school.
    fn why(&self, name: &str, time: &str, client: Ipv4Addr, more: &[&str]) -> Vec<u8> {
        let output = Command::new(env!("CARGO_BIN_EXE_lachan"))
            .args(["why", name, "--at", time, "--client", &client.to_string()])
            .args(more)
            .arg("--config")
            .arg(self.0.config())
            .output();
        output.unwrap().stdout
    }
}

/// What was answered: from where, and the TTL of the first record.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    source: AnswerSource,
    ttl: u32,
}

impl Core {
    /// Asks at a civil time; upstream gives every name an address for an hour.
    fn ask(&self, client: Ipv4Addr, name: &str, civil: u64) -> Said {
        self.ask_at(client, name, synced(civil))
    }

    fn ask_at(&self, client: Ipv4Addr, name: &str, now: Now) -> Said {
        let reply = self.resolve(&query(name), client, now, |_| answer(name));
        assert!(!reply.is_refreshed, "{name}: {reply:?}");
        let ttl = first_ttl(&reply.octets).unwrap_or(0);
        Said { source: reply.outcome.source, ttl }
    }

    fn ask_any(&self, client: Ipv4Addr, name: &str, civil: u64) -> Said {
        let octets = wire::query(&Name::from_text(name).unwrap(), rtype::ANY);
        let reply = self.resolve(&octets, client, synced(civil), |_| panic!("{name}: a miss"));
        assert!(!reply.is_refreshed, "{name}: {reply:?}");
        Said { source: reply.outcome.source, ttl: first_ttl(&reply.octets).unwrap() }
    }

    fn is_blocked(&self, client: Ipv4Addr, name: &str, civil: u64) -> bool {
        self.ask(client, name, civil).source == AnswerSource::Blocked
    }
}

fn query(name: &str) -> Vec<u8> {
    wire::query(&Name::from_text(name).unwrap(), rtype::A)
}

fn answer(name: &str) -> Vec<u8> {
    an_address(&query(name))
}

//------------ Edges -------------------------------------------------------------

#[test]
fn a_day_at_school() {
    // 2026-11-30 is a Monday; the Wednesday is a holiday.
    let core = School::new().core(hanoi("2026-11-30T06:00"), Vec::new());
    for (time, games, plain) in [
        ("2026-11-30T06:59:59", false, false),
        ("2026-11-30T07:00:00", true, false),
        ("2026-11-30T11:29:59", true, false),
        ("2026-11-30T11:30:00", false, false),
        ("2026-11-30T13:30:00", true, false),
        ("2026-11-30T17:00:00", false, false),
        ("2026-11-30T22:00:00", true, true),
        ("2026-12-01T04:59:59", true, true),
        ("2026-12-01T05:00:00", false, false),
        ("2026-12-02T09:00:00", false, false),
        ("2026-12-03T09:00:00", true, false),
        // Sunday.
        ("2026-12-06T09:00:00", false, false),
    ] {
        let at = hanoi(time);
        assert_eq!(core.is_blocked(PUPIL, "games.example", at), games, "games at {time}");
        assert_eq!(core.is_blocked(PUPIL, "plain.example", at), plain, "plain at {time}");
        assert!(core.is_blocked(PUPIL, "bets.example", at), "locked at {time}");
        assert!(!core.is_blocked(PUPIL, "good.example", at), "allowed at {time}");
        assert!(!core.is_blocked(OTHER, "games.example", at), "another group at {time}");
    }
}

/// `allow` and `deny` of a window hold in it alone, and its edges end what devices keep.
#[test]
fn a_window_has_names_of_its_own() {
    let school = School::new();
    let core = school.core(hanoi("2026-11-30T06:00"), Vec::new());
    let blocked = |name: &str, time: &str| core.is_blocked(PUPIL, name, hanoi(time));
    for (name, lessons, rest, night) in [
        ("video.example", true, false, false),
        ("www.video.example", true, false, false),
        // A longer name of the profile stays allowed.
        ("lecture.video.example", false, false, false),
        ("www.chat.example", true, false, true),
        ("music.example", false, false, false),
        ("both.example", true, false, false),
        ("plain.example", false, false, true),
    ] {
        for (time, expected) in
            [("2026-11-30T08:00", lessons), ("2026-11-30T18:00", rest), ("2026-11-30T23:00", night)]
        {
            assert_eq!(blocked(name, time), expected, "{name} at {time}");
        }
        assert!(!core.is_blocked(OTHER, name, hanoi("2026-11-30T08:00")), "{name}");
    }
    // Nobody keeps an answer beyond the bell, of either kind.
    let before = core.ask(PUPIL, "video.example", hanoi("2026-11-30T06:59:50"));
    assert_eq!(before.ttl, 10);
    let denied = core.ask(PUPIL, "video.example", hanoi("2026-11-30T11:29:55"));
    assert_eq!((denied.source, denied.ttl), (AnswerSource::Blocked, 5));
    // A clock that nobody trusts denies and does not open.
    let now = Now { trust: Trust::Untrusted, ..synced(hanoi("2026-11-30T23:00")) };
    for (name, is_blocked) in [("video.example", true), ("both.example", true)] {
        let said = core.ask_at(PUPIL, name, now);
        assert_eq!(said.source == AnswerSource::Blocked, is_blocked, "{name}");
    }
    let text = String::from_utf8(school.why("video.example", "2026-11-30T08:00", PUPIL, &[]));
    let text = text.unwrap();
    assert!(text.contains("deny video.example"), "{text}");
    assert!(text.contains("then      2026-11-30T11:30:00+07:00: allow (school-allow)"), "{text}");
}

/// A lesson denies names for its group and its time, and a longer allowed one stays open.
#[test]
fn a_lesson_denies_too() {
    let (from, until) = (hanoi("2026-11-30T18:00"), hanoi("2026-11-30T19:00"));
    let lesson = StoredOverride {
        deny: vec!["good.example".into(), "lab.example".into()],
        ..stored("lesson", "pupils", &["lab.example", "board.good.example"], [from, until])
    };
    let core = School::new().core(from, vec![lesson]);
    for (name, in_it) in [
        ("www.good.example", true),
        ("board.good.example", false),
        ("lab.example", true),
        ("plain.example", false),
    ] {
        assert_eq!(core.is_blocked(PUPIL, name, from + 60), in_it, "{name}");
        assert!(!core.is_blocked(PUPIL, name, until), "{name} after it");
        assert!(!core.is_blocked(OTHER, name, from + 60), "{name} for others");
    }
    assert_eq!(core.ask(PUPIL, "good.example", until - 7).ttl, 7);
    let now = Now { trust: Trust::Untrusted, ..synced(0) };
    assert_eq!(core.ask_at(PUPIL, "good.example", now).source, AnswerSource::Blocked);
}

#[test]
fn a_cached_answer_is_no_verdict() {
    let core = School::new().core(hanoi("2026-11-30T06:00"), Vec::new());
    let (before, bell) = (hanoi("2026-11-30T06:59:50"), hanoi("2026-11-30T07:00:00"));
    assert_eq!(
        core.ask(PUPIL, "games.example", before),
        Said { source: AnswerSource::Upstream, ttl: 10 }
    );
    assert_eq!(
        core.ask(PUPIL, "games.example", before + 4),
        Said { source: AnswerSource::Cache, ttl: 6 }
    );
    // The answer is still in the cache, and whoever may have it gets it.
    assert_eq!(core.ask(PUPIL, "games.example", bell).source, AnswerSource::Blocked);
    let other = core.ask(OTHER, "games.example", bell);
    assert_eq!(other, Said { source: AnswerSource::Cache, ttl: 3590 });
    // What the bell does not change is kept as upstream says.
    assert_eq!(core.ask(PUPIL, "plain.example", before).ttl, 3600);
    // Up to ten at night, when nothing but what is allowed passes.
    let evening = hanoi("2026-11-30T21:30:00");
    assert_eq!(core.ask(PUPIL, "new.example", evening).ttl, 1800);
    assert_eq!(core.ask(PUPIL, "good.example", evening).ttl, 3600);
    // ANY is answered here, and no longer than the name passes.
    assert_eq!(
        core.ask_any(PUPIL, "games.example", before),
        Said { source: AnswerSource::Local, ttl: 10 }
    );
    assert_eq!(core.ask_any(PUPIL, "games.example", bell).source, AnswerSource::Blocked);
    assert_eq!(core.ask_any(OTHER, "games.example", before).ttl, 3600);
    // A blocked answer too: half a minute, or to the bell.
    assert_eq!(core.ask(PUPIL, "games.example", hanoi("2026-11-30T11:29:50")).ttl, 10);
    assert_eq!(core.ask(PUPIL, "games.example", hanoi("2026-11-30T11:00:00")).ttl, 30);
    assert_eq!(core.ask(PUPIL, "bets.example", hanoi("2026-11-30T11:29:50")).ttl, 30);
}

#[test]
fn what_was_asked_before_the_bell_is_judged_when_the_answer_comes() {
    let core = School::new().core(hanoi("2026-11-30T06:00"), Vec::new());
    let (before, after) = (hanoi("2026-11-30T06:59:59"), hanoi("2026-11-30T07:00:01"));
    let forward = core.forward(&query("games.example"), PUPIL, synced(before));
    let reply = core.finish(forward, &answer("games.example"), synced(after));
    assert_eq!(reply.outcome.source, AnswerSource::Blocked);
}

#[test]
fn a_search_engine_that_was_asked_before_an_exam_is_judged_when_the_answer_comes() {
    let start = hanoi("2026-11-30T08:00");
    let exam = stored("exam", "pupils", &["paper.example"], [start, start + 3600]);
    let core = School::new().core(start - 60, vec![exam]);
    let begin = || core.forward(&query("www.google.com"), PUPIL, synced(start - 1));
    let (early, late) = (begin(), begin());
    let octets = answer("forcesafesearch.google.com");
    let finish = |forward: Forward, civil| {
        let outcome = core.finish(forward, &octets, synced(civil)).outcome;
        (outcome.source, outcome.safe.is_some())
    };
    assert_eq!(finish(early, start - 1), (AnswerSource::Upstream, true));
    assert_eq!(finish(late, start), (AnswerSource::Blocked, false));
}

#[test]
fn outside_what_was_worked_out_and_with_a_clock_in_the_past_it_is_lesson_time() {
    let core = School::new().core(hanoi("2026-11-30T06:00"), Vec::new());
    let noon = hanoi("2026-11-30T12:00");
    let ask =
        |trust| core.ask_at(PUPIL, "games.example", Now { mono: 1, civil: noon, trust }).source;
    assert_eq!(ask(Trust::Synced), AnswerSource::Upstream);
    assert_eq!(ask(Trust::Plausible), AnswerSource::Cache);
    assert_eq!(ask(Trust::Untrusted), AnswerSource::Blocked);
    for odd in ["1970-01-02T12:00", "2027-03-01T12:00"] {
        assert!(core.is_blocked(PUPIL, "games.example", hanoi(odd)), "{odd}");
    }
    // An allow-list that only a schedule brings does not end teaching.
    let night = Now { mono: 1, civil: hanoi("2026-11-30T23:00"), trust: Trust::Untrusted };
    assert_eq!(core.ask_at(PUPIL, "plain.example", night).source, AnswerSource::Upstream);
}

#[test]
fn an_override_ends_at_its_edge_and_binds_its_group_alone() {
    let (from, until) = (hanoi("2026-11-30T08:00"), hanoi("2026-11-30T08:45"));
    let hour = [from, until];
    let core = School::new().core(
        from,
        vec![
            stored("lesson", "pupils", &["games.example", "bets.example"], hour),
            StoredOverride { id: 2, ..stored("exam", "others", &["paper.example"], hour) },
        ],
    );
    assert!(core.is_blocked(PUPIL, "games.example", from - 1));
    let during = core.ask(PUPIL, "games.example", until - 20);
    assert_eq!(during, Said { source: AnswerSource::Upstream, ttl: 20 });
    assert!(core.is_blocked(PUPIL, "games.example", until));
    assert!(core.is_blocked(PUPIL, "bets.example", from), "locked, whatever a file says");
    assert!(!core.is_blocked(PUPIL, "plain.example", from), "the exam is another group's");
    assert!(core.is_blocked(OTHER, "plain.example", from));
    assert!(!core.is_blocked(OTHER, "www.paper.example", from));
    assert!(!core.is_blocked(OTHER, "plain.example", until));
    // While nobody knows the time, what loosens ends and what tightens stays.
    let lost = Now { mono: 1, civil: from + 1, trust: Trust::Untrusted };
    assert_eq!(core.ask_at(PUPIL, "games.example", lost).source, AnswerSource::Blocked);
    assert_eq!(core.ask_at(OTHER, "plain.example", lost).source, AnswerSource::Blocked);
}

//------------ Why ----------------------------------------------------------------

#[test]
fn why_at_a_time_says_what_the_wire_would_carry() {
    let school = School::new();
    for (time, name) in [
        ("2026-11-30T06:59", "games.example"),
        ("2026-11-30T07:00", "games.example"),
        ("2026-11-30T21:00", "plain.example"),
        ("2026-11-30T23:00", "plain.example"),
        ("2026-12-02T09:00", "games.example"),
        ("2026-12-02T09:00", "bets.example"),
    ] {
        for client in [PUPIL, OTHER] {
            let core = school.core(hanoi(time), Vec::new());
            let blocked = core.is_blocked(client, name, hanoi(time));
            let output = school.why(name, time, client, &["--json"]);
            let said: serde_json::Value = serde_json::from_slice(&output).unwrap();
            let expected = if blocked { "block" } else { "allow" };
            assert_eq!(said["verdict"], expected, "{name} at {time} from {client}: {said:#}");
            // And behind the edge that it names.
            if let Some(change) = said["next_change"].as_object() {
                let edge: jiff::Timestamp = change["at"].as_str().unwrap().parse().unwrap();
                let edge = u64::try_from(edge.as_second()).unwrap();
                let blocked = core.is_blocked(client, name, edge);
                assert_eq!(change["verdict"], if blocked { "block" } else { "allow" }, "{said:#}");
            }
        }
    }
}

#[test]
fn why_names_what_runs_and_when_that_ends() {
    let school = School::new();
    let output = school.why("games.example", "2026-11-30T08:00", PUPIL, &[]);
    let text = String::from_utf8(output).unwrap();
    assert!(text.contains("time      2026-11-30T08:00:00+07:00, during lessons"), "{text}");
    assert!(text.contains("then      2026-11-30T11:30:00+07:00: allow (category)"), "{text}");
}

//------------ Laws ----------------------------------------------------------------

/// The config with one schedule, and its zone.
fn schedule(zone: &str, times: &str) -> (Config, TimeZone) {
    let text = format!(
        "[school]\ntimezone = \"{zone}\"\n[[schedule]]\nname = \"s\"\ntimes = [\"{times}\"]\n"
    );
    let config = load_text(&text, "gateway.toml", Path::new("")).unwrap();
    let zone = config.school.zone();
    (config, zone)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whenever the clock on the wall is inside a window, the schedule runs: however it is put
    /// forward or back. On days when nobody touches it, it runs at no other time.
    #[test]
    fn a_window_is_never_shorter_than_the_wall_clock_says(
        zone in prop::sample::select(vec![
            "Asia/Ho_Chi_Minh", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC",
        ]),
        start in 0_u32..288,
        length in 1_u32..287,
        offset in 0_u64..400,
    ) {
        // In units of five minutes: the half hours of Lord Howe too.
        let clock = |n: u32| format!("{:02}:{:02}", n % 288 * 5 / 60, n % 288 * 5 % 60);
        let end = (start + length) % 288;
        let (config, zone) = schedule(zone, &format!("{}-{}", clock(start), clock(end)));
        let from = hanoi("2026-01-01T00:00") + offset * 86_400;
        let span = from..from + 3 * 86_400;
        let windows = config.schedules[0].windows(&zone, &span);
        let offset_at = |t: u64| zone.to_offset(moment(t));
        let is_plain = offset_at(from - 86_400) == offset_at(span.end + 86_400);
        for t in (span.start..span.end).step_by(300) {
            let local = zone.to_datetime(moment(t));
            let minute = u32::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap();
            let now = minute / 5;
            let inside = if start < end { (start..end).contains(&now) } else { now >= start || now < end };
            let runs = lachan::config::layers::spans::contains(&windows, t);
            prop_assert!(runs || !inside, "{local} {zone:?} {windows:?}");
            prop_assert!(!is_plain || runs == inside, "{local} {zone:?} {windows:?}");
        }
    }

    /// Nothing that a school, a schedule or a teacher says loosens a lock.
    #[test]
    fn a_lower_layer_never_loosens_a_lock(
        block: u64, observe: u64, lessons: u64, locked: u64, during: [(u64, u64, bool); 3],
        lesson: u64, running: u8, has_lesson_schedule: bool,
    ) {
        let config = load_text("", "gateway.toml", Path::new("")).unwrap();
        let set = categories_of;
        let mut group = config.default_group().clone();
        group.locked = set(locked);
        group.block = set(block);
        group.lessons = set(lessons & block);
        group.observe = set(observe);
        group.lesson_schedule = has_lesson_schedule.then_some(3);
        group.during = during
            .iter()
            .enumerate()
            .map(|(schedule, &(block, observe, is_allow_only))| During {
                schedule,
                block: set(block),
                observe: set(observe),
                is_allow_only,
                allow: Vec::new(),
                deny: Vec::new(),
            })
            .collect();
        let over = Override {
            id: 1,
            kind: OverrideKind::Lesson,
            group: group.name.clone(),
            names: Vec::new(),
            deny: Vec::new(),
            categories: set(lesson),
            from: 0,
            until: 1,
            by: String::new(),
        };
        for state in [
            group.state(|schedule| running >> schedule & 1 == 1, [&over]),
            group.state(|_| false, []),
            group.strict_state([&over]),
        ] {
            prop_assert_eq!(state.block.intersection(set(locked)), set(locked));
            prop_assert!(state.block.intersection(state.observe).is_empty());
            prop_assert!(state.opened.intersection(state.block).is_empty());
        }
        // When nobody knows the time nothing is let through that is blocked at some time.
        let strict = group.strict_state([&over]);
        let at_some_time = group.state(|schedule| running >> schedule & 1 == 1, []);
        prop_assert!(at_some_time.block.without(strict.block).is_empty());
    }
}
