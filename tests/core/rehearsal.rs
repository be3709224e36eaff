//! Rehearsal: two policies over the same names, in every state of their timetables.

use std::sync::Arc;

use lachan::category::CategorySet;
use lachan::config::data::released::ReleasedData;
use lachan::dns::message::Rcode;
use lachan::dns::name::{Folded, Name};
use lachan::dns::rtype;
use lachan::load::rehearsal::{popular, rehearse_policies};
use lachan::policy::{GroupCounters, Snapshot};
use lachan::rehearse::compare::{Rehearsal, RehearsedName, RehearsedSet, rehearse};
use lachan::rehearse::recent::RecentNames;
use lachan::rehearse::sample::PopularSample;
use lachan::resolve::{AnswerSource, Outcome};

use crate::kit::core::synced;
use crate::kit::folder::Folder;

/// Sunday 2026-11-29, 23:00 in Hanoi.
const SUNDAY: u64 = 1_795_968_000;

const CONFIG: &str = r#"
default_group = "pupils"
[school]
timezone = "Asia/Ho_Chi_Minh"
[lists]
starter = false
[[lists.source]]
category = "video"
path = "video.txt"
[[lists.source]]
category = "legal_request"
path = "legal.txt"
[[lists.source]]
category = "self_harm"
path = "harm.txt"
[[schedule]]
name = "lessons"
days = ["mon", "tue"]
times = ["07:00-11:00"]
[[group]]
name = "pupils"
profile = "pupils"
[[group]]
name = "staff"
clients = ["10.2.0.0/16"]
profile = "staff"
[profile.pupils]
level = "lower-secondary"
block = ["self_harm"]
observe = ["video"]
[profile.pupils.during.lessons]
block = ["video"]
[profile.staff]
level = "staff"
block = []
"#;

/// A policy of these names beside one in each list: an empty list is none, and closes its category.
fn policy(video: &str, legal: &str, harm: &str) -> Snapshot {
    let texts = [video, legal, harm].map(|names| format!("filler.example\n{names}\n"));
    let [video, legal, harm] = texts.each_ref().map(String::as_str);
    let files = [("video.txt", video), ("legal.txt", legal), ("harm.txt", harm)];
    Folder::new(CONFIG, &files).policy_around(SUNDAY, Vec::new()).unwrap()
}

fn recent(sample: &Arc<PopularSample>) -> RecentNames {
    RecentNames::new(Arc::clone(sample), (3, 4))
}

fn rehearsed(old: &Snapshot, new: &Snapshot) -> Rehearsal {
    let data = ReleasedData::default();
    let recent = recent(&popular(&data));
    rehearse_policies((old, new), [&data, &data], &recent, synced(SUNDAY), true)
}

#[test]
fn what_lessons_block_on_monday_is_seen_on_sunday() {
    let found = rehearsed(&policy("x.example", "", ""), &policy("x.example\nfigma.com", "", ""));
    let [row] = found.rows.as_slice() else { panic!("{found:?}") };
    assert_eq!((row.group.as_str(), row.set), ("pupils", RehearsedSet::Popular));
    assert_eq!((row.category.as_str(), row.blocked, row.opened), ("video", 1, 0));
    assert_eq!(row.names.0, ["figma.com"]);
    assert_eq!(found.newly_blocked.get("video"), Some(&1));
    assert!(!found.holds());
    assert_eq!(found.unrehearsed_permille, None, "nothing is known of this school");
    // And back: what was blocked is open.
    let found = rehearsed(&policy("x.example\nfigma.com", "", ""), &policy("x.example", "", ""));
    assert_eq!(found.most(RehearsedSet::Popular), (0, 1));
    assert!(found.newly_blocked.is_empty());
}

#[test]
fn a_list_of_hosts_that_names_www_alone_is_a_change_of_the_name() {
    let found = rehearsed(&policy("", "", ""), &policy("www.figma.com", "", ""));
    assert_eq!(found.most(RehearsedSet::Popular), (1, 0));
}

