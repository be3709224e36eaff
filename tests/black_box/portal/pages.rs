//! What people see: the portal's name, the block page by age, the verdict about a name, the check
//! of a device.

use crate::portal::{CHILD, School};
use crate::support::{Ask, PUPIL, STAFF};

#[test]
fn people_see_why_a_site_is_blocked_and_what_they_can_do() {
    let school = School::start();
    names_lead_to_the_portal(&school);
    the_block_page_speaks_by_age(&school);
    what_is_protected_is_told_as_blocked(&school);
    a_name_is_judged_for_the_visitors_group(&school);
    a_device_checks_itself(&school);
    every_page_is_small_and_stands_alone(&school);
}

fn names_lead_to_the_portal(school: &School) {
    let dns = school.gateway.dns;
    let ask = |name: &str, qtype: &str| Ask::new(name, qtype).from(PUPIL).expect(dns);
    for name in ["lachan.internal", "LACHAN.internal", "0123abcd.check.lachan.internal"] {
        assert_eq!(ask(name, "A").answers(), ["A 127.0.0.1"], "{name}");
        assert_eq!(ask(name, "AAAA").answers(), ["AAAA fd00::1"], "{name}");
        let other = ask(name, "HTTPS");
        assert_eq!((other.rcode().as_str(), other.answers().len()), ("NOERROR", 0), "{name}");
    }
    assert_eq!(ask("v4-1.check.lachan.internal", "A").answers(), ["A 127.0.0.1"]);
    assert_eq!(ask("v6-1.check.lachan.internal", "AAAA").answers(), ["AAAA fd00::1"]);
    assert!(ask("v4-1.check.lachan.internal", "AAAA").answers().is_empty());
    assert!(ask("v6-1.check.lachan.internal", "A").answers().is_empty());
    for (name, rcode) in [
        ("internal", "NOERROR"),
        ("check.lachan.internal", "NOERROR"),
        ("a.b.check.lachan.internal", "NXDOMAIN"),
        ("other.lachan.internal", "NXDOMAIN"),
        ("notlachan.internal", "NXDOMAIN"),
    ] {
        let answer = ask(name, "A");
        assert_eq!((answer.rcode().as_str(), answer.answers().len()), (rcode, 0), "{name}");
    }
    // A blocked name leads there, by A and AAAA, no longer than a block lasts.
    let blocked = Ask::new("www.games.example", "A").from(PUPIL).edns(1232).expect(dns);
    assert_eq!(blocked.answers(), ["A 127.0.0.1"]);
    assert!(blocked.ttls().iter().all(|&ttl| ttl <= 30), "{:?}", blocked.ttls());
    assert_eq!(blocked.ede().unwrap().0, 15);
    assert_eq!(ask("www.games.example", "AAAA").answers(), ["AAAA fd00::1"]);
    let other = ask("www.games.example", "HTTPS");
    assert_eq!((other.rcode().as_str(), other.answers().len()), ("NOERROR", 0));
}

fn the_block_page_speaks_by_age(school: &School) {
    let page = school.get_at(PUPIL, "www.games.example", "/any/path?x=1");
    let port = school.portal.port();
    page.expect(
        403,
        &[
            "Trang này không mở được trên mạng của trường",
            "www.games.example",
            "Lý do: thuộc nhóm",
            "href=\"tel:111\"",
            "Tổng đài trẻ em",
            "cô Lan &amp; thầy &lt;Nam&gt;",
            "cache-control: no-store",
            "http://lachan.internal/blocked?name=www.games.example&amp;code=",
            "href=\"/any/path?lang=en\"",
            "http://lachan.internal/review?name=www.games.example&amp;code=",
        ],
    )
    .without(&["<form", "<script", "set-cookie", "<Nam>"]);
    let english = school.get_at(PUPIL, &format!("games.example:{port}"), "/?lang=en");
    english.expect(
        403,
        &["Why: it is in the group", "Child helpline", &format!("http://lachan.internal:{port}/")],
    );
    let small = school.get_at(CHILD, "games.example", "/");
    small
        .expect(403, &["Trang này chưa phù hợp với em", "Em không làm gì sai cả", "tel:111"])
        .without(&["Lý do", "thuộc nhóm"]);
    // A code says nothing: it is another one each time.
    let code = |page: &str| {
        page.split_once("class=\"code\">").and_then(|(_, rest)| rest.get(..7)).unwrap().to_owned()
    };
    let two = [(); 2].map(|()| code(&school.get_at(PUPIL, "games.example", "/").0));
    assert_ne!(two[0], two[1]);
}

