//! Layers and locks, schedules and calendars: what they come to, and what is read of mistakes.

use std::io;
use std::path::Path;

use insta::assert_snapshot;
use lachan::config::{Config, load};
use lachan::lang::Lang;

use super::{expect_vietnamese, group_of, ids, mistakes, right};

/// A config with files beside it.
pub(super) fn with(text: &str, files: &[(&str, &str)]) -> Result<Config, String> {
    let read = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let found = files.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| (*text).to_owned()).ok_or(io::Error::from(io::ErrorKind::NotFound))
    };
    load(text, "gateway.toml", Path::new("/etc/lachan"), Some(&read)).map_err(|errors| {
        expect_vietnamese(&errors);
        errors.to_string()
    })
}

/// What `check` refuses: mistakes, or words that a lock makes void.
pub(super) fn wrong(text: &str, files: &[(&str, &str)]) -> String {
    let Ok(config) = with(text, files) else { return with(text, files).unwrap_err() };
    assert!(!config.void.mistakes().is_empty(), "a mistake");
    expect_vietnamese(&config.void);
    config.void.to_string()
}

const DEPARTMENT: &str = include_str!("../../../config/department.toml");
pub(super) const UNDER: &str = "[department]\npolicy = \"department.toml\"\n";

//------------ The department ---------------------------------------------------

#[test]
fn a_department_locks_unlocks_and_sets_defaults_by_level() {
    let text = format!(
        "{UNDER}[[group]]\nname = \"p\"\nlevel = \"primary\"\nclients = [\"10.1.0.0/16\"]\n\
         [[group]]\nname = \"l\"\nlevel = \"lower-secondary\"\nclients = [\"10.2.0.0/16\"]\n\
         [[group]]\nname = \"u\"\nlevel = \"upper-secondary\"\nclients = [\"10.3.0.0/16\"]\nprofile = \"u\"\n\
         [profile.u]\nobserve = [\"bypass\"]\n"
    );
    let config = with(&text, &[("department.toml", DEPARTMENT)]).unwrap();
    let has = |group: &str, id: &str| {
        let category = config.taxonomy.find(id).expect("an id");
        let group = group_of(&config, group);
        [group.locked, group.block, group.lessons, group.observe].map(|set| set.contains(category))
    };
    assert_eq!(has("p", "social"), [true, true, false, false], "locked");
    assert_eq!(has("l", "social"), [false, true, true, false], "not at this level");
    assert_eq!(has("l", "ai_chat"), [false, true, false, false], "its own default");
    assert_eq!(has("u", "bypass"), [false, false, false, true], "opened to schools");
    assert_eq!(has("p", "bypass"), [true, true, false, false]);
}

