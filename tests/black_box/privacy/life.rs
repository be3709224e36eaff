//! One life of a gateway in which every feature has been used from the marker's address.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{CLIENT, LOOKED_UP, MARKER, OPENED, REVIEWED, files};
use crate::support::api::Api;
use crate::support::ask::try_connect;
use crate::support::gateway::{LACHAN, run};
use crate::support::ports::free_port;
use crate::support::{Ask, Canned, Gateway, PATIENCE, Upstream, eventually};

const CONFIG: &str = r#"
default_group = "pupils"

[school]
id = "test-school"
name = "Trường thử nghiệm"
level = "lower-secondary"

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
case_randomisation = false

[state]
dir = "state"

[evidence]
hours = "always"
flush = "1s"

[lists]
starter = false

[[lists.source]]
category = "games"
path = "games.txt"
[[lists.source]]
category = "adult"
path = "adult.txt"
[[lists.source]]
category = "self_harm"
path = "harm.txt"
[[lists.source]]
category = "csam"
format = "sealed"
path = "authority.sealed"
key = "authority.key"

[[group]]
name = "pupils"
clients = ["127.0.10.0/24"]
profile = "pupils"

[profile.pupils]
level = "lower-secondary"
block = ["games", "adult", "self_harm"]
"#;

/// A registry that knows the school.
const ORG: &str = r#"
name = "Sở Ví Dụ"
[[unit]]
id = "xa"
name = "Xã Sông Xanh"
kind = "commune"
[[school]]
id = "test-school"
name = "THCS"
level = "lower-secondary"
unit = "xa"
"#;

/// A month that is over.
const MONTH: &str = "2026-01";

/// What a life left.
pub(super) struct Life {
    /// Every file of the school, what it hands in and its backup among them.
    pub(super) files: Vec<(String, String)>,
    /// What was said to people and programs, by what was asked.
    pub(super) said: Vec<(String, String)>,
    /// All that the processes logged.
    pub(super) logs: Vec<(String, String)>,
    /// What a diagnosis showed: the one place that has names of queries, in memory, while it is on.
    pub(super) diagnosis: String,
    /// `/metrics` when each kind of query had come once, and at the end.
    pub(super) first_scrape: String,
    pub(super) last_scrape: String,
    /// `/metrics` before and after queries for help.
    pub(super) help: [String; 2],
}

impl Life {
    /// What was said at a question, at the end.
    pub(super) fn of(&self, question: &str) -> &str {
        let found = self.said.iter().rfind(|(of, _)| of == question);
        found.map_or_else(|| panic!("nobody asked `{question}`"), |(_, said)| said)
    }
}

struct School {
    gateway: Gateway,
    portal: SocketAddr,
    said: Vec<(String, String)>,
    _upstream: Upstream,
}

fn seal(dir: &Path) {
    fs::write(dir.join("names.txt"), "sealed.example\n").unwrap();
    let mut command = Command::new(LACHAN);
    command.args(["lists", "seal", "--key", "authority.key", "--out", "authority.sealed"]);
    command.arg("names.txt").current_dir(dir);
    let (status, said) = run(command);
    assert!(status.success(), "{said}");
}

impl School {
    fn start() -> Self {
        let (upstream, port) = (Upstream::start(), free_port());
        for marker in ["first", MARKER] {
            let name = format!("{marker}.front.example");
            let answer = vec![format!("{name}. 300 CNAME x.game.example.")];
            upstream.answer(&name, None, Canned { answer, ..Canned::default() });
        }
        let gateway = Gateway::plan(CONFIG)
            .upstream(&upstream)
            .fill("portal", &port.to_string())
            .file("games.txt", "||game.example^\n")
            .file("adult.txt", "||adult.example^\n")
            .file("harm.txt", "||harm.example^\n")
            .file("org.toml", ORG)
            .made(seal)
            .start();
        let portal = SocketAddr::from(([127, 0, 0, 1], port));
        Self { gateway, portal, said: Vec::new(), _upstream: upstream }
    }

    fn ask(&self, from: &str, name: &str) {
        Ask::new(name, "A").from(from).edns(1232).expect(self.gateway.dns);
        Ask::new(name, "HTTPS").from(from).tcp().expect(self.gateway.dns);
    }

    /// One query of each kind from the marker's address.
    fn ask_each_kind(&self, marker: &str) {
        for below in [
            "game.example",
            "adult.example",
            "harm.example",
            "sealed.example",
            "front.example",
            "good.example",
            "nx.example",
            "casino88.example",
            "test",
        ] {
            self.ask(CLIENT, &format!("{marker}.{below}"));
        }
        self.ask(CLIENT, "use-application-dns.net");
        self.ask(CLIENT, "www.google.com");
    }

    /// Runs a subcommand; what it says is noted under `question`.
    fn lachan(&mut self, question: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(LACHAN);
        command.current_dir(self.gateway.dir()).args(arguments);
        let (_, said) = run(command);
        self.said.push((question.to_owned(), said.clone()));
        said
    }

    /// The same of the gateway's config.
    fn own(&mut self, question: &str, arguments: &[&str]) -> String {
        self.lachan(question, &[arguments, &["--config", "gateway.toml"]].concat())
    }

    /// A request from the marker's address to the portal; its reply is the child's own.
    fn portal(&self, method: &str, path: &str, body: &str) -> u16 {
        let mut stream = try_connect(CLIENT.parse().unwrap(), self.portal).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = format!("lachan.internal:{}", self.portal.port());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.get(9..12).unwrap().parse().unwrap()
    }

