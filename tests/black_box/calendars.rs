//! Calendars as programs write them, and calendars that cannot be used at a start.

use std::process::Command;

use serde_json::Value;

use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Canned, Gateway, PUPIL, TWO_GROUPS, Upstream, eventually};

/// Lessons but on holidays, and an exam by its calendar in which bets are closed too.
const SCHOOL: &str = "[profile.pupils]\nlevel = \"lower-secondary\"\nblock = [\"malware\"]\n\
    observe = [\"games\"]\n[profile.staff]\nlevel = \"staff\"\n\
    [profile.pupils.during.exam]\nblock = [\"games\"]\n\
    [profile.pupils.during.party]\nobserve = [\"games\"]\n\
    [[schedule]]\nname = \"exam\"\ncalendar = \"exams.ics\"\n\
    [[schedule]]\nname = \"party\"\ntimes = [\"00:00-24:00\"]\nexcept = [\"holidays.ics\"]\n\
    [[lists.source]]\ncategory = \"games\"\npath = \"games.txt\"\n";
const FAR_AWAY: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20900101\nEND:VEVENT\n\
    END:VCALENDAR\n";

fn rcode(gateway: &Gateway, name: &str) -> String {
    Ask::new(name, "A").from(PUPIL).edns(1232).expect(gateway.dns).rcode()
}

#[test]
fn a_calendar_that_cannot_be_used_starts_in_the_stricter_meaning() {
    let upstream = Upstream::start();
    let answer = vec!["games.example 3600 A 192.0.2.9".to_owned()];
    upstream.answer("games.example", Some(1), Canned { answer, ..Canned::default() });
    // Empty, without an event, cut off.
    for unusable in ["", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", &FAR_AWAY[..40]] {
        let plan = Gateway::plan(&format!("{TWO_GROUPS}\n{SCHOOL}"))
            .upstream(&upstream)
            .file("games.txt", "games.example\n")
            .file("exams.ics", unusable)
            .file("holidays.ics", unusable);
        plan.command();
        let mut check = Command::new(LACHAN);
        check.arg("check").arg(plan.config_path());
        let (status, said) = run(check);
        assert_eq!(status.code(), Some(3), "check still calls it a mistake: {said}");
        let gateway = plan.start();
        assert_eq!(rcode(&gateway, "games.example"), "NXDOMAIN", "{unusable:?}");
        gateway.expect_log("going on without `exams.ics`");
        assert!(gateway.metrics().value("lachan_list_sources_left_out", &[]) >= 1.0);
        // Mended, it acts; and is a mistake again when it is damaged again.
        for file in ["exams.ics", "holidays.ics"] {
            std::fs::write(gateway.dir().join(file), FAR_AWAY).unwrap();
        }
        eventually("the mended calendars", || {
            (rcode(&gateway, "games.example") == "NOERROR").then_some(())
        });
        gateway.expect_metric("lachan_list_sources_left_out", &[], 0.0);
        std::fs::write(gateway.dir().join("exams.ics"), "").unwrap();
        eventually("the refusal", || {
            gateway.log().contains("stands in: it is empty, and was not").then_some(())
        });
        assert_eq!(rcode(&gateway, "games.example"), "NOERROR");
    }
}

#[test]
fn the_last_day_of_an_exam_and_a_moved_one_are_on() {
    let series = |rule: &str| {
        format!(
            "BEGIN:VEVENT\nUID:exam\nDTSTART;TZID=\"SE Asia Standard Time\":20261207T073000\n\
             DTEND;TZID=\"SE Asia Standard Time\":20261207T113000\nRRULE:{rule}\nEND:VEVENT\n"
        )
    };
    let moved = "BEGIN:VEVENT\nUID:exam\nRECURRENCE-ID:20261214T003000Z\n\
        DTSTART:20261216T003000Z\nDTEND:20261216T043000Z\nEND:VEVENT\n";
    let cases = [
        (series("FREQ=DAILY;UNTIL=20261211T003000Z"), "2026-12-11T08:00", true),
        (series("FREQ=DAILY;UNTIL=20261211T003000Z"), "2026-12-12T08:00", false),
        (series("FREQ=WEEKLY;COUNT=3") + moved, "2026-12-14T08:00", false),
        (series("FREQ=WEEKLY;COUNT=3") + moved, "2026-12-16T08:00", true),
        (series("FREQ=WEEKLY;COUNT=3") + moved, "2026-12-21T08:00", true),
    ];
    for (events, at, is_on) in cases {
        let zone = "[school]\ntimezone = \"Asia/Ho_Chi_Minh\"";
        let school = format!("{}\n{SCHOOL}", TWO_GROUPS.replace("[school]", zone));
        let plan = Gateway::plan(&school)
            .fill("upstream", "53")
            .file("games.txt", "games.example\n")
            .file("holidays.ics", FAR_AWAY)
            .file("exams.ics", &format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n"));
        plan.command();
        let mut why = Command::new(LACHAN);
        why.args(["why", "games.example", "--client", PUPIL, "--at", at, "--json", "--config"]);
        let output = why.arg(plan.config_path()).output().unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["windows"].to_string().contains("exam"), is_on, "{at}: {said}");
    }
}
