use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::lang::Lang;

const OUTLOOK: &str = "BEGIN:VTIMEZONE\r\nTZID:Phòng thi\r\nBEGIN:STANDARD\r\n\
    DTSTART:16010101T000000\r\nTZOFFSETFROM:+0700\r\nTZOFFSETTO:+0700\r\nEND:STANDARD\r\n\
    END:VTIMEZONE\r\n";
/// Berlin, as Outlook writes it.
const SUMMER: &str = "BEGIN:VTIMEZONE\nTZID:Berlin\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
    TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
    BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
    RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n";

fn school() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

fn read(lines: &str) -> Result<Calendar, String> {
    let text = format!("BEGIN:VCALENDAR\n{lines}END:VCALENDAR\n");
    Calendar::parse(&text).map_err(|mistakes| {
        let said = mistakes.iter().map(|mistake| mistake.message.in_lang(Lang::En));
        said.collect::<Vec<_>>().join("\n")
    })
}

/// The starts of all windows from 2009 to 2033, in UTC, without the seconds.
fn starts(lines: &str) -> Vec<String> {
    let span = 1_230_768_000..2_000_000_000;
    let windows = read(lines).unwrap_or_else(|said| panic!("{said}")).windows(&school(), &span);
    let text = |at: u64| Timestamp::from_second(i64::try_from(at).unwrap()).unwrap().to_string();
    windows.into_iter().map(|window| text(window.start)[..16].to_owned()).collect()
}

/// An event of an hour in the morning.
fn event(more: &str) -> String {
    format!(
        "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Asia/Ho_Chi_Minh:20261207T073000\nDURATION:PT1H\n{more}\
         END:VEVENT\n"
    )
}

fn wrong(more: &str) -> String {
    read(&event(more)).unwrap_err()
}

#[test]
fn until_in_utc_is_an_instant() {
    let until = |until: &str| starts(&event(&format!("RRULE:FREQ=DAILY;UNTIL={until}\n"))).len();
    // 07:30 in Vietnam is 00:30 in UTC.
    assert_eq!(until("20261211T003000Z"), 5);
    assert_eq!(until("20261211T002959Z"), 4);
    assert_eq!(until("20261211T073000"), 5);
    assert_eq!(until("20261211T072959"), 4);
    assert_eq!(until("20261211"), 5);
    // A whole day of the school begins at 17:00 of the day before.
    let days = |until: &str| {
        let whole = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261207\nRRULE:FREQ=DAILY;INTERVAL=2;UNTIL=";
        starts(&format!("{whole}{until}\nEND:VEVENT\n")).len()
    };
    assert_eq!([days("20261210T170000Z"), days("20261210T165959Z"), days("20261211")], [3, 2, 3]);
}

