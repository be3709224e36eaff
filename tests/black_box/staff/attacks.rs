//! Attacks: nothing changes, nothing is shown again, and nobody is locked out by others.

use lachan::staff::code::Code;

use super::{HOSTILE, School};
use crate::support::{PUPIL, STAFF};

/// From where, to which path, with which cookie and fields.
type Try<'a> = (&'a str, &'a str, &'a str, Vec<(&'a str, &'a str)>);

#[test]
fn a_page_of_elsewhere_and_a_link_change_nothing() {
    let school = School::start();
    let technician = school.technician();
    let make = [("room", "pupils"), ("by", ""), ("count", "1"), ("hours", "3")];
    let own = format!("Cookie: {technician}\r\n");
    for origin in [
        "",
        "Origin: null\r\n",
        "Origin: http://evil.example\r\n",
        "Origin: http://127.0.0.1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Referer: http://evil.example/\r\n",
    ] {
        let reply = school.post_with(STAFF, "/staff/codes", &format!("{origin}{own}"), &make);
        assert_eq!(reply.status, 403, "{origin}: {}", reply.body);
    }
    for path in ["begin", "end", "codes", "revoke", "leave", "login", "why"] {
        let reply = school.get(STAFF, &format!("/staff/{path}?room=pupils&count=1"), &technician);
        assert_eq!(reply.status, 405, "{path}");
    }
    assert!(school.codes().is_empty());

    // The session is bound to its address, and its id is the server's to choose.
    school.get("127.0.20.6", "/staff", &technician).expect(200, "technician-token");
    school.get(PUPIL, "/staff", &technician).expect(200, "name=\"code\"");
    let reply = school.post("127.0.20.6", "/staff/codes", &technician, &make);
    reply.expect(422, "Hãy đăng nhập");
    assert!(school.codes().is_empty());
    let planted = format!("lachan={}", "0".repeat(32));
    let token = school.token("technician");
    let fields = [("way", "technician"), ("token", token.as_str()), ("name", "Nam")];
    let begun = school.post(STAFF, "/staff/login", &planted, &fields).expect(303, "");
    assert_ne!(begun.cookie(), planted);
    school.get(STAFF, "/staff", &planted).expect(200, "technician-token");
    // The other one was not ended by all that.
    school.get(STAFF, "/staff", &technician).expect(200, "đang lọc");
}

#[test]
fn pupils_that_guess_are_slowed_down_and_lock_no_teacher_out() {
    let school = School::start();
    let code = school.code("--by Lan");
    // Codes of the right form, and none that was issued.
    let guess = |number: u64| Code::of(number * 7919).shown();
    let mut waiting = 0;
    for number in 0..8 {
        let guessed = guess(number);
        let fields = [("way", "code"), ("code", guessed.as_str()), ("name", "x")];
        let reply = school.log_in(PUPIL, &fields);
        assert_eq!(reply.status, 422, "{}", reply.body);
        waiting += usize::from(reply.body.contains("hãy đợi"));
    }
    assert_eq!(waiting, 3);
    // The same device has to wait with the right code, too; one of the staff has not.
    let fields = [("way", "code"), ("code", code.as_str()), ("name", "x")];
    school.log_in(PUPIL, &fields).expect(422, "hãy đợi");
    std::thread::scope(|scope| {
        for pupil in 20..28 {
            let (school, guessed) = (&school, guess(pupil));
            let from = format!("127.0.10.{pupil}");
            scope.spawn(move || {
                for _ in 0..3 {
                    let fields = [("way", "code"), ("code", guessed.as_str()), ("name", "x")];
                    assert_eq!(school.log_in(&from, &fields).status, 422);
                }
            });
        }
        school.log_in(STAFF, &fields).expect(303, "");
    });
    // A mistyped character is told, and is no try.
    for _ in 0..9 {
        let fields = [("way", "code"), ("code", "7KQ4M-2XH90"), ("name", "x")];
        school.log_in("127.0.10.40", &fields).expect(422, "so lại mã");
    }
    let token = school.token("technician");
    let wrong = [("way", "technician"), ("token", "0"), ("name", "Nam")];
    school.log_in(STAFF, &wrong).expect(422, "không đúng");
    let elsewhere = [("way", "technician"), ("token", token.as_str()), ("name", "Nam")];
    school.log_in(PUPIL, &elsewhere).expect(422, "mạng của cán bộ");
}

