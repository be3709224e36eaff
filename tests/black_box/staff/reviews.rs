//! The whole way of a request: a pupil asks, the technician decides on the page, the name resolves.

use super::{HOSTILE, School};
use crate::support::{PUPIL, STAFF};

const WORD: &str = "/staff/review";

#[test]
fn what_a_pupil_asks_for_a_technician_answers_on_the_page() {
    let school = School::start();
    // From the page that says that it is blocked, with one code all the way.
    let page = school.get(PUPIL, "/blocked?name=games.example&code=ABCDEFG&lang=en", "");
    let link = "/review?name=games.example&amp;code=ABCDEFG&amp;lang=en";
    assert!(page.body.contains(link), "no `{link}` in:\n{}", page.body);
    let form = school.get(PUPIL, &link.replace("&amp;", "&"), "").expect(200, "games.example");
    assert!(form.body.contains("value=\"ABCDEFG\""), "{}", form.body);
    let asked = [("name", "games.example"), ("reason", "lesson"), ("code", "ABCDEFG")];
    school.post(PUPIL, "/review", "", &asked).expect(200, "ABCDEFG");

    let technician = school.technician();
    let page = school.get(STAFF, "/staff?lang=en", &technician).expect(200, "ABCDEFG");
    for text in ["games.example", "1 times", "waits", "I need it for a lesson"] {
        assert!(page.body.contains(text), "no `{text}` in:\n{}", page.body);
    }
    assert!(!page.body.contains(PUPIL), "no client stands there");
    assert_eq!(school.rcode("games.example"), "NXDOMAIN");
    let word = |act| [("name", "games.example"), ("reason", "bài 12"), ("days", "7"), ("act", act)];

    // Nobody else decides, and nothing decides by a link or from elsewhere.
    school.post(PUPIL, WORD, "", &word("allow")).expect(422, "name=\"code\"");
    let code = school.code("");
    let fields = [("way", "code"), ("code", code.as_str()), ("name", "Lan")];
    let teacher = school.log_in(PUPIL, &fields).expect(303, "").cookie();
    school.post(PUPIL, WORD, &teacher, &word("allow")).expect(422, "");
    school.get(STAFF, &format!("{WORD}?name=games.example&act=allow&days=7&reason=x"), &technician);
    let forged = format!("Origin: http://evil.example\r\nCookie: {technician}\r\n");
    school.post_with(STAFF, WORD, &forged, &word("allow")).expect(403, "");
    assert_eq!(school.rcode("games.example"), "NXDOMAIN");

    // Hostile words change nothing, and are not repeated.
    for odd in HOSTILE {
        let name = [("name", *odd), ("reason", "x"), ("days", "7"), ("act", "allow")];
        let reply = school.post(STAFF, WORD, &technician, &name);
        assert_eq!(reply.status, 422, "{odd}: {}", reply.body);
        assert!(!reply.body.contains(odd), "{odd}: {}", reply.body);
        let act = [("name", "games.example"), ("reason", "x"), ("days", *odd), ("act", *odd)];
        assert_eq!(school.post(STAFF, WORD, &technician, &act).status, 422, "{odd}");
    }
    school
        .post(STAFF, WORD, &technician, &[("name", "games.example"), ("act", "deny")])
        .expect(422, "");

    school.post(STAFF, WORD, &technician, &word("allow")).expect(303, "");
    assert_eq!(school.rcode("games.example"), "NOERROR");
    assert_eq!(school.rcode("www.games.example"), "NOERROR");
    assert_eq!(school.rcode("other.example"), "NXDOMAIN");
    school.get(STAFF, "/staff", &technician).expect(200, "bài 12");
    let revoke = [("name", "games.example"), ("act", "revoke")];
    school.post(STAFF, WORD, &technician, &revoke).expect(303, "");
    assert_eq!(school.rcode("games.example"), "NXDOMAIN");
    school.post(STAFF, WORD, &technician, &word("deny")).expect(303, "");
    school.get(STAFF, "/staff?lang=en", &technician).expect(200, "denied");
    let ledger = std::fs::read_to_string(school.gateway.dir().join("state/ledger.jsonl")).unwrap();
    assert!(ledger.contains("\"action\":\"deny\",\"who\":\"Nam (technician)\""), "{ledger}");
}
