//! What was blocked: once for a site and a minute, by which list, for many devices, and while a person
//! looks; and that none of it is of a person.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use serde_json::Value;

use crate::support::gateway::{LACHAN, run};
use crate::support::ports::free_port;
use crate::support::{Ask, Gateway, PATIENCE, PUPIL, STAFF, Upstream, eventually};

const CONFIG: &str = r#"
default_group = "pupils"

[listen]
dns = ["127.0.0.1:{dns}"]
allow = ["127.0.0.0/8"]
workers = 1

[admin]
listen = "127.0.0.1:{admin}"

[portal]
listen = ["127.0.0.1:{portal}"]
addresses = ["127.0.0.1"]

[upstream]
servers = ["udp://127.0.0.1:{upstream}"]

[state]
dir = "state"

[lists]
starter = false

[[lists.source]]
category = "games"
path = "games.txt"

[[lists.source]]
category = "games"
path = "more-games.txt"

[[lists.source]]
category = "games"
path = "idle.txt"

[[lists.source]]
category = "adult"
path = "adult.txt"

[[lists.source]]
category = "self_harm"
path = "harm.txt"

[[group]]
name = "pupils"
clients = ["127.0.10.0/24"]
level = "lower-secondary"
profile = "pupils"

[[group]]
name = "staff"
clients = ["127.0.20.0/24"]
profile = "staff"

[profile.pupils]
level = "lower-secondary"
block = ["games", "adult", "self_harm"]

[profile.staff]
level = "staff"
block = ["games"]
"#;

struct School {
    gateway: Gateway,
    portal: u16,
    _upstream: Upstream,
}

impl School {
    fn start() -> Self {
        let (upstream, portal) = (Upstream::start(), free_port());
        let gateway = Gateway::plan(CONFIG)
            .upstream(&upstream)
            .fill("portal", &portal.to_string())
            .file("games.txt", "||game.example^\n||both.com.vn^\n")
            .file("more-games.txt", "||both.com.vn^\n")
            .file("idle.txt", "||nobody.example^\n")
            .file("adult.txt", "||adult.example^\n")
            .file("harm.txt", "||harm.example^\n");
        Self { gateway: gateway.start(), portal, _upstream: upstream }
    }

    fn ask(&self, from: &str, name: &str) {
        let answer = Ask::new(name, "A").from(from).expect(self.gateway.dns);
        assert_eq!(answer.rcode(), "NXDOMAIN", "{name} is not blocked");
    }

    /// What a subcommand says, and whether it did what it was told.
    fn lachan(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(LACHAN);
        let (name, rest) = arguments.split_first().unwrap();
        command.current_dir(self.gateway.dir()).arg(name);
        command.args(rest).args(["--config", "gateway.toml"]);
        let (status, said) = run(command);
        (status.success(), said)
    }