#[test]
fn hostile_fields_are_shown_nowhere_and_change_nothing() {
    let school = School::start();
    let technician = school.technician();
    let code = school.code("--by Lan");
    let fields = [("way", "code"), ("code", code.as_str()), ("name", "x")];
    let teacher = school.log_in(PUPIL, &fields).expect(303, "").cookie();
    let long = "a".repeat(4096);
    for hostile in HOSTILE.iter().copied().chain([long.as_str()]) {
        // A name of a person may have any letter: it is text, and shown as text. Those without markup
        // would stand there as they are.
        let by = if hostile.starts_with(['\'', 'j']) { "\u{202e}" } else { hostile };
        let tries: [Try<'_>; 8] = [
            (STAFF, "/staff/login", "", vec![("way", hostile), ("code", hostile)]),
            (
                STAFF,
                "/staff/login",
                "",
                vec![("way", "code"), ("code", hostile), ("name", hostile)],
            ),
            (STAFF, "/staff/login", "", vec![("way", "inspector"), ("token", hostile)]),
            (PUPIL, "/staff/begin", &teacher, vec![("what", hostile), ("minutes", "10")]),
            (PUPIL, "/staff/begin", &teacher, vec![("what", "a.example"), ("minutes", hostile)]),
            (PUPIL, "/staff/end", &teacher, vec![("id", hostile)]),
            (
                STAFF,
                "/staff/codes",
                &technician,
                vec![("room", "pupils"), ("by", by), ("count", "1"), ("hours", "1")],
            ),
            (
                STAFF,
                "/staff/codes",
                &technician,
                vec![("room", hostile), ("by", ""), ("count", hostile), ("hours", hostile)],
            ),
        ];
        for (from, path, cookie, fields) in tries {
            let reply = school.post(from, path, cookie, &fields);
            let is_named =
                path == "/staff/codes" && by.contains('<') && fields.contains(&("by", by));
            assert_eq!(reply.status, if is_named { 200 } else { 422 }, "{path} {fields:?}");
            assert!(!reply.body.contains(hostile), "{path}: {fields:?}\n{}", reply.body);
        }
        let asked = [("name", hostile), ("group", "pupils")];
        let reply = school.post(STAFF, "/staff/why", &technician, &asked);
        assert!(!reply.body.contains(hostile), "{hostile}\n{}", reply.body);
        for cookie in ["lachan=", "lachan=../..", &format!("lachan={}", "f".repeat(9000))] {
            assert!(school.get(STAFF, "/staff", cookie).status != 500);
        }
    }
    assert!(school.running().is_empty());
}

#[test]
fn a_restart_ends_sessions_and_a_wrong_clock_lets_nobody_open_anything() {
    let mut school = School::start();
    let (first, second) = (school.code("--by Lan"), school.code("--by Lan"));
    let fields = [("way", "code"), ("code", first.as_str()), ("name", "x")];
    let teacher = school.log_in(PUPIL, &fields).expect(303, "").cookie();
    let open = [("kind", "lesson"), ("what", "games.example"), ("minutes", "20")];
    school.post(PUPIL, "/staff/begin", &teacher, &open).expect(303, "");
    assert_eq!(school.rcode("games.example"), "NOERROR");
    // The clock of the next life is behind the one that was seen: in the middle of the lesson.
    school.gateway.terminate();
    let clock = school.gateway.dir().join("state/clock");
    std::fs::write(&clock, "9999999999").unwrap();
    school.gateway = school.gateway.restart();
    school.get(PUPIL, "/staff", &teacher).expect(200, "name=\"code\"");
    assert_eq!(school.rcode("games.example"), "NXDOMAIN");
    let fields = [("way", "code"), ("code", second.as_str()), ("name", "x")];
    school.log_in(PUPIL, &fields).expect(422, "đồng hồ của máy lọc sai");
    // Once it is right, the used code stays used, the other one is good, and the lesson goes on.
    school.gateway.terminate();
    std::fs::remove_file(&clock).unwrap();
    school.gateway = school.gateway.restart();
    assert_eq!(school.rcode("games.example"), "NOERROR");
    let used = [("way", "code"), ("code", first.as_str()), ("name", "x")];
    school.log_in(PUPIL, &used).expect(422, "mã này đã dùng");
    school.log_in(PUPIL, &fields).expect(303, "");
}