#[test]
fn who_locks_what_and_what_may_be_done() {
    let text = format!(
        "{UNDER}[[group]]\nname = \"default\"\nlevel = \"primary\"\nprofile = \"p\"\n\
         [profile.p]\nobserve = [\"social\", \"gambling\", \"adult\"]\nallow = [\"www.bad.example\", \"lms.department.example\"]\n\
         [profile.p.during.evening]\nobserve = [\"social\"]\n\
         [[schedule]]\nname = \"evening\"\ntimes = [\"19:00-21:00\"]\n"
    );
    assert_snapshot!(wrong(&text, &[("department.toml", DEPARTMENT)]), @r#"
    gateway.toml:8:12: `social` cannot be let through: Example Department of Education locks it for level `primary` (Circular 12/2026)
      |
    8 | observe = ["social", "gambling", "adult"]
      |            ^^^^^^^^
    hint: remove it from `observe`; only the department can open it: it@department.example
    gateway.toml:8:22: `gambling` cannot be let through: the taxonomy locks it for everyone
      |
    8 | observe = ["social", "gambling", "adult"]
      |                      ^^^^^^^^^^
    hint: remove it from `observe`; nobody at a school can loosen it
    gateway.toml:8:34: `adult` cannot be let through: the taxonomy locks it for pupils, and this profile is used at level `primary`
      |
    8 | observe = ["social", "gambling", "adult"]
      |                                  ^^^^^^^
    hint: remove it from `observe`, or give the profile `level = "staff"` if no pupil is bound by it
    gateway.toml:9:10: `www.bad.example` cannot be let through: Example Department of Education denies `bad.example`
      |
    9 | allow = ["www.bad.example", "lms.department.example"]
      |          ^^^^^^^^^^^^^^^^^
    hint: remove it from `allow`; only the department can open it
    gateway.toml:11:12: `social` cannot be let through: Example Department of Education locks it for level `primary` (Circular 12/2026)
       |
    11 | observe = ["social"]
       |            ^^^^^^^^
    hint: remove it from `observe`; only the department can open it: it@department.example
    "#);
    let vietnamese = text.replace("[department]", "[school]\nlang = \"vi\"\n[department]");
    assert_snapshot!(wrong(&vietnamese, &[("department.toml", DEPARTMENT)]), @r#"
    gateway.toml:10:12: `social` không thể mở: Example Department of Education khóa nhóm này với cấp `primary` (Circular 12/2026)
       |
    10 | observe = ["social", "gambling", "adult"]
       |            ^^^^^^^^
    gợi ý: bỏ khỏi `observe`; chỉ cơ quan quản lý mới mở được: it@department.example
    gateway.toml:10:22: `gambling` không thể mở: danh mục khóa nhóm này với mọi người
       |
    10 | observe = ["social", "gambling", "adult"]
       |                      ^^^^^^^^^^
    gợi ý: bỏ khỏi `observe`; nhà trường không được nới lỏng
    gateway.toml:10:34: `adult` không thể mở: danh mục khóa nhóm này với học sinh, và hồ sơ này dùng cho cấp `primary`
       |
    10 | observe = ["social", "gambling", "adult"]
       |                                  ^^^^^^^
    gợi ý: bỏ khỏi `observe`, hoặc đặt `level = "staff"` cho hồ sơ nếu không áp dụng cho học sinh
    gateway.toml:11:10: `www.bad.example` không thể mở: Example Department of Education cấm `bad.example`
       |
    11 | allow = ["www.bad.example", "lms.department.example"]
       |          ^^^^^^^^^^^^^^^^^
    gợi ý: bỏ khỏi `allow`; chỉ cơ quan quản lý mới mở được
    gateway.toml:13:12: `social` không thể mở: Example Department of Education khóa nhóm này với cấp `primary` (Circular 12/2026)
       |
    13 | observe = ["social"]
       |            ^^^^^^^^
    gợi ý: bỏ khỏi `observe`; chỉ cơ quan quản lý mới mở được: it@department.example
    "#);
}

#[test]
fn a_department_has_mistakes_too() {
    let department = "allow = [\"no name\"]\n[[lock]]\nlevels = [\"primry\"]\n[[lock]]\ncategory = \"socail\"\n\
        [[unlock]]\ncategory = \"gambling\"\n[[unlock]]\ncategory = \"games\"\n[defaults.primary]\ngames = \"lesson\"\n";
    assert_snapshot!(wrong(UNDER, &[("department.toml", department)]), @r#"
    department.toml:1:10: `no name` in `allow` is no name: ` ` cannot stand in a name; letters, digits, `-`, `_` and `.` can
      |
    1 | allow = ["no name"]
      |          ^^^^^^^^^
    department.toml:2:1: this `[[lock]]` locks nothing
      |
    2 | [[lock]]
      | ^^^^^^^^
    hint: add `category = "…"`, `safesearch = "all"`, `youtube = "strict"` or `canaries = "all"`
    department.toml:3:11: unknown level `primry`; known are `preschool`, `primary`, `lower-secondary`, `upper-secondary`, `boarding`, `continuing`, `staff`
      |
    3 | levels = ["primry"]
      |           ^^^^^^^^
    hint: did you mean `primary`?
    department.toml:5:12: unknown category `socail`; known are `csam`, `legal_request`, `adult`, `nudify`, `gambling`, `dating`, `violence`, `drugs`, `self_harm`, `extremism`, `fraud`, `malware`, `bypass`, `hacking`, `social`, `games`, `video`, `piracy`, `ai_chat`, `crypto`, `ads_trackers`, `cheating`, `risky_infra`, `fake_news`, `unsafe_search`, `safe`
      |
    5 | category = "socail"
      |            ^^^^^^^^
    hint: did you mean `social`?
    department.toml:7:12: `gambling` is locked for everyone; a department cannot open it
      |
    7 | category = "gambling"
      |            ^^^^^^^^^^
    hint: remove this `[[unlock]]`
    department.toml:9:12: `games` is not locked, so there is nothing to open
      |
    9 | category = "games"
      |            ^^^^^^^
    hint: remove this `[[unlock]]`
    department.toml:11:9: unknown action `lesson`; known are `block`, `observe`, `allow`, `lessons`, `safe`
       |
    11 | games = "lesson"
       |         ^^^^^^^^
    hint: did you mean `lessons`?
    "#);
    assert_snapshot!(wrong(UNDER, &[]), @r#"
    gateway.toml:2:10: `department.toml` cannot be read: entity not found
      |
    2 | policy = "department.toml"
      |          ^^^^^^^^^^^^^^^^^
    hint: a path is absolute, or relative to the directory of this file
    "#);
}

//------------ Ten lines ----------------------------------------------------------

#[test]
fn a_school_is_ten_lines() {
    for (file, text) in SCHOOLS {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        assert!(lines.count() <= 10, "{file} is longer than ten lines");
        let files = [("department.toml", DEPARTMENT), ("holidays.ics", HOLIDAYS)];
        let config = with(text, &files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert!(config.groups.len() >= 2, "{file}: pupils and staff");
    }
    let preschool = with(SCHOOLS[0].1, &[("holidays.ics", HOLIDAYS)]).unwrap();
    assert!(preschool.default_group().is_allow_only);
}

const SCHOOLS: [(&str, &str); 3] = [
    ("preschool.toml", include_str!("../../../config/levels/preschool.toml")),
    ("secondary.toml", include_str!("../../../config/levels/secondary.toml")),
    ("boarding.toml", include_str!("../../../config/levels/boarding.toml")),
];
const HOLIDAYS: &str = include_str!("../../../config/levels/holidays.ics");

//------------ Schedules ----------------------------------------------------------

#[test]
fn without_a_timetable_it_is_always_lesson_time() {
    let config = right("school.level = \"lower-secondary\"\n");
    let group = config.default_group();
    assert_eq!(group.lesson_schedule, None);
    assert_eq!(ids(&config, group.lessons), ["social", "games", "ai_chat"]);
    assert_eq!(group.block.intersection(group.lessons), group.lessons);
    assert!(group.state(|_| false, []).block.intersection(group.lessons) == group.lessons);
}

#[test]
fn what_a_schedule_cannot_be() {
    assert_snapshot!(mistakes(r#"[school]
timezone = "Asia/Hanoi"
[[schedule]]
days = ["mon-fry", "sunday"]
times = ["7h-11h", "07:00-07:00", "24:00-25:00"]
[[schedule]]
name = "Giờ học"
"#), @r#"
    gateway.toml:2:12: there is no time zone `Asia/Hanoi`
      |
    2 | timezone = "Asia/Hanoi"
      |            ^^^^^^^^^^^^
    hint: write an IANA name such as `Asia/Ho_Chi_Minh`
    gateway.toml:3:1: this `[[schedule]]` has no `name`
      |
    3 | [[schedule]]
      | ^^^^^^^^^^^^
    hint: add `name = "…"`
    gateway.toml:4:9: unknown day `mon-fry`; known are `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`
      |
    4 | days = ["mon-fry", "sunday"]
      |         ^^^^^^^^^
    gateway.toml:4:20: unknown day `sunday`; known are `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`
      |
    4 | days = ["mon-fry", "sunday"]
      |                    ^^^^^^^^
    hint: did you mean `sun`?
    gateway.toml:5:10: `7h-11h` is no time from one to another
      |
    5 | times = ["7h-11h", "07:00-07:00", "24:00-25:00"]
      |          ^^^^^^^^
    hint: write `07:00-11:30`; `22:00-05:00` ends on the next day
    gateway.toml:5:20: `07:00-07:00` has no length, so it never runs
      |
    5 | times = ["7h-11h", "07:00-07:00", "24:00-25:00"]
      |                    ^^^^^^^^^^^^^
    hint: write `00:00-24:00` for the whole day
    gateway.toml:5:35: `24:00-25:00` is no time from one to another
      |
    5 | times = ["7h-11h", "07:00-07:00", "24:00-25:00"]
      |                                   ^^^^^^^^^^^^^
    hint: write `07:00-11:30`; `22:00-05:00` ends on the next day
    gateway.toml:6:1: schedule `Giờ học` says nothing of when it runs
      |
    6 | [[schedule]]
      | ^^^^^^^^^^^^
    hint: add `days`, `times` or `calendar`
    gateway.toml:7:8: "Giờ học" cannot name a schedule; a name is 1 to 32 of `a` to `z`, digits, `_` and `-`
      |
    7 | name = "Giờ học"
      |        ^^^^^^^^^
    "#);
}

#[test]
fn schedules_that_never_run_or_are_not_there() {
    assert_snapshot!(mistakes(r#"[[schedule]]
name = "lessons"
days = []
[[schedule]]
name = "lessons"
times = []
[[group]]
name = "default"
lessons = "lesson"
profile = "p"
[profile.p.during.evening]
block = ["games"]
observe = ["games"]
"#), @r#"
    gateway.toml:3:8: `days` is empty, so schedule `lessons` never runs
      |
    3 | days = []
      |        ^^
    hint: write `days = ["mon-fri"]`, or leave the key out
    gateway.toml:5:8: there is a schedule `lessons` already
      |
    5 | name = "lessons"
      |        ^^^^^^^^^
    hint: a schedule can have several `times`; give another one another name
    gateway.toml:6:9: `times` is empty, so schedule `lessons` never runs
      |
    6 | times = []
      |         ^^
    hint: write `times = ["07:00-11:30"]`, or leave the key out
    gateway.toml:9:11: unknown schedule `lesson`; known are `lessons`, `lessons`
      |
    9 | lessons = "lesson"
      |           ^^^^^^^^
    hint: did you mean `lessons`?
    gateway.toml:11:19: unknown schedule `evening`; known are `lessons`, `lessons`
       |
    11 | [profile.p.during.evening]
       |                   ^^^^^^^
    gateway.toml:13:12: `games` is in `block` and in `observe`
       |
    13 | observe = ["games"]
       |            ^^^^^^^
    hint: leave it in one: `block` refuses its names, `observe` only counts them
    "#);
}

#[test]
fn a_calendar_with_nonsense_says_where() {
    let text = "[[schedule]]\nname = \"exams\"\ncalendar = \"exams.ics\"\n";
    let ics = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Thi\nDTSTART:2027-01-01\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;TZID=Asia/Hanoi:20270101T070000\nDTEND:20270101T090000\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20270102T070000\nDTEND:20270101T090000\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20270103\nRRULE:FREQ=MONTHLY\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:never\nEND:VEVENT\nBEGIN:VEVENT\nnonsense\n";
    assert_snapshot!(wrong(text, &[("exams.ics", ics)]), @"
    exams.ics:4:1: `2027-01-01` is no date
      |
    4 | DTSTART:2027-01-01
      | ^^^^^^^^^^^^^^^^^^
    hint: a date is 20270101, a time 20270101T073000 or, in UTC, 20270101T003000Z
    exams.ics:7:1: there is no time zone `Asia/Hanoi`
      |
    7 | DTSTART;TZID=Asia/Hanoi:20270101T070000
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: save the calendar with an IANA zone such as `Asia/Ho_Chi_Minh`, or without one
    exams.ics:12:1: this event ends before it begins
       |
    12 | DTEND:20270101T090000
       | ^^^^^^^^^^^^^^^^^^^^^
    hint: an event of one whole day ends on the day after
    exams.ics:16:1: `FREQ=MONTHLY` in `RRULE` is not read; what is: FREQ of DAILY, WEEKLY or YEARLY, INTERVAL, COUNT, UNTIL, BYDAY of days or weeks, WKST
       |
    16 | RRULE:FREQ=MONTHLY
       | ^^^^^^^^^^^^^^^^^^
    hint: make an event of each date
    exams.ics:18:1: this event has no `DTSTART`, so it is never
       |
    18 | BEGIN:VEVENT
       | ^^^^^^^^^^^^
    hint: give it a date in the calendar program
    exams.ics:21:1: this event has no end; the file is cut off
       |
    21 | BEGIN:VEVENT
       | ^^^^^^^^^^^^
    hint: save it again
    exams.ics:22:1: a line of a calendar has a name, `:` and a value
       |
    22 | nonsense
       | ^^^^^^^^
    hint: save the calendar again; do not edit it by hand
    ");
    assert_snapshot!(wrong(text, &[("exams.ics", "<!DOCTYPE html>\n")]), @"
    exams.ics:1:1: this is not a calendar; one begins with `BEGIN:VCALENDAR`
      |
    1 | <!DOCTYPE html>
      | ^^^^^^^^^^^^^^^
    hint: save it from a calendar program as iCalendar (.ics)
    ");
    assert_snapshot!(wrong(text, &[]), @r#"
    gateway.toml:3:12: `exams.ics` cannot be read: entity not found
      |
    3 | calendar = "exams.ics"
      |            ^^^^^^^^^^^
    hint: a path is absolute, or relative to the directory of this file
    "#);
}

#[test]
fn a_schedule_that_no_event_meets_never_runs() {
    // The event is on a Friday.
    let ics =
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20270101\nEND:VEVENT\nEND:VCALENDAR\n";
    let text = "[[schedule]]\nname = \"exams\"\ndays = [\"mon-thu\"]\ncalendar = \"exams.ics\"\n";
    assert_snapshot!(wrong(text, &[("exams.ics", ics)]), @r#"
    gateway.toml:4:12: schedule `exams` never runs: no event of `exams.ics` is on its days and times
      |
    4 | calendar = "exams.ics"
      |            ^^^^^^^^^^^
    hint: remove `days` and `times`, or look at the dates of the calendar
    "#);
    // One that is past could run: a box must start again next year.
    let past = ics.replace("2027", "2001");
    let daily = text.replace("days = [\"mon-thu\"]\n", "");
    with(&daily, &[("exams.ics", &past)]).unwrap();
}

//------------ Groups ---------------------------------------------------------------

#[test]
fn ranges_become_networks_and_listeners_are_checked() {
    let config = right(
        "[listen]\ndns = [\"10.20.1.1:53\", \"10.20.2.1:53\"]\n\
         [[group]]\nname = \"a\"\nclients = [\"10.0.0.5-10.0.0.8\", \"2001:db8::-2001:db8::1\"]\n\
         [[group]]\nname = \"b\"\nlisten = [\"10.20.2.1:53\"]\n",
    );
    let shown: Vec<String> =
        group_of(&config, "a").clients.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.5/32", "10.0.0.6/31", "10.0.0.8/32", "2001:db8::/127"]);
    assert_snapshot!(mistakes(r#"[[group]]
name = "a"
clients = ["10.0.0.8-10.0.0.5", "10.0.0.1-x", "10.0.1.0-10.0.1.255"]
listen = ["127.0.0.1:5300"]
[[group]]
name = "b"
clients = ["10.0.1.0/24"]
listen = ["127.0.0.1:5300", "10.9.9.9:53"]
"#), @r#"
    gateway.toml:3:12: `10.0.0.8-10.0.0.5` ends before it begins
      |
    3 | clients = ["10.0.0.8-10.0.0.5", "10.0.0.1-x", "10.0.1.0-10.0.1.255"]
      |            ^^^^^^^^^^^^^^^^^^^
    hint: write `10.0.0.5-10.0.0.8`
    gateway.toml:3:33: `10.0.0.1-x` is not a range of addresses
      |
    3 | clients = ["10.0.0.8-10.0.0.5", "10.0.0.1-x", "10.0.1.0-10.0.1.255"]
      |                                 ^^^^^^^^^^^^
    hint: write `10.20.0.5-10.20.0.20`
    gateway.toml:7:12: `10.0.1.0/24` is in group `b` and in group `a`
      |
    7 | clients = ["10.0.1.0/24"]
      |            ^^^^^^^^^^^^^
    hint: leave it in one; a longer prefix goes before a shorter one
    gateway.toml:8:11: `127.0.0.1:5300` is the listener of group `a` already
      |
    8 | listen = ["127.0.0.1:5300", "10.9.9.9:53"]
      |           ^^^^^^^^^^^^^^^^
    hint: leave it in one
    gateway.toml:8:29: unknown listener `10.9.9.9:53`; known are `127.0.0.1:5300`
      |
    8 | listen = ["127.0.0.1:5300", "10.9.9.9:53"]
      |                             ^^^^^^^^^^^^^
    "#);
}

//------------ Allow-list mode --------------------------------------------------------

#[test]
fn allow_only_is_a_word_or_names_and_bundles() {
    let config = right(
        "[[group]]\nname = \"default\"\nprofile = \"p\"\n\
         [profile.p]\nallow_only = [\"lib.example\", \"bundle:own\"]\n[bundle.own]\nnames = [\"cdn.example\"]\n",
    );
    let group = config.default_group();
    let allowed: Vec<String> = group.allow.iter().map(ToString::to_string).collect();
    assert!(group.is_allow_only);
    assert_eq!(allowed, ["lib.example.", "cdn.example."]);
    assert_snapshot!(mistakes(
        "[profile.p]\nallow_only = \"yes\"\n"
    ), @r#"
    gateway.toml:2:14: wrong type: found string "yes", expected `true`, `false` or an array of names
      |
    2 | allow_only = "yes"
      |              ^^^^^
    "#);
    assert_snapshot!(mistakes(
        "[profile.p]\nallow = [\"bundle:windws\"]\n[bundle.own]\n"
    ), @r#"
    gateway.toml:2:10: unknown bundle `windws`; known are `android`, `apple`, `fonts-and-scripts`, `google-classroom`, `microsoft-365`, `own`, `windows`
      |
    2 | allow = ["bundle:windws"]
      |          ^^^^^^^^^^^^^^^
    hint: did you mean `windows`?
    gateway.toml:3:9: this `[bundle]` has no `names`
      |
    3 | [bundle.own]
      |         ^^^
    hint: add `names = "…"`
    "#);
}

#[test]
fn vietnamese_is_one_of_the_languages() {
    assert_eq!(right("[school]\nlang = \"vi\"\n").school.lang, Lang::Vi);
}
