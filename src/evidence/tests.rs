//! The account and the record of a month, without a clock or a file.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use crate::config::{EvidenceSettings, SchoolHours};
use crate::evidence::account::{Change, EarlierLife, LifeAccount, PATIENCE, SchoolTime};
use crate::evidence::month::LocalMonth;
use crate::evidence::record::{GapCause, MonthRecord};
use crate::evidence::tally::EvidenceTally;
use crate::policy::group::time::{Now, Trust};

/// 2026-11-30 06:00 in Hanoi, a Monday.
const MORNING: u64 = 1_795_993_200;
const HOUR: u64 = 3600;

fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

fn now(mono: u64, civil: u64, trust: Trust) -> Now {
    Now { mono, civil, trust }
}

fn settle(account: &mut LifeAccount, now: Now, hours: &SchoolHours, is_last: bool) -> Vec<Change> {
    let zone = zone();
    account.settle((now, now.civil), SchoolTime { zone: &zone, hours }, is_last)
}

/// The records that changes make.
fn records(changes: &[Change]) -> BTreeMap<String, MonthRecord> {
    let mut records: BTreeMap<String, MonthRecord> = BTreeMap::new();
    for change in changes {
        let month = change.month();
        let record = records.entry(month.to_string()).or_insert_with(|| MonthRecord::new(month));
        record.apply(change);
    }
    records
}

fn seconds(changes: &[Change]) -> BTreeMap<Option<GapCause>, u64> {
    let mut sums = BTreeMap::new();
    for change in changes {
        if let Change::Seconds { span, cause, .. } = change {
            *sums.entry(*cause).or_default() += span.end - span.start;
        }
    }
    sums
}

fn queries(count: u64) -> EvidenceTally {
    EvidenceTally { queries: count, ..EvidenceTally::default() }
}

fn fresh() -> LifeAccount {
    LifeAccount::new(None, true, (EvidenceTally::default(), 0, 0))
}

#[test]
fn a_span_over_the_end_of_a_month_is_split_at_midnight_of_the_school() {
    let mut account = fresh();
    let midnight = MORNING + 18 * HOUR;
    account.hold(10, None);
    account.hold(10 + 600, Some(GapCause::Lists));
    account.hold(10 + 900, None);
    let now = now(910, midnight + 400, Trust::Synced);
    let records = records(&settle(&mut account, now, &SchoolHours::Always, false));
    let [november, december] = ["2026-11", "2026-12"].map(|month| &records[month].enforcement);
    assert_eq!((november.enforced, november.gaps[&GapCause::Lists]), (0, 500));
    assert_eq!((december.enforced, december.gaps[&GapCause::Lists]), (300, 100));
    let gap = &records["2026-12"].gaps[0];
    assert_eq!((gap.from, gap.to), (midnight, midnight + 100));
}

#[test]
fn only_minutes_of_the_school_count() {
    let usual = EvidenceSettings::default().hours;
    // The machine was off from 17:00 on Saturday to 07:00 on Monday.
    let ended = EarlierLife { at: MORNING - 37 * HOUR, cause: GapCause::Power };
    let mut account = LifeAccount::new(Some(ended), true, (EvidenceTally::default(), 0, 0));
    account.hold(1, None);
    account.hold(61, None);
    let changes = settle(&mut account, now(61, MORNING + HOUR + 60, Trust::Synced), &usual, false);
    let sums = seconds(&changes);
    assert_eq!(sums[&Some(GapCause::Power)], 2 * HOUR, "an hour on each of the two days");
    assert_eq!(sums[&None], 60);
    let night = now(61, MORNING - HOUR, Trust::Synced);
    let mut account = fresh();
    account.hold(1, None);
    account.hold(61, None);
    assert_eq!(settle(&mut account, night, &usual, false), []);
}