    fn status(&self) -> Value {
        let (_, said) = self.lachan(&["status", "--json"]);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    fn matches(&self, source: &str) -> i64 {
        let metrics = self.gateway.metrics();
        metrics.value("lachan_source_matches_total", &[("source", source)]) as i64
    }

    fn page(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.portal)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = format!("lachan.internal:{}", self.portal);
        write!(stream, "GET /?lang=en HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    fn diagnose(&self, more: &[&str]) -> (bool, String) {
        self.lachan(&[&["diagnose"], more].concat())
    }
}

const START: [&str; 9] =
    ["start", "--group", "pupils", "--minutes", "5", "--by", "Lan", "--reason", "bài tập không mở"];

#[test]
fn a_site_counts_once_a_minute_and_each_list_that_names_it_is_told() {
    let school = School::start();
    for name in
        ["game.example", "www.game.example", "a.b.game.example", "both.com.vn", "x.both.com.vn"]
    {
        school.ask(PUPIL, name);
        Ask::new(name, "AAAA").tcp().from(PUPIL).expect(school.gateway.dns);
    }
    school.ask(STAFF, "game.example");
    school.ask(PUPIL, "harm.example");
    let status = eventually("all is counted", || {
        let status = school.status();
        (status["blocked"]["queries"] == 12).then_some(status)
    });
    // Two sites of pupils, one of them of staff too, and one of a protected category.
    assert_eq!(status["blocked"]["merged"], 4, "{status}");
    let found =
        ["games.txt", "more-games.txt", "idle.txt", "protected"].map(|of| school.matches(of));
    assert_eq!(found, [11, 4, 0, 1]);
    assert!(!school.gateway.metrics().text.contains("matches_total{source=\"harm.txt\""));
    let of = |name: &str| {
        let lists = status["lists"].as_array().unwrap();
        lists.iter().find(|list| list["name"] == name).unwrap()["matches"].clone()
    };
    assert_eq!((of("games.txt"), of("idle.txt")), (11.into(), 0.into()), "{status}");
    assert!(of("harm.txt").is_null(), "a protected list is told by itself: {status}");
    let (_, words) = school.lachan(&["status", "--lang", "en"]);
    assert!(words.contains("more-games.txt: ok, 1 rules"), "{words}");
    assert!(words.contains("named 4 blocked queries since the start"), "{words}");
    // A reload that reorders the lists mixes no counts.
    let path = school.gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("\"games.txt\"", "\"@\"").replace("\"idle.txt\"", "\"games.txt\"");
    std::fs::write(&path, text.replace("\"@\"", "\"idle.txt\"")).unwrap();
    school.gateway.reload();
    assert_eq!([school.matches("games.txt"), school.matches("idle.txt")], [11, 0]);
}

#[test]
fn names_that_are_blocked_for_many_are_shown_and_those_of_few_or_of_delicate_matters_are_not() {
    let school = School::start();
    for client in 1..=20 {
        let from = format!("127.0.10.{client}");
        // A worker notes one block of eight.
        for name in ["game.example", "adult.example", "harm.example"] {
            (0..8).for_each(|_| school.ask(&from, name));
        }
    }
    for client in 1..=5 {
        let from = format!("127.0.10.{client}");
        (0..24).for_each(|_| school.ask(&from, "both.com.vn"));
    }
    let (_, words) = school.lachan(&["status", "--top", "--lang", "en"]);
    assert!(words.contains("Blocked today for at least 10 addresses"), "{words}");
    assert!(words.contains("game.example: games"), "{words}");
    for name in ["adult.example", "harm.example", "both.com.vn"] {
        assert!(!words.contains(name), "{words}");
    }
    let (_, words) = school.lachan(&["status", "--lang", "en"]);
    assert!(!words.contains("game.example"), "{words}");
    assert_eq!(school.status()["top_names"].as_array().unwrap().len(), 1);
}

#[test]
fn a_person_looks_for_some_minutes_in_the_open_and_sees_no_device() {
    let mut school = School::start();
    let refused = |arguments: &[&str], why: &str| {
        let (done, said) = school.diagnose(arguments);
        assert!(!done && said.contains(why), "{said}");
    };
    let minutes = |count: &'static str| START.map(|word| if word == "5" { count } else { word });
    refused(&minutes("31"), "30");
    refused(&START.map(|word| if word == "pupils" { "nobody" } else { word }), "nobody");
    refused(&START.map(|word| if word == "bài tập không mở" { " " } else { word }), "300");
    refused(&["show"], "no diagnosis is on");
    assert!(school.page().contains("Nobody keeps who visits or who asks what."));

    school.ask(PUPIL, "before.game.example");
    let (done, said) = school.diagnose(&START);
    assert!(done && said.contains("Lan") && said.contains("bài tập không mở"), "{said}");
    let (again, said) = school.diagnose(&START);
    assert!(!again && said.contains("Lan"), "two look at once: {said}");
    for name in ["x.game.example", "adult.example", "harm.example", "y.both.com.vn"] {
        school.ask(PUPIL, name);
    }
    school.ask(STAFF, "staff.game.example");
    let (_, said) = school.diagnose(&["show", "--json"]);
    let shown: Value = serde_json::from_str(&said).unwrap();
    let blocks = shown["blocks"].as_array().unwrap();
    let names: Vec<&str> = blocks.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["x.game.example", "y.both.com.vn"], "{said}");
    assert_eq!((&blocks[0]["type"], &blocks[0]["source"]), (&"A".into(), &"list".into()));
    assert!(blocks[0]["category"] == "games" && !said.contains(PUPIL), "{said}");
    assert!(
        school.lachan(&["status", "--lang", "en"]).1.contains("diagnosis: on for group `pupils`")
    );
    let page = school.page();
    assert!(
        page.contains("a technician looks at which sites are blocked for group pupils"),
        "{page}"
    );
    assert!(!page.contains("Nobody keeps who visits or who asks what."), "{page}");

    let (done, said) = school.diagnose(&["stop", "--by", "Minh"]);
    assert!(done, "{said}");
    assert!(!school.diagnose(&["show"]).0 && !school.page().contains("a technician looks"));
    let path = school.gateway.dir().join("state/ledger.jsonl");
    let ledger = || std::fs::read_to_string(&path).unwrap();
    let lines = ledger();
    let of = |action: &str| lines.lines().find(|line| line.contains(action)).unwrap().to_owned();
    assert!(
        of("\"diagnose\"").contains("\"who\":\"Lan\"") && of("\"diagnose\"").contains("pupils")
    );
    assert!(of("\"diagnose_end\"").contains("\"who\":\"Minh\""), "{lines}");
    assert!(!lines.contains("game.example") && !lines.contains(PUPIL), "{lines}");

    // One that is on ends with the process, and nothing of it comes back.
    assert!(school.diagnose(&START).0);
    school.ask(PUPIL, "late.game.example");
    school.gateway.terminate();
    assert_eq!(ledger().matches("\"diagnose_end\"").count(), 2);
    school.gateway = school.gateway.restart();
    assert!(!school.diagnose(&["show"]).0);
    assert!(school.status()["diagnosis"].is_null());

    // A life that is cut off cannot say so: the next one does.
    assert!(school.diagnose(&START).0);
    school.gateway.kill();
    assert_eq!(ledger().matches("\"diagnose_end\"").count(), 2);
    school.gateway = school.gateway.restart();
    eventually("the end in the ledger", || {
        (ledger().matches("\"diagnose_end\"").count() == 3).then_some(())
    });
}
