//! Edges of a timetable while a connection stays: what a device claims is judged at each query.

use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lachan::sys::clock::system_time;

use super::doh::exchange;
use super::{NAME, School, Tls, connect, keep, receive, send};
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::{Answer, Ask, Gateway, PUPIL};

/// Seconds from the plan of the test to the edges of the exam: the gateway starts before the first.
const EDGES: [u64; 2] = [30, 38];
/// Seconds by which the gateway's civil time may differ from the system's (`sys/clock`).
const JITTER: u64 = 2;

/// Tablets are as pupils and may see less in the exam; laptops are stricter than pupils until then, and
/// looser in it.
const SCHOOL: &str = r#"
[[group]]
name = "tablets"
server_names = ["tablets.dns.school.example"]
profile = "tablets"

[[group]]
name = "laptops"
server_names = ["laptops.dns.school.example"]
profile = "laptops"

[profile.pupils.during.exam]
deny = ["exam.example"]

[profile.tablets]
level = "lower-secondary"
block = ["adult", "games"]

[profile.tablets.during.exam]
deny = ["exam.example", "tablets.example"]

[profile.laptops]
level = "lower-secondary"
block = ["adult", "games"]
deny = ["laptops.example"]

[[schedule]]
name = "exam"
calendar = "exam.ics"

[state]
dir = "state"
"#;

/// An event between two seconds.
fn calendar(edges: [u64; 2]) -> String {
    let [from, until] = edges.map(|second| {
        let at = Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
        TimeZone::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%SZ").to_string()
    });
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Exam\r\nDTSTART:{from}\r\n\
         DTEND:{until}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// The code of the answer to the next query of a connection to DNS over TLS.
fn over_tls(stream: &mut Tls, name: &str) -> String {
    send(stream, &Ask::new(name, "A").to_wire());
    Answer::decode(receive(stream).unwrap()).rcode()
}

/// The same of one to DNS over HTTPS, with a token.
fn over_https(stream: &mut Tls, token: &str, name: &str) -> String {
    let query = Ask::new(name, "A").to_wire();
    let head = format!(
        "POST {token} HTTP/1.1\nHost: {NAME}\nContent-Type: application/dns-message\n\
         Content-Length: {}\n\n",
        query.len()
    );
    Answer::decode(exchange(stream, &head, &query).body).rcode()
}

/// The path of a token of the tablets.
fn token(gateway: &Gateway) -> String {
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).args(["token", "add", "--group", "tablets", "--name", "t"]);
    command.args(["--json", "--config", "gateway.toml"]);
    let (status, said) = run(command);
    assert!(status.success(), "{said}");
    said_in_json(&said)["path"].as_str().unwrap().to_owned()
}

#[test]
fn the_next_query_of_a_kept_connection_is_under_the_rule_of_its_second() {
    let (plan, authority, upstream, [dot, doh]) = School::plan("tcp_idle = \"60s\"", SCHOOL);
    let names = [NAME, "tablets.dns.school.example", "laptops.dns.school.example"];
    let planned = system_time();
    let [begin, end] = EDGES.map(|seconds| planned + seconds);
    let plan = keep(plan, "own", &authority.signs_all(&names, [1975, 4096]));
    let gateway = plan.file("exam.ics", &calendar([begin, end])).start();
    let school = School { gateway, authority, dot, doh, upstream };
    let path = token(&school.gateway);
    let config = school.trusting(&[b"dot"], rustls::ALL_VERSIONS);
    let mut tablet = connect(dot, PUPIL, &config, names[1]).unwrap();
    let mut laptop = connect(dot, PUPIL, &config, names[2]).unwrap();
    let mut browser = school.http1(PUPIL);

    let mut asked = || {
        [
            over_tls(&mut tablet, "tablets.example"),
            over_https(&mut browser, &path, "tablets.example"),
            over_tls(&mut laptop, "exam.example"),
            // Only the group of the laptops denies it.
            over_tls(&mut laptop, "laptops.example"),
        ]
    };
    let outside = ["NOERROR", "NOERROR", "NOERROR", "NXDOMAIN"];
    let inside = ["NXDOMAIN", "NXDOMAIN", "NXDOMAIN", "NOERROR"];
    let now = system_time;
    assert_eq!(asked(), outside, "before the exam");
    assert!(now() + JITTER <= begin, "the gateway took {}s to start", now() - planned);
    for (edge, wanted) in [(begin, inside), (end, outside)] {
        // A connection by HTTP/1.1 that asks nothing is ended soon: it asks, and stays.
        while now() < edge + JITTER {
            asked();
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(asked(), wanted, "{}s after {edge}", now() - edge);
        assert!(edge == end || now() + JITTER <= end, "the queries of the exam took too long");
    }
}
