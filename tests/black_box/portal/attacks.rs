//! Octets and pages that mean no good: each gets a clear page, repeats nothing, changes nothing.

use std::io::{Read, Write};
use std::time::Duration;

use crate::portal::School;
use crate::support::ask::try_connect;
use crate::support::{PATIENCE, PUPIL};

#[test]
fn nobody_gets_more_than_a_clear_page() {
    let school = School::start();
    what_is_no_name_is_not_repeated(&school);
    a_forged_host_gets_no_page(&school);
    another_sites_form_does_nothing(&school);
    paths_lead_nowhere_else(&school);
    bodies_are_bounded(&school);
    who_is_outside_sees_nothing(&school);
    a_crowd_keeps_nobody_out(&school);
}

fn what_is_no_name_is_not_repeated(school: &School) {
    let long = "a".repeat(4096);
    for (typed, mark) in [
        ("%3Cscript%3Ealert(1)%3C%2Fscript%3E", "alert("),
        ("x%22%20onfocus%3D%22evil.example", "onfocus"),
        ("'%3E%3Csvg%3E.example", "<svg"),
        ("exam%E2%80%AEelp.example", "\u{202e}"),
        ("ne%00t.example", "ne\0t"),
        ("a%0D%0ASet-Cookie:%20a=b", "Set-Cookie"),
        (long.as_str(), "aaaaaaaaaa"),
        ("xn--a.example", "xn--a.example"),
        ("%FF%FE.example", "\u{fffd}"),
        ("", "hasOwnProperty"),
    ] {
        let page = school.post(PUPIL, "/blocked?lang=en", &format!("name={typed}"));
        // An A-label that decodes to nothing is a name in ASCII all the same, and is shown so.
        if typed == "xn--a.example" {
            page.expect(200, &["Not blocked", mark]);
        } else {
            page.expect(400, &["That is no name of a site"]).without(&[mark]);
        }
        let status = school.get(&format!("/blocked?name={typed}")).status();
        assert!(matches!(status, 200 | 400 | 414 | 431), "{typed}: {status}");
    }
    // Look-alike letters stand beside what they are on the network.
    school
        .post(PUPIL, "/blocked", "name=%D0%B0pple.example")
        .expect(200, &["xn--pple-43d.example"]);
}

fn a_forged_host_gets_no_page(school: &School) {
    let port = school.portal.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "lachan.internal.evil.example".to_owned(),
        "xlachan.internal".to_owned(),
        "localhost".to_owned(),
        format!("10.9.9.9:{port}"),
        "[::1]".to_owned(),
        "lachan.internal:x".to_owned(),
        "<script>".to_owned(),
        "a@lachan.internal".to_owned(),
    ] {
        for path in ["/", "/blocked?name=games.example", "/check", "/style.css", "/seen"] {
            school
                .get_at(PUPIL, &host, path)
                .expect(421, &["Máy chủ này không có trang đó"])
                .without(&["<form", "evil", "<script"]);
        }
    }
    // The Host of a blocked site has one page, and takes no form.
    let form = "POST /blocked HTTP/1.1\r\nHost: games.example\r\nOrigin: http://games.example\r\n\
                Connection: close\r\nContent-Length: 0\r\n\r\n";
    school.raw(PUPIL, form.as_bytes()).expect(421, &[]);
    for head in [
        "GET / HTTP/1.1\r\nHost: lachan.internal\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    ] {
        school.raw(PUPIL, head.as_bytes()).expect(400, &[]);
    }
    let other = format!(
        "GET http://evil.example/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        school.host()
    );
    school.raw(PUPIL, other.as_bytes()).expect(421, &[]);
}

fn another_sites_form_does_nothing(school: &School) {
    for head in [
        "",
        "Origin: null\r\n",
        "Origin: http://evil.example\r\n",
        "Origin: http://lachan.internal\r\n",
        "Origin: http://lachan.internal.evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: none\r\n",
    ] {
        school
            .post_with(PUPIL, "/blocked", head, "name=games.example")
            .expect(403, &["Yêu cầu này đến từ một trang khác"])
            .without(&["Bị chặn"]);
    }
    let same = "Sec-Fetch-Site: same-origin\r\n";
    school.post_with(PUPIL, "/blocked", same, "name=games.example").expect(200, &["Bị chặn"]);
}

fn paths_lead_nowhere_else(school: &School) {
    for path in [
        "/../gateway.toml",
        "/%2e%2e/gateway.toml",
        "//evil.example/",
        "/blocked/",
        "/blocked%00",
        "/metrics",
        "/readyz",
        "/api/status",
        "/<script>alert(1)</script>",
    ] {
        let page = school.get(path);
        assert!(matches!(page.status(), 400 | 404), "{path}: {page:?}");
        page.without(&["alert(1)", "[listen]", "evil.example"]);
    }
    let host = school.host();
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        school.raw(PUPIL, request.as_bytes()).expect(405, &[]);
    }
    school.post(PUPIL, "/check", "a=b").expect(405, &[]);
}

fn bodies_are_bounded(school: &School) {
    let huge = "a".repeat(100_000);
    school.post(PUPIL, "/blocked", &huge).expect(413, &[]);
    let host = school.host();
    let head = format!(
        "POST /blocked HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n"
    );
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let chunked =
        format!("{head}{form}Transfer-Encoding: chunked\r\n\r\n186a0\r\n{huge}\r\n0\r\n\r\n");
    school.raw(PUPIL, chunked.as_bytes()).expect(413, &[]);
    let json = format!("{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}");
    school.raw(PUPIL, json.as_bytes()).expect(400, &[]);
    let many = (0..1000).map(|number| format!("f{number}=1&")).collect::<Vec<_>>().concat();
    school.post(PUPIL, "/blocked", &format!("{many}name=games.example")).expect(200, &[]);
}

fn who_is_outside_sees_nothing(school: &School) {
    school
        .get_at("127.0.99.9", &school.host(), "/check")
        .expect(403, &["Trang này chỉ dùng trong mạng của nhà trường"])
        .without(&["<form"]);
    school.get_at("127.0.99.9", "games.example", "/").expect(403, &["chỉ dùng trong mạng"]);
}

/// A thousand connections that say nothing, or half a head, from one client and from many; others
/// are served, and so is DNS.
fn a_crowd_keeps_nobody_out(school: &School) {
    let mut crowd = Vec::new();
    for number in 0..1000_u32 {
        let from = if number % 2 == 0 {
            "127.0.10.66".to_owned()
        } else {
            format!("127.0.10.{}", 100 + number % 100)
        };
        let Ok(mut stream) = try_connect(from.parse().unwrap(), school.portal) else { continue };
        let _ = stream.set_write_timeout(Some(Duration::from_secs(1)));
        let _ = stream.write_all(b"POST /blocked HTTP/1.1\r\nHost: lachan");
        crowd.push(stream);
    }
    assert!(crowd.len() > 900, "{} connections", crowd.len());
    school.get("/blocked?name=games.example").expect(200, &["Bị chặn"]);
    let dns = crate::support::Ask::new("games.example", "A").from(PUPIL).expect(school.gateway.dns);
    assert_eq!(dns.answers(), ["A 127.0.0.1"]);
    // One of them was given up for others.
    let first = crowd.first_mut().unwrap();
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(first.read(&mut [0; 16]).unwrap_or(0), 0);
}
