//! `[evidence]`: the minutes of a school, and what the operator reads of mistakes.

use std::ops::Range;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::tz::TimeZone;
use lachan::config::{EvidenceSettings, SchoolHours};

use super::{mistakes, right};

/// 2026-11-28 00:00 in Hanoi, a Saturday, and the three days from it.
const SATURDAY: u64 = 1_795_798_800;
const DAYS: Range<u64> = SATURDAY..SATURDAY + 3 * 86_400;

/// Hours of each window of these days.
fn hours(hours: &SchoolHours) -> Vec<[u64; 2]> {
    let windows = hours.windows(&TimeZone::get("Asia/Ho_Chi_Minh").unwrap(), &DAYS);
    let hour = |second: u64| (second - SATURDAY) / 3600;
    windows.into_iter().map(|window| [hour(window.start), hour(window.end)]).collect()
}

#[test]
fn minutes_of_a_school_are_those_of_a_schedule() {
    let found = right("").evidence;
    assert_eq!(found, EvidenceSettings::default());
    assert_eq!(found.flush, Duration::from_secs(600));
    assert_eq!((found.keep, found.ledger, found.max_size), (24, 60, 16 << 20));
    assert_eq!(hours(&found.hours), [[6, 18], [54, 66]], "no Sunday");
    let named = "[evidence]\nhours = \"evenings\"\nkeep = 132\nledger = 120\nmax_size = \"1GiB\"\n\
                 [[schedule]]\nname = \"evenings\"\ndays = [\"sun\"]\ntimes = [\"17:00-21:00\"]\n";
    let found = right(named).evidence;
    assert_eq!((hours(&found.hours), found.keep, found.ledger), (vec![[41, 45]], 132, 120));
    // Where pupils live, all minutes are.
    for boarding in [
        "[school]\nlevel = \"boarding\"\n",
        "[profile.inside]\nlevel = \"boarding\"\n[[group]]\nname = \"inside\"\nprofile = \"inside\"\n\
         clients = [\"10.0.0.0/8\"]\n",
        "[evidence]\nhours = \"always\"\n",
    ] {
        assert_eq!(right(boarding).evidence.hours, SchoolHours::Always, "{boarding}");
    }
}

#[test]
fn mistakes_in_evidence() {
    let wrong = "[evidence]\nhours = \"lessons\"\nflush = \"11m\"\nkeep = 12\nledger = 59\n\
                 max_size = \"1KiB\"\n";
    assert_snapshot!(mistakes(wrong), @r#"
    gateway.toml:2:9: unknown schedule `lessons`; known are `always`
      |
    2 | hours = "lessons"
      |         ^^^^^^^^^
    gateway.toml:3:9: `flush` is 11m; it must be 1s to 10m
      |
    3 | flush = "11m"
      |         ^^^^^
    gateway.toml:4:8: `keep` is 12; it must be 24 to 132
      |
    4 | keep = 12
      |        ^^
    gateway.toml:5:10: `ledger` is 59; it must be 60 to 132
      |
    5 | ledger = 59
      |          ^^
    gateway.toml:6:12: `max_size` is 1KiB; it must be 1MiB to 1GiB
      |
    6 | max_size = "1KiB"
      |            ^^^^^^
    "#);
}