#[test]
fn an_exception_is_an_instant_or_a_day() {
    let without = |except: &str| {
        let found = starts(&event(&format!("RRULE:FREQ=DAILY;COUNT=3\n{except}\n")));
        found.iter().map(|at| at[8..10].to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(without("EXDATE:20261208T003000Z"), "07 09");
    assert_eq!(without("EXDATE;TZID=Asia/Ho_Chi_Minh:20261208T073000"), "07 09");
    assert_eq!(without("EXDATE;TZID=Asia/Tokyo:20261208T093000"), "07 09");
    assert_eq!(without("EXDATE;VALUE=DATE:20261208,20261209"), "07");
    assert_eq!(without("EXDATE:20261208T073000Z"), "07 08 09");
    let day = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261207\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=2\n";
    let found = starts(&format!("{day}EXDATE:20261206T170000Z\nEND:VEVENT\n"));
    assert_eq!(found, ["2026-12-08T17:00"]);
}

#[test]
fn an_occurrence_takes_the_place_of_that_of_its_series() {
    let series = event("RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO\n");
    let moved = |id: &str, more: &str| {
        format!(
            "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID{id}\nDTSTART;TZID=Asia/Ho_Chi_Minh:20261216T073000\n\
             DURATION:PT1H\n{more}END:VEVENT\n"
        )
    };
    let expected = ["2026-12-07T00:30", "2026-12-16T00:30", "2026-12-21T00:30"];
    for id in
        [":20261214T003000Z", ";TZID=Asia/Ho_Chi_Minh:20261214T073000", ";VALUE=DATE:20261214"]
    {
        // Either may stand first.
        assert_eq!(starts(&(series.clone() + &moved(id, ""))), expected, "{id}");
        assert_eq!(starts(&(moved(id, "") + &series)), expected, "{id}");
    }
    let cancelled = moved(":20261214T003000Z", "STATUS:CANCELLED\n");
    assert_eq!(starts(&(series.clone() + &cancelled)), [expected[0], expected[2]]);
    // The later version of an occurrence holds, wherever it stands.
    let again = moved(":20261214T003000Z", "SEQUENCE:2\n");
    assert_eq!(starts(&(series.clone() + &again + &cancelled)), expected);
    let other = moved(":20261214T003000Z", "").replace("UID:1", "UID:2");
    assert_eq!(starts(&(series.clone() + &other)).len(), 4);

    let all = moved(";RANGE=THISANDFUTURE:20261214T003000Z", "");
    assert_eq!(read(&(series.clone() + &all)).unwrap_err(), "`RANGE=THISANDFUTURE` is not read");
    let nameless = moved(":20261214T003000Z", "").replace("UID:1\n", "");
    let said = read(&(series + &nameless)).unwrap_err();
    assert!(said.contains("has no `UID`"), "{said}");
}

#[test]
fn zones_are_ianas_the_files_or_windows() {
    let at = |zones: &str, zone: &str, time: &str| {
        starts(&format!(
            "{zones}BEGIN:VEVENT\nDTSTART;TZID=\"{zone}\":{time}\nDURATION:PT1H\nEND:VEVENT\n"
        ))
    };
    assert_eq!(at("", "SE Asia Standard Time", "20261207T073000"), ["2026-12-07T00:30"]);
    assert_eq!(at(OUTLOOK, "Phòng thi", "20261207T073000"), ["2026-12-07T00:30"]);
    assert_eq!(
        at("", "/mozilla.org/2050/Asia/Ho_Chi_Minh", "20261207T073000"),
        ["2026-12-07T00:30"]
    );
    for (time, utc) in
        [("20260701T120000", "2026-07-01T10:00"), ("20261201T120000", "2026-12-01T11:00")]
    {
        assert_eq!(at(SUMMER, "Berlin", time), [utc]);
        assert_eq!(at("", "W. Europe Standard Time", time), [utc]);
    }
    // A zone of the file may stand behind its events, and one that is not understood is refused.
    let event = "BEGIN:VEVENT\nDTSTART;TZID=Berlin:20260701T120000\nDURATION:PT1H\nEND:VEVENT\n";
    assert_eq!(starts(&(event.to_owned() + SUMMER)), ["2026-07-01T10:00"]);
    let odd = SUMMER.replace("BYDAY=-1SU;BYMONTH=3", "BYMONTHDAY=25;BYMONTH=3");
    let said = read(&(odd + event)).unwrap_err();
    assert_eq!(said, "there is no time zone `Berlin`");
    // Nor is a zone used for times of which the file says nothing.
    let late = SUMMER.replace("16010101", "20270101");
    assert_eq!(read(&(late + event)).unwrap_err(), "there is no time zone `Berlin`");
}

#[test]
fn repeats_are_those_of_the_standard() {
    // RFC 5545 §3.8.5.3: the example of WKST.
    let weeks = |start: &str| {
        let event = "BEGIN:VEVENT\nDTSTART;TZID=America/New_York:19970805T090000\nDURATION:PT1H\n";
        let rule = format!("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST={start}\n");
        let calendar = read(&format!("{event}{rule}END:VEVENT\n")).unwrap();
        let windows = calendar.windows(&school(), &(800_000_000..900_000_000));
        let zone = TimeZone::get("America/New_York").unwrap();
        windows.iter().map(|window| date_of(&zone, window.start).day()).collect::<Vec<_>>()
    };
    assert_eq!(weeks("MO"), [5, 10, 19, 24]);
    assert_eq!(weeks("SU"), [5, 17, 19, 31]);
    // Days of a daily rule; a start that the rule has not is the first all the same.
    let days = starts(&event("RRULE:FREQ=DAILY;BYDAY=TU,TH;COUNT=4\n"));
    let days: Vec<&str> = days.iter().map(|at| &at[8..10]).collect();
    assert_eq!(days, ["07", "08", "10", "15"]);
    // The order of the parts does not matter.
    let birthday = starts(&event("RRULE:BYMONTHDAY=7;BYMONTH=12;COUNT=2;FREQ=YEARLY\n"));
    assert_eq!(birthday, ["2026-12-07T00:30", "2027-12-07T00:30"]);
    let leap = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY\nEND:VEVENT\n";
    assert_eq!(starts(leap), ["2024-02-28T17:00", "2028-02-28T17:00", "2032-02-28T17:00"]);
    assert!(!read(leap).unwrap().is_past(&school(), 1_750_000_000));
}

#[test]
fn what_repeats_since_long_ago_is_on_today() {
    let now = 1_795_000_000..1_795_000_000 + 7 * SECONDS_A_DAY;
    let on = |lines: &str| read(lines).unwrap().windows(&school(), &now).len();
    for year in ["2010", "1970", "0001"] {
        let daily = event("RRULE:FREQ=DAILY\n").replace("20261207", &format!("{year}0104"));
        assert_eq!(on(&daily), 7, "{year}");
        assert_eq!(on(&daily.replace("DAILY", "WEEKLY;BYDAY=MO,TU")), 2, "{year}");
    }
    let week =
        "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20100104\nDURATION:P1W\nRRULE:FREQ=WEEKLY\nEND:VEVENT\n";
    assert_eq!(on(week), 1, "one that is always on");
    let past = event("").replace("20261207", "20101207");
    assert!(read(&past).unwrap().is_past(&school(), now.start));
    assert!(!read(&event("")).unwrap().is_past(&school(), now.start));
    assert!(read("").unwrap().is_past(&school(), now.start));
}

#[test]
fn what_would_move_an_event_and_is_not_read_is_refused() {
    for (rule, said) in [
        ("FREQ=MONTHLY", "`FREQ=MONTHLY` in"),
        ("FREQ=DAILY;BYHOUR=8", "`BYHOUR=8` in"),
        ("FREQ=WEEKLY;BYDAY=1MO", "`BYDAY=1MO` in"),
        ("FREQ=WEEKLY;BYSETPOS=1", "`BYSETPOS=1` in"),
        ("FREQ=WEEKLY;BYMONTH=9", "`BYMONTH` in"),
        ("FREQ=DAILY;COUNT=0", "`COUNT=0` in"),
        ("FREQ=DAILY;COUNT=2;COUNT=3", "`COUNT=3` in"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261210", "`COUNT;UNTIL` in"),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=7", "on another date"),
        ("INTERVAL=2", "`INTERVAL=2` in"),
    ] {
        let found = wrong(&format!("RRULE:{rule}\n"));
        assert!(found.contains(said), "{rule}: {found}");
    }
    for (line, said) in [
        ("RDATE:20261210T073000", "`RDATE` is not read"),
        ("EXRULE:FREQ=DAILY", "`EXRULE` is not read"),
        ("DTSTART:20261210T073000", "more than one `DTSTART`"),
        ("DTEND:20261210T073000Z", "more than one `DTEND, DURATION`"),
        ("DURATION:P999999W", "more than one `DURATION`"),
    ] {
        let found = wrong(&format!("{line}\n"));
        assert!(found.contains(said), "{line}: {found}");
    }
    let long = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261207\nDURATION:P999999W999999W\nEND:VEVENT\n";
    assert!(read(long).unwrap_err().contains("is no duration"));
    let endless =
        "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261207\nDURATION:P400D\nRRULE:FREQ=DAILY\nEND:VEVENT\n";
    assert!(read(endless).unwrap_err().contains("lasts 366 days at most"));
    assert!(read("METHOD:CANCEL\n").unwrap_err().contains("METHOD:CANCEL"));
    let torn = Calendar::parse(&format!("BEGIN:VCALENDAR\n{}", event(""))).unwrap_err();
    assert!(torn[0].message.in_lang(Lang::En).contains("cut off"));
}

#[test]
fn a_rule_as_long_as_the_file_costs_no_more_than_a_short_one() {
    let days = vec!["MO"; 100_000].join(",");
    assert_eq!(starts(&event(&format!("RRULE:FREQ=WEEKLY;COUNT=3;BYDAY={days}\n"))).len(), 3);
    let bad = wrong(&format!("RRULE:FREQ=WEEKLY;BYDAY={days},XX\n"));
    assert!(bad.len() < 400, "{}", bad.len());
    let nameless = "BEGIN:VEVENT\nEND:VEVENT\n".repeat(20_000);
    assert_eq!(read(&nameless).unwrap_err().lines().count(), 20_000);
}