#[test]
fn counts_without_a_clock_are_of_the_first_trusted_time() {
    let mut account = fresh();
    for minute in 0..30_u64 {
        account.hold(1 + minute * 60, Some(GapCause::Clock));
        account.count(&queries(2), Trust::Untrusted);
        let at = now(1 + minute * 60, minute * 60, Trust::Untrusted);
        assert_eq!(settle(&mut account, at, &SchoolHours::Always, false), [], "nothing in 1970");
    }
    assert_eq!(account.waiting().map(|(counts, ..)| counts.queries), Some(60));
    account.hold(1801, Some(GapCause::Clock));
    account.count(&queries(5), Trust::Synced);
    let at = now(1801, MORNING, Trust::Synced);
    let records = records(&settle(&mut account, at, &SchoolHours::Always, false));
    assert_eq!(records.len(), 1);
    let record = &records["2026-11"];
    assert_eq!((record.queries, record.queries_without_clock), (65, 60));
    assert_eq!(record.active_days.iter().copied().collect::<Vec<_>>(), [30]);
    assert_eq!(record.enforcement.gaps[&GapCause::Clock], 1800);
    assert_eq!(account.waiting(), None);
}

#[test]
fn a_board_without_a_battery_waits_for_a_time_server_before_it_says_how_long_it_was_off() {
    let ended = EarlierLife { at: MORNING, cause: GapCause::Power };
    let start = || LifeAccount::new(Some(ended.clone()), true, (EvidenceTally::default(), 0, 0));
    // It goes on where it was switched off, and three hours have passed.
    let mut account = start();
    account.hold(1, None);
    account.hold(61, None);
    let early = now(61, MORNING + 90, Trust::Plausible);
    assert_eq!(settle(&mut account, early, &SchoolHours::Always, false), []);
    account.hold(121, None);
    let synced = now(121, MORNING + 3 * HOUR + 120, Trust::Synced);
    let sums = seconds(&settle(&mut account, synced, &SchoolHours::Always, false));
    assert_eq!(sums, [(None, 120), (Some(GapCause::Power), 3 * HOUR)].into());
    // Where no time server answers, its own clock is believed in the end; at the end of a life at once.
    for (mono, is_last) in [(1 + PATIENCE, false), (61, true)] {
        let mut account = start();
        account.hold(1, None);
        account.hold(mono, None);
        let at = now(mono, MORNING + 30 + mono, Trust::Plausible);
        let sums = seconds(&settle(&mut account, at, &SchoolHours::Always, is_last));
        assert_eq!(sums, [(None, mono - 1), (Some(GapCause::Power), 31)].into());
    }
}

#[test]
fn lives_without_a_clock_are_at_the_end_of_the_time_between() {
    let ended = EarlierLife { at: MORNING, cause: GapCause::Power };
    let mut account = LifeAccount::new(Some(ended), true, (queries(7), 7, 600));
    account.hold(1, None);
    let at = now(1, MORNING + HOUR, Trust::Synced);
    let changes = settle(&mut account, at, &SchoolHours::Always, false);
    let gaps = [(Some(GapCause::Power), HOUR - 600), (Some(GapCause::Clock), 600)];
    assert_eq!(seconds(&changes), gaps.into());
    assert_eq!(records(&changes)["2026-11"].queries_without_clock, 7);
}

#[test]
fn a_record_of_another_hand_makes_no_endless_gap() {
    for at in [0, 1, u64::MAX] {
        let ended = Some(EarlierLife { at, cause: GapCause::Power });
        let mut account = LifeAccount::new(ended, false, (EvidenceTally::default(), 0, u64::MAX));
        account.hold(1, None);
        let at = now(1, MORNING, Trust::Synced);
        let changes = settle(&mut account, at, &SchoolHours::Always, false);
        assert!(changes.len() < 30, "{}", changes.len());
    }
}

#[test]
fn a_record_keeps_the_longest_gaps_and_the_sums_of_all() {
    let month: LocalMonth = "2026-11".parse().unwrap();
    let mut record = MonthRecord::new(month);
    let gap = |from, to| Change::Seconds { month, span: from..to, cause: Some(GapCause::Uplink) };
    record.apply(&gap(0, 5_000));
    for number in 0..400_u64 {
        record.apply(&gap(10_000 + number * 100, 10_000 + number * 100 + 1 + number % 7));
    }
    // One that grows minute by minute is the longest in the end.
    for minute in 0..100 {
        record.apply(&gap(900_000 + minute * 60, 900_060 + minute * 60));
    }
    record.apply(&gap(999_000, 999_001));
    assert_eq!(record.gaps.len(), 200);
    let lengths = |record: &MonthRecord| -> Vec<u64> {
        record.gaps.iter().map(|gap| gap.to - gap.from).collect()
    };
    assert_eq!(lengths(&record).iter().max(), Some(&6_000));
    assert_eq!(record.gaps[0].to, 5_000);
    let short: u64 = (0..400).map(|number| 1 + number % 7).sum();
    assert_eq!(record.enforcement.gaps[&GapCause::Uplink], 5_000 + short + 6_000 + 1);
    assert!(serde_json::to_vec(&record).unwrap().len() < 16_000);
}