#[test]
fn a_guarded_name_holds_unless_the_category_is_there_to_block_it() {
    // No list but that of a legal duty takes a guarded name.
    let found = rehearsed(&policy("", "", ""), &policy("", "moet.gov.vn", ""));
    assert!(found.holds());
    // The ministry's name and two below it that are guarded as well.
    assert_eq!(found.holding, 3);
    assert_eq!(found.most(RehearsedSet::Guard), (3, 0));
    let found = rehearsed(&policy("", "", ""), &policy("youtube.com", "", ""));
    assert!(found.most(RehearsedSet::Guard).0 > 1 && !found.holds(), "{found:?}");
    assert_eq!(found.rows.iter().filter(|row| row.group == "staff").count(), 0);
}

#[test]
fn names_of_a_protected_category_are_counted_and_never_named() {
    let found = rehearsed(&policy("", "", ""), &policy("", "", "figma.com"));
    assert_eq!(found.newly_blocked.get("protected"), Some(&1), "{found:?}");
    assert!(found.rows.iter().all(|row| row.category == "protected" && row.names.0.is_empty()));
}

#[test]
fn the_same_policies_change_nothing_and_a_new_group_is_told() {
    let (old, new) = (policy("figma.com", "", ""), policy("figma.com", "", ""));
    assert!(rehearsed(&old, &new).rows.is_empty());
    let other = CONFIG.replace("name = \"staff\"", "name = \"teachers\"");
    let files = ["video.txt", "legal.txt", "harm.txt"].map(|file| (file, "filler.example\n"));
    let other = Folder::new(&other, &files).policy_around(SUNDAY, Vec::new()).unwrap();
    let found = rehearsed(&old, &other);
    assert_eq!((found.groups, found.new_groups), (1, 1));
}

#[test]
fn only_what_an_open_answer_says_is_noted() {
    let open = Outcome {
        rcode: Rcode::NOERROR,
        source: AnswerSource::Cache,
        group: Some(GroupCounters(0)),
        blocked: None,
        lists: 0,
        observed: CategorySet::EMPTY,
        canary: None,
        safe: None,
    };
    let policy = policy("", "", "harm.example");
    let sample = popular(&ReleasedData::default());
    let noted = |name: &str, qtype: u16, outcome: &Outcome| {
        let recent = recent(&sample);
        let name = Folded::from_name(&Name::from_text(name).unwrap());
        recent.note(&policy, (&name, qtype), 1, outcome, 1);
        recent.names().len()
    };
    assert_eq!(noted("open.example", rtype::A, &open), 1);
    assert_eq!(noted("www.harm.example", rtype::A, &open), 0, "protected");
    assert_eq!(noted("4.3.2.10.in-addr.arpa", rtype::A, &open), 0, "an address");
    assert_eq!(noted("open.example", rtype::TXT, &open), 0);
    for not_open in [
        Outcome { rcode: Rcode::NXDOMAIN, ..open },
        Outcome { source: AnswerSource::Blocked, ..open },
        // Help for children is counted in no group.
        Outcome { group: None, ..open },
    ] {
        assert_eq!(noted("open.example", rtype::A, &not_open), 0, "{not_open:?}");
    }
}

#[test]
fn a_set_of_names_is_counted_once_whatever_the_groups() {
    let name = |text: &str| RehearsedName::with_www(&Name::from_text(text).unwrap());
    let sets = [(RehearsedSet::Recent, vec![name("a.example"), name("b.example")])];
    let (old, new) = (policy("", "", ""), policy("", "a.example", ""));
    let found = rehearse(&old, &new, &sets, synced(SUNDAY), false);
    assert_eq!(found.names.get("recent"), Some(&2));
    assert_eq!(found.newly_blocked.get("legal_request"), Some(&1));
    assert_eq!(found.rows.len(), 2, "a row a group");
    assert!(found.rows.iter().all(|row| row.names.0.is_empty()), "not asked for");
}