fn what_is_protected_is_told_as_blocked(school: &School) {
    let block = |name: &str| school.get_at(PUPIL, name, "/");
    block("harm.example").expect(403, &["không đơn độc", "tel:111"]).without(&["thuộc nhóm"]);
    block("illegal.example").expect(403, &["tel:111"]).without(&["thuộc nhóm", "không đơn độc"]);
    // What is protected, what is unlawful and what the school denies cannot be told apart.
    let told = |name: &str| {
        let page = school.post(PUPIL, "/blocked", &format!("name={name}"));
        page.body().replace(name, "NAME")
    };
    let denied = told("denied.example");
    assert!(denied.contains("Bị chặn"), "{denied}");
    assert_eq!(told("harm.example"), denied);
    assert_eq!(told("illegal.example"), denied);
}

fn a_name_is_judged_for_the_visitors_group(school: &School) {
    let asked = "/blocked?name=www.games.example";
    school.get(asked).expect(200, &["Bị chặn", "games.example", "games.txt", "pupils"]);
    school.get_at(STAFF, &school.host(), asked).expect(200, &["Không bị chặn"]);
    school.get("/blocked?name=open.example&lang=en").expect(200, &["Not blocked"]);
    school.get("/blocked?name=lachan.internal").expect(200, &["do chính thiết bị mạng"]);
    // Both forms of a name, whichever was typed.
    for typed in ["xn--trchi-vta14j.example", "tr%C3%B2ch%C6%A1i.example"] {
        school
            .post(PUPIL, "/blocked", &format!("name={typed}"))
            .expect(200, &["tròchơi.example", "xn--"]);
    }
    school.get("/blocked?name=games.example&code=abc2345").expect(200, &["ABC2345"]);
}

fn a_device_checks_itself(school: &School) {
    let port = school.portal.port();
    let below = format!(".check.lachan.internal:{port}");
    let page = school.get("/check?lang=en");
    page.expect(
        200,
        &[
            &below,
            "src=\"/check.js\"",
            &format!("connect-src 'self' http://*{below};"),
            "data-v6=\"1\"",
            "Address of this device",
            PUPIL,
        ],
    );
    let host = format!("12ab{below}");
    school
        .get_at(PUPIL, &host, "/seen?1")
        .expect(200, &["access-control-allow-origin: *", "lachan"]);
    school.get_at(PUPIL, &host, "/yes").expect(200, &["Có: trình duyệt này dùng DNS", "S1-4+6-"]);
    // Such a name has nothing else, and no name below it has anything.
    school.get_at(PUPIL, &host, "/blocked").expect(421, &[]);
    school.get_at(PUPIL, &format!("a.{host}"), "/seen").expect(421, &[]);
    school.get("/check.js").expect(200, &["text/javascript"]);
}

fn every_page_is_small_and_stands_alone(school: &School) {
    for lang in ["", "?lang=en"] {
        for path in ["/", "/blocked", "/check"] {
            let page = school.get(&format!("{path}{lang}"));
            let own = if lang.is_empty() { "<html lang=\"vi\">" } else { "<html lang=\"en\">" };
            let page = page
                .expect(200, &[own, "<h1>", "default-src 'none'", "frame-ancestors 'none'"])
                .without(&["style=\"", "<style", "onclick", "https://", "set-cookie"]);
            assert!(page.0.len() < 50 << 10, "{path} has {} octets", page.0.len());
        }
    }
    school.get("/style.css").expect(200, &["text/css", "prefers-color-scheme: dark"]);
    let by_address = school.get_at(PUPIL, &school.portal.to_string(), "/");
    by_address.expect(200, &["Bạn muốn làm gì?"]);
}