/// A look: seconds that passed, the step of the civil clock, the trust in it, what held.
fn look() -> impl Strategy<Value = (u64, i64, Trust, Option<GapCause>)> {
    let step = prop_oneof![6 => Just(0_i64), 1 => -100_000..100_000_i64];
    let trust = prop::sample::select(Trust::ALL.to_vec());
    let cause = prop::sample::select(vec![
        None,
        Some(GapCause::Uplink),
        Some(GapCause::Config),
        Some(GapCause::Lists),
    ]);
    (0..4_000_u64, step, trust, cause)
}

proptest! {
    /// Law: each second that passed and each count is placed once, however the civil clock steps.
    #[test]
    fn seconds_and_counts_are_placed_once(looks in prop::collection::vec(look(), 1..60)) {
        let (mut mono, mut civil) = (1_u64, MORNING);
        let mut account = fresh();
        let (mut changes, mut held) = (Vec::new(), BTreeMap::<_, u64>::new());
        account.hold(mono, None);
        for (passed, step, trust, cause) in &looks {
            mono += passed;
            civil = (civil + passed).saturating_add_signed(*step);
            account.hold(mono, *cause);
            account.count(&queries(1), *trust);
            if *passed > 0 {
                *held.entry(*cause).or_default() += passed;
            }
            changes.extend(settle(&mut account, now(mono, civil, *trust), &SchoolHours::Always, false));
        }
        let end = now(mono, civil, Trust::Synced);
        changes.extend(settle(&mut account, end, &SchoolHours::Always, true));
        prop_assert_eq!(account.waiting(), None);
        prop_assert_eq!(seconds(&changes), held);
        let records = records(&changes);
        let sum = |of: fn(&MonthRecord) -> u64| records.values().map(of).sum::<u64>();
        prop_assert_eq!(sum(|record| record.queries), looks.len() as u64);
        prop_assert!(sum(|record| record.queries_without_clock) <= looks.len() as u64);
        for change in &changes {
            if let Change::Seconds { span, month, .. } = change {
                prop_assert!(span.start < span.end && span.end <= month.end(&zone()));
            }
        }
        for record in records.values() {
            let gaps = record.gaps.iter().map(|gap| gap.to - gap.from).sum::<u64>();
            let sums = record.enforcement.gaps.values().sum::<u64>();
            prop_assert!(gaps == sums || record.gaps.len() == 200);
        }
    }

    /// Law: the time between two lives is a gap, once, and of school minutes alone.
    #[test]
    fn the_time_between_two_lives_is_a_gap(off in 0..40 * 86_400_u64, waits in 0..1_500_u64) {
        let usual = EvidenceSettings::default().hours;
        let ended = EarlierLife { at: MORNING, cause: GapCause::Program };
        let mut account = LifeAccount::new(Some(ended), false, (EvidenceTally::default(), 0, 0));
        account.hold(5, None);
        account.hold(5 + waits, None);
        let end = MORNING + off + waits;
        let changes = settle(&mut account, now(5 + waits, end, Trust::Plausible), &usual, false);
        let all: u64 = usual.windows(&zone(), &(MORNING..end)).iter().map(|w| w.end - w.start).sum();
        prop_assert_eq!(seconds(&changes).values().sum::<u64>(), all);
        let gap: u64 =
            usual.windows(&zone(), &(MORNING..end - waits)).iter().map(|w| w.end - w.start).sum();
        prop_assert_eq!(
            seconds(&changes).get(&Some(GapCause::Program)).copied().unwrap_or(0), gap
        );
    }
}