    fn use_the_portal(&self) {
        assert_eq!(self.portal("GET", "/", ""), 200);
        let name = format!("name={LOOKED_UP}.game.example");
        assert_eq!(self.portal("GET", &format!("/blocked?{name}"), ""), 200);
        assert_eq!(self.portal("POST", "/blocked", &name), 200);
        let wish = format!("name={REVIEWED}.game.example&reason=lesson");
        assert_eq!(self.portal("POST", "/review", &wish), 200);
        assert_eq!(self.portal("GET", &format!("/{LOOKED_UP}"), ""), 404);
        let opened = format!("{OPENED}.game.example");
        assert_eq!(Api::of(&self.gateway).lesson("pupils", &opened).unwrap().0, 201);
        self.ask(CLIENT, &opened);
    }

    fn diagnose(&mut self, question: &str, minutes: &str, reason: &str) -> String {
        let who = ["--by", "Cô Lan", "--reason", reason];
        let of = ["diagnose", "start", "--group", "pupils", "--minutes", minutes];
        self.own(question, &[&of[..], &who].concat())
    }

    /// Fifty clients with names of their own, and what many and few ask for.
    fn be_a_school(&self) {
        for number in 1..=50 {
            let from = format!("127.0.10.{number}");
            self.ask(&from, &format!("{MARKER}{number}.game.example"));
            self.ask(&from, &format!("{MARKER}{number}.good.example"));
            for name in ["many.game.example", "adult.example", "harm.example", "sealed.example"] {
                Ask::new(name, "A").from(&from).tcp().expect(self.gateway.dns);
            }
            if number < 9 {
                Ask::new("few.game.example", "A").from(&from).tcp().expect(self.gateway.dns);
            }
        }
    }

    /// Everything that tells of the gateway while it runs.
    fn look(&mut self) {
        for path in ["/metrics", "/readyz", "/healthz", "/"] {
            let text = self.gateway.get(path).1;
            self.said.push((format!("GET {path}"), text));
        }
        self.own("status --json", &["status", "--json"]);
        self.own("status in words", &["status", "--lang", "en"]);
        self.own("status --top", &["status", "--top", "--lang", "en"]);
        self.own("selftest --json", &["selftest", "--json", "--out", "selftest.html"]);
        self.own("review list", &["review", "list", "--json"]);
        self.lachan("check", &["check", "gateway.toml", "--json"]);
    }

    /// What the school hands in, of a month that is over.
    fn hand_in(&mut self) {
        let evidence = self.gateway.dir().join("state/evidence");
        let names = fs::read_dir(&evidence).unwrap().map(|one| one.unwrap().path());
        let newest = names.filter(|path| path.extension().is_some_and(|end| end == "json")).max();
        let text = fs::read_to_string(newest.unwrap()).unwrap();
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record["month"] = MONTH.into();
        fs::write(evidence.join(format!("{MONTH}.json")), record.to_string()).unwrap();
        let report = ["report", "--period", MONTH, "--out", "out/inbox"];
        self.own("report", &report);
        let merge =
            ["report", "merge", "out/inbox", "--org", "org.toml", "--out", "out", "--public"];
        self.lachan("report merge", &merge);
        self.own("attest", &["attest", "--period", MONTH, "--out", "out"]);
        self.own("backup", &["backup", "school.backup"]);
        for name in ["out/inbox/report.json", "out/inbox/report.html", "out/public.html"] {
            assert!(self.gateway.dir().join(name).is_file(), "{name}: {:?}", self.said);
        }
        let attested = format!("out/attestation-test-school-{MONTH}.html");
        assert!(self.gateway.dir().join(attested).is_file(), "{:?}", self.said);
        assert!(self.gateway.dir().join("school.backup").is_file(), "{:?}", self.said);
    }
}

/// Lives it.
pub(super) fn lived() -> Life {
    let mut school = School::start();
    school.ask_each_kind("first");
    school.use_the_portal();
    school.gateway.reload();
    school.look();
    let first_scrape = eventually("a month", || {
        let text = school.gateway.metrics().text;
        text.contains("lachan_enforcement_month_seconds{").then_some(text)
    });

    school.diagnose("diagnosis for 31 minutes", "31", "trang bài tập");
    school.diagnose("diagnosis without a reason", "5", " ");
    let begun = school.diagnose("diagnosis begins", "5", "trang bài tập");
    assert!(begun.contains("Cô Lan"), "{begun}");
    school.ask_each_kind(MARKER);
    let before = school.gateway.metrics().text;
    for _ in 0..3 {
        school.ask(CLIENT, "tongdai111.vn");
        school.ask(CLIENT, "www.tongdai111.vn");
    }
    let help = [before, school.gateway.metrics().text];
    let diagnosis = school.own("", &["diagnose", "show", "--json"]);
    school.said.pop();
    school.own("diagnosis ends", &["diagnose", "stop", "--by", "Cô Lan"]);

    school.be_a_school();
    school.look();
    let last_scrape = school.gateway.metrics().text;
    // A second one, which ends with the process.
    school.diagnose("diagnosis again", "5", "trang bài tập");
    school.ask(CLIENT, &format!("{MARKER}.late.game.example"));
    school.gateway.terminate();
    let first = school.gateway.log();
    school.hand_in();
    school.gateway = school.gateway.restart();
    school.own("diagnosis after a restart", &["diagnose", "show"]);
    school.gateway.terminate();
    let logs =
        vec![("the log".into(), first), ("the log of a restart".into(), school.gateway.log())];
    let (files, said) = (files(school.gateway.dir()), std::mem::take(&mut school.said));
    let said = said.into_iter().chain(logs.clone()).collect();
    Life { files, said, logs, diagnosis, first_scrape, last_scrape, help }
}
