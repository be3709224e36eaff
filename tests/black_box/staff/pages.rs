//! A lesson from code to end, and the pages of technician and inspector.

use super::School;
use crate::support::{Ask, PUPIL, STAFF};

#[test]
fn a_teacher_opens_a_name_for_one_room_and_ends_it() {
    let school = School::start();
    let code = school.code("--by 'Cô Lan'");
    let file = school.gateway.dir().join("state/codes.json");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&code) && !text.contains(&code.replace('-', "")), "{text}");

    // A pupil's network has the way for a code, and no other.
    let page = school.get(PUPIL, "/staff", "").expect(200, "name=\"code\"");
    assert!(!page.body.contains("technician") && !page.body.contains("name=\"pin\""));
    school.get(STAFF, "/staff?lang=en", "").expect(200, "technician-token");

    // As it is typed in class; the cookie is for these pages only.
    let typed = code.to_lowercase().replace('-', " ");
    let fields = [("way", "code"), ("code", typed.as_str()), ("name", "x")];
    let begun = school.log_in(PUPIL, &fields).expect(303, "");
    for attribute in ["httponly", "samesite=strict", "path=/staff", "location: /staff"] {
        assert!(begun.head.contains(attribute), "{attribute}: {}", begun.head);
    }
    let cookie = begun.cookie();
    school.log_in(PUPIL, &fields).expect(422, "mã này đã dùng");
    school.get(PUPIL, "/staff", &cookie).expect(200, "Cô Lan (code 1)");

    // Open, in the ledger, with an end; and ended by hand.
    assert_eq!(school.rcode("games.example"), "NXDOMAIN");
    let open = [("kind", "lesson"), ("what", "games.example"), ("minutes", "20")];
    school.post(PUPIL, "/staff/begin", &cookie, &open).expect(303, "");
    let answer = Ask::new("games.example", "A").from(PUPIL).expect(school.gateway.dns);
    assert_eq!(answer.rcode(), "NOERROR");
    assert!(answer.ttls().iter().all(|ttl| *ttl <= 1200), "{:?}", answer.ttls());
    let running = school.running();
    assert_eq!(
        (&running[0]["by"], &running[0]["group"]),
        (&"Cô Lan (code 1)".into(), &"pupils".into())
    );
    let ledger = std::fs::read_to_string(school.gateway.dir().join("state/ledger.jsonl")).unwrap();
    assert!(ledger.contains(r#""action":"begin","who":"Cô Lan (code 1)""#), "{ledger}");
    school.get(PUPIL, "/staff", &cookie).expect(200, "games.example");
    let id = running[0]["id"].to_string();
    school.post(PUPIL, "/staff/end", &cookie, &[("id", &id)]).expect(303, "");
    assert_eq!(school.rcode("games.example"), "NXDOMAIN");

    // What is locked above stays so, and the page says it.
    let locked = [("kind", "lesson"), ("what", "category:gambling"), ("minutes", "20")];
    school.post(PUPIL, "/staff/begin", &cookie, &locked).expect(422, "vẫn bị chặn");
    let long = [("kind", "lesson"), ("what", "a.example"), ("minutes", "999999")];
    school.post(PUPIL, "/staff/begin", &cookie, &long).expect(422, "chọn số phút");

    // An exam leaves one name.
    let exam = [("kind", "exam"), ("what", "exam.example"), ("minutes", "45")];
    school.post(PUPIL, "/staff/begin", &cookie, &exam).expect(303, "");
    assert_eq!(school.rcode("exam.example"), "NOERROR");
    assert_eq!(school.rcode("elsewhere.example"), "NXDOMAIN");

    // Who leaves is known no more; what was begun goes on.
    let left = school.post(PUPIL, "/staff/leave", &cookie, &[]).expect(303, "");
    assert!(left.head.contains("max-age=0"), "{}", left.head);
    school.get(PUPIL, "/staff", &cookie).expect(200, "name=\"code\"");
    assert_eq!(school.running().len(), 1);
}

#[test]
fn a_technician_sees_and_ends_everything_and_an_inspector_reads_it() {
    let school = School::start();
    let technician = school.technician();
    let page = school.get(STAFF, "/staff", &technician).expect(200, "đang lọc: từ");
    for text in
        ["games.txt: tốt, 2 quy tắc", "Máy chủ DNS phía trên", "Thiết bị này thuộc nhóm staff"]
    {
        assert!(page.body.contains(text), "no `{text}` in:\n{}", page.body);
    }
    assert!(page.body.len() < 50 << 10, "{} octets", page.body.len());
    school.get(STAFF, "/staff?lang=en", &technician).expect(200, "filtering: on since");

    // Codes are shown once; a teacher uses one, and a revoked one is out.
    let make = [("room", "pupils"), ("by", ""), ("count", "2"), ("hours", "3")];
    let made = school.post(STAFF, "/staff/codes", &technician, &make).expect(200, "Mã mới");
    let code = made.body.split("class=\"code\">").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(school.codes().len(), 2);
    let fields = [("way", "code"), ("code", code), ("name", "")];
    school.log_in(PUPIL, &fields).expect(422, "hãy ghi tên");
    let fields = [("way", "code"), ("code", code), ("name", "Thầy Bình")];
    let teacher = school.log_in(PUPIL, &fields).expect(303, "").cookie();
    let open = [("kind", "lesson"), ("what", "games.example"), ("minutes", "10")];
    school.post(PUPIL, "/staff/begin", &teacher, &open).expect(303, "");
    let page = school.get(STAFF, "/staff", &technician).expect(200, "Thầy Bình (code 1)");
    assert!(!page.body.contains(code), "a code is shown once");
    school.post(STAFF, "/staff/revoke", &technician, &[("id", "1")]).expect(303, "");
    school.get(PUPIL, "/staff", &teacher).expect(200, "name=\"code\"");
    let id = school.running()[0]["id"].to_string();
    school.post(STAFF, "/staff/end", &technician, &[("id", &id)]).expect(303, "");
    assert!(school.running().is_empty());

    // Why a name is blocked, for a group.
    let asked = [("name", "www.games.example"), ("group", "pupils")];
    let why = school.post(STAFF, "/staff/why", &technician, &asked).expect(200, "bị chặn, ở bước");
    assert!(why.body.contains("games (games.txt)"), "{}", why.body);
    let asked = [("name", "www.games.example"), ("group", "staff")];
    school.post(STAFF, "/staff/why", &technician, &asked).expect(200, "không bị chặn");

    // The PIN, on the staff's network only.
    school.lachan("echo 602214 | lachan code pin --config gateway.toml");
    let pin = [("way", "pin"), ("pin", "602214"), ("name", "Cô Hoa"), ("room", "pupils")];
    school.log_in(PUPIL, &pin).expect(422, "chỉ dùng được từ mạng của cán bộ");
    let wrong = [("way", "pin"), ("pin", "602215"), ("name", "Cô Hoa"), ("room", "pupils")];
    // Where a form was sent to there is no page: the other language is at the page itself.
    school.log_in(STAFF, &wrong).expect(422, "href=\"/staff?lang=en\"");
    let teacher = school.log_in(STAFF, &pin).expect(303, "").cookie();
    school.get(STAFF, "/staff", &teacher).expect(200, "Cô Hoa (PIN)");
    school.get(STAFF, "/staff", &teacher).expect(200, "Phòng pupils");

    // The inspector reads all of it, and changes nothing.
    let token = school.token("inspector");
    let fields = [("way", "inspector"), ("token", token.as_str())];
    let inspector = school.log_in(STAFF, &fields).expect(303, "").cookie();
    let page = school.get(STAFF, "/staff", &inspector).expect(200, "Những gì đang áp dụng");
    for text in ["Thầy Bình (code 1)", "Nam (technician)", "tạo mã", "đặt PIN", "Nhóm pupils"]
    {
        assert!(page.body.contains(text), "no `{text}` in:\n{}", page.body);
    }
    assert!(page.body.len() < 50 << 10, "{} octets", page.body.len());
    for path in ["/staff/begin", "/staff/end", "/staff/codes", "/staff/revoke", "/staff/why"] {
        let fields =
            [("id", "2"), ("what", "games.example"), ("minutes", "10"), ("room", "pupils")];
        school.post(STAFF, path, &inspector, &fields).expect(200, "Những gì đang áp dụng");
    }
    assert!(school.running().is_empty());
    assert_eq!(school.codes().len(), 1);
}
