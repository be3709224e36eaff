//! The files of the change ledger: months, order, age, bounds, and what is read of them.

use std::fs;

use tempfile::TempDir;

use crate::overrides::ledger::{self, LedgerEntry, Replay, between, last, names, tidy};
use crate::overrides::stored::StoredOverride;
use crate::sys::state_dir::StateDir;

/// 2026-11-30 in UTC, and the length of a month that is long enough.
const NOVEMBER: u64 = 1_795_993_200;
const MONTH: u64 = 31 * 86_400;

fn state() -> (TempDir, StateDir) {
    let scratch = tempfile::tempdir().unwrap();
    let state = StateDir::at(scratch.path().to_owned()).unwrap();
    (scratch, state)
}

fn stored(id: u64) -> StoredOverride {
    StoredOverride {
        id,
        kind: "lesson".into(),
        group: "pupils".into(),
        names: Vec::new(),
        categories: Vec::new(),
        deny: Vec::new(),
        from: 0,
        until: u64::MAX,
        by: "Lan".into(),
        reason: String::new(),
    }
}

fn write(state: &StateDir, at: u64, action: &'static str, id: u64) {
    ledger::write(state, &LedgerEntry::new(at, action, "Lan", &stored(id)));
}

#[test]
fn a_later_month_begins_another_file_and_readers_follow() {
    let (_scratch, state) = state();
    write(&state, NOVEMBER, "begin", 1);
    write(&state, NOVEMBER + 60, "begin", 2);
    assert_eq!(names(state.path()), ["ledger.jsonl"]);
    write(&state, NOVEMBER + MONTH, "end", 1);
    write(&state, NOVEMBER + 2 * MONTH, "begin", 3);
    // The clock steps back, and far away: that ends no month, and changes no order.
    write(&state, NOVEMBER, "end", 3);
    write(&state, 60, "begin", 4);
    write(&state, u64::MAX, "begin", 5);
    let files = ["ledger-2026-11.jsonl", "ledger-2026-12.jsonl", "ledger.jsonl"];
    assert_eq!(names(state.path()), files);
    let Replay { active, highest, .. } = ledger::replay(&state);
    assert_eq!(active.iter().map(|one| one.id).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(highest, 5);
    let newest: Vec<u64> = last(&state).iter().map(|line| line.at).collect();
    assert_eq!(newest.len(), 7);
    assert_eq!((newest[0], newest[6]), (u64::MAX, NOVEMBER));
    let found = between(&state, NOVEMBER + 1, NOVEMBER + MONTH + 1);
    let actions: Vec<&str> = found.lines.iter().map(|line| line.action.as_str()).collect();
    assert_eq!((actions, found.left_out), (vec!["begin", "end"], 0));
    // A cut between the new name and the next line.
    fs::rename(state.join("ledger.jsonl"), state.join("ledger-2027-01.jsonl")).unwrap();
    assert_eq!(ledger::replay(&state).highest, 5);
}

#[test]
fn what_ended_is_over_in_whatever_order_its_lines_were_written() {
    let (_scratch, state) = state();
    write(&state, NOVEMBER, "end", 7);
    write(&state, NOVEMBER, "begin", 7);
    assert!(ledger::replay(&state).active.is_empty());
    let other = StoredOverride { from: NOVEMBER, ..stored(7) };
    ledger::write(&state, &LedgerEntry::new(NOVEMBER, "begin", "Lan", &other));
    assert_eq!(ledger::replay(&state).active, [other], "a number that was given twice");
}

#[test]
fn a_line_that_was_cut_off_swallows_no_other() {
    let (_scratch, state) = state();
    write(&state, NOVEMBER, "begin", 1);
    let path = state.join("ledger.jsonl");
    let mut torn = fs::read(&path).unwrap();
    torn.extend(b"{\"at\":17959");
    fs::write(&path, torn).unwrap();
    write(&state, NOVEMBER + 60, "begin", 2);
    write(&state, NOVEMBER + 61, "end", 1);
    assert_eq!(last(&state).len(), 3, "all but the torn one");
    assert_eq!(ledger::replay(&state).active.len(), 1);
}

#[test]
fn files_of_earlier_versions_are_taken_over_as_the_oldest() {
    let (_scratch, state) = state();
    write(&state, NOVEMBER, "begin", 1);
    fs::rename(state.join("ledger.jsonl"), state.join("ledger.old.jsonl")).unwrap();
    write(&state, NOVEMBER + 60, "begin", 2);
    assert_eq!(names(state.path()), ["ledger.old.jsonl", "ledger.jsonl"]);
    assert_eq!(ledger::replay(&state).active.len(), 2);
    write(&state, NOVEMBER + MONTH, "begin", 3);
    let files = ["ledger-2026-11.jsonl", "ledger-2026-11.2.jsonl", "ledger.jsonl"];
    assert_eq!(names(state.path()), files);
    let order: Vec<u64> = last(&state).iter().map(|line| line.at).collect();
    assert_eq!(order, [NOVEMBER + MONTH, NOVEMBER + 60, NOVEMBER]);
}

#[test]
fn a_month_with_too_many_changes_has_several_files_and_loses_none() {
    let (_scratch, state) = state();
    write(&state, NOVEMBER, "begin", 1);
    let mut full = fs::read(state.join("ledger.jsonl")).unwrap();
    full.resize(4 << 20, b' ');
    full.push(b'\n');
    fs::write(state.join("ledger.jsonl"), full).unwrap();
    write(&state, NOVEMBER + 1, "begin", 2);
    assert_eq!(names(state.path()), ["ledger-2026-11.jsonl", "ledger.jsonl"]);
    assert_eq!(ledger::replay(&state).active.len(), 2);
}

#[test]
fn old_months_go_by_age_and_the_oldest_go_for_room_and_that_is_told() {
    let (_scratch, state) = state();
    for month in 0..6 {
        write(&state, NOVEMBER + month * MONTH, "begin", month);
    }
    let oldest = |state: &StateDir| names(state.path())[0].clone();
    // Without a clock nothing is old.
    assert_eq!((tidy(&state, None, 1 << 20), oldest(&state)), (0, "ledger-2026-11.jsonl".into()));
    let now = NOVEMBER + 5 * MONTH;
    assert_eq!(tidy(&state, Some((now, 60)), 1 << 20), 0);
    assert_eq!(oldest(&state), "ledger-2026-11.jsonl");
    assert_eq!(tidy(&state, Some((now, 4)), 1 << 20), 0, "what is old is not told");
    assert_eq!(oldest(&state), "ledger-2027-01.jsonl");
    let octets = fs::metadata(state.join("ledger.jsonl")).unwrap().len();
    assert_eq!(tidy(&state, Some((now, 60)), 2 * octets + octets / 2), 2);
    assert_eq!(names(state.path()), ["ledger-2027-04.jsonl", "ledger.jsonl"]);
    assert_eq!(tidy(&state, None, 0), 1);
    assert_eq!(names(state.path()), ["ledger.jsonl"], "the newest stays");
}

#[test]
fn names_that_are_no_months_are_left_alone() {
    let (_scratch, state) = state();
    let odd =
        ["ledger-.jsonl", "ledger-2026-13.jsonl", "ledger-2026-01.0x.jsonl", "ledger-2026.jsonl"];
    for name in odd {
        fs::write(state.join(name), "").unwrap();
    }
    fs::create_dir(state.join("ledger-2020-01.jsonl")).unwrap();
    assert_eq!(tidy(&state, Some((NOVEMBER, 60)), 0), 0);
    assert!(names(state.path()).is_empty());
    let replay = ledger::replay(&state);
    assert_eq!((replay.highest, replay.unread.len()), (0, 0));
    assert!(last(&state).is_empty());
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_the_newest_one_makes_nothing_active() {
    let (_scratch, state) = state();
    write(&state, NOVEMBER, "begin", 1);
    write(&state, NOVEMBER + MONTH, "begin", 2);
    let (old, new) = (state.join("ledger-2026-11.jsonl"), state.join("ledger.jsonl"));
    let aside = state.join("aside");
    fs::rename(&new, &aside).unwrap();
    fs::create_dir(&new).unwrap();
    let replay = ledger::replay(&state);
    assert_eq!((replay.active.len(), replay.highest, replay.unread.len()), (0, 1, 1));
    fs::remove_dir(&new).unwrap();
    fs::rename(&aside, &new).unwrap();
    let replay = ledger::replay(&state);
    assert_eq!((replay.active.len(), replay.unread.len()), (2, 0));
    assert!(old.is_file());
}

#[test]
fn what_the_disk_does_not_take_waits_is_shown_and_is_written_in_order() {
    let (_scratch, state) = state();
    write(&state, NOVEMBER, "begin", 1);
    let (path, aside) = (state.join("ledger.jsonl"), state.join("aside"));
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    write(&state, NOVEMBER + 1, "end", 1);
    write(&state, NOVEMBER + 2, "begin", 2);
    let third = stored(3);
    let refused = LedgerEntry::new(NOVEMBER + 3, "begin", "Lan", &third);
    assert!(ledger::write_or_refuse(&state, &refused).is_err());
    assert!(!ledger::is_kept(&state));
    let shown: Vec<u64> = last(&state).iter().map(|line| line.at - NOVEMBER).collect();
    assert_eq!(shown, [2, 1]);
    assert_eq!(between(&state, NOVEMBER + 2, u64::MAX).lines.len(), 1);
    fs::remove_dir(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    ledger::keep(&state);
    assert!(ledger::is_kept(&state));
    write(&state, NOVEMBER + 4, "begin", 4);
    let shown: Vec<u64> = last(&state).iter().map(|line| line.at - NOVEMBER).collect();
    assert_eq!(shown, [4, 2, 1, 0]);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 4);
    let active: Vec<u64> = ledger::replay(&state).active.iter().map(|one| one.id).collect();
    assert_eq!(active, [2, 4]);
}
