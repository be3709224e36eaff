//! Reviews: asking on the portal tells nobody what is on a list, and what a technician answers acts.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::ports::free_port;
use crate::support::{Ask, Canned, Gateway, STAFF, TWO_GROUPS, Upstream};

/// Games are the school's, gambling is locked for all, self-harm is protected, one list is sealed, and
/// the department denies a name.
const LISTS: &str = r#"
[profile.pupils]
level = "lower-secondary"
block = ["games", "self_harm"]

[profile.staff]
level = "staff"
block = []

[department]
policy = "department.toml"

[state]
dir = "state"

[portal]
listen = ["127.0.0.1:{portal}"]

[[lists.source]]
category = "games"
path = "games.txt"
[[lists.source]]
category = "gambling"
path = "bets.txt"
[[lists.source]]
category = "self_harm"
path = "harm.txt"
[[lists.source]]
category = "csam"
format = "sealed"
path = "authority.sealed"
key = "authority.key"
"#;

struct School {
    gateway: Gateway,
    portal: SocketAddr,
    _upstream: Upstream,
}

impl School {
    fn new() -> Self {
        let upstream = Upstream::start();
        let answer = vec!["games.example. 300 A 192.0.2.9".into()];
        upstream.answer("games.example", Some(1), Canned { answer, ..Canned::default() });
        let portal = free_port();
        let games = (0..20).map(|n| format!("games{n}.example\n")).collect::<Vec<_>>().concat();
        let plan = Gateway::plan(&format!("{TWO_GROUPS}{LISTS}"))
            .fill("portal", &portal.to_string())
            .upstream(&upstream)
            .file("games.txt", &(games + "games.example\n"))
            .file("bets.txt", "bets.example\n")
            .file("harm.txt", "harm.example\n")
            .file("department.toml", "name = \"Sở\"\ndeny = [\"denied.example\"]\n")
            .made(seal);
        let portal = SocketAddr::from(([127, 0, 0, 1], portal));
        Self { gateway: plan.start(), portal, _upstream: upstream }
    }

    /// One request of a client to the portal: the status and the whole reply.
    fn send(&self, client: &str, request: &str) -> (u16, String) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let from: SocketAddr = format!("{client}:0").parse().unwrap();
        socket.bind(&from.into()).unwrap();
        socket.connect(&self.portal.into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        (reply.get(9..12).unwrap().parse().unwrap(), reply)
    }

    /// Sends the form from a page of the portal.
    fn post(&self, client: &str, fields: &str) -> (u16, String) {
        let (host, length) = (self.portal, fields.len());
        let request = format!(
            "POST /review?lang=en HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{fields}"
        );
        self.send(client, &request)
    }

    fn ask(&self, client: &str, name: &str) -> (u16, String) {
        self.post(client, &format!("name={name}&reason=lesson"))
    }

    /// Runs `lachan review …`: the exit code and the output.
    fn review(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(LACHAN);
        command.current_dir(self.gateway.dir()).arg("review").args(arguments);
        command.args(["--config", "gateway.toml"]);
        let (status, said) = run(command);
        (status.code(), said)
    }

    fn list(&self) -> Value {
        let (code, said) = self.review(&["list", "--json"]);
        assert_eq!(code, Some(0), "{said}");
        said_in_json(&said)
    }

    fn names(&self) -> Vec<(String, u64)> {
        let list = self.list();
        let rows = list["reviews"].as_array().unwrap().clone();
        let row =
            |row: &Value| (row["name"].as_str().unwrap().into(), row["count"].as_u64().unwrap());
        rows.iter().map(row).collect()
    }

    fn rcode(&self, client: &str, name: &str) -> String {
        Ask::new(name, "A").from(client).expect(self.gateway.dns).rcode()
    }
}

fn seal(dir: &Path) {
    fs::write(dir.join("names.txt"), "sealed.example\n").unwrap();
    let mut command = Command::new(LACHAN);
    command.args(["lists", "seal", "--key", "authority.key", "--out", "authority.sealed"]);
    let (status, said) = run({
        command.arg("names.txt").current_dir(dir);
        command
    });
    assert!(status.success(), "{said}");
}

/// A page without its code: the only part that may differ.
fn without_code(page: &str) -> String {
    let (front, rest) = page.split_once("<strong>").unwrap();
    let (code, back) = rest.split_once("</strong>").unwrap();
    assert_eq!(code.len(), 7, "{code}");
    // The moment stands in the head.
    let lines = front.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    lines.collect::<Vec<_>>().join("\n") + back
}

#[test]
fn the_answer_to_a_request_tells_nothing_of_the_name_and_what_the_school_says_acts() {
    let mut school = School::new();
    let mut pages = Vec::new();
    for (client, name) in [
        ("127.0.10.1", "games.example"),
        ("127.0.10.2", "bets.example"),
        ("127.0.10.3", "harm.example"),
        ("127.0.10.4", "sealed.example"),
        ("127.0.10.5", "denied.example"),
        ("127.0.10.6", "plain.example"),
        ("127.0.20.1", "games.example"),
        ("127.0.10.7", "https://www.games1.example:443/a?b=c"),
    ] {
        let (status, page) = school.ask(client, name);
        assert_eq!(status, 200, "{page}");
        assert!(!page.contains("example"), "the page repeats no name: {page}");
        pages.push(without_code(&page));
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:#?}");
    for _ in 0..3 {
        school.ask("127.0.10.100", "games2.example");
    }
    // Only what the school could open for the group has a row.
    let rows = [("games2.example", 3), ("games.example", 1), ("www.games1.example", 1)];
    assert_eq!(school.names(), rows.map(|(name, count)| (name.to_owned(), count)));
    let received =
        school.gateway.metrics().value("lachan_review_requests_total", &[("outcome", "received")]);
    assert!((received - 11.0).abs() < 0.1, "{received}");
    let row = school.list()["reviews"][1].clone();
    assert_eq!(row["blocked"]["category"], "games", "{row}");
    assert_eq!(row["levels"]["lower-secondary"], 1);

    // What is locked stays locked, whoever allows it.
    let word = ["--by", "Cô Lan", "--reason", "bài 12"];
    for (name, why) in
        [("bets.example", "gambling"), ("harm.example", ""), ("denied.example", "Sở")]
    {
        let (code, said) = school.review(&[&["allow", name][..], &word].concat());
        // Self-harm is no locked category: the technician may open a name of it.
        assert_eq!(code, Some(i32::from(name != "harm.example")), "{said}");
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(school.rcode("127.0.10.1", "games.example"), "NXDOMAIN");
    let (code, said) = school.review(&[&["allow", "games.example"][..], &word].concat());
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(school.rcode("127.0.10.1", "games.example"), "NOERROR");
    let (_, said) = school.review(&["deny", "games2.example", "--by", "Lan", "--reason", "a game"]);
    assert!(said.contains("a game"), "{said}");
    assert_eq!(school.review(&["deny", "none.example", "--by", "L", "--reason", "x"]).0, Some(1));

    // A restart knows all of it, and so does the ledger, which has no client.
    school.gateway.terminate();
    school.gateway = school.gateway.restart();
    assert_eq!(school.rcode("127.0.10.1", "games.example"), "NOERROR");
    let list = school.list();
    let states: Vec<&str> = list["reviews"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["open", "allowed", "denied"]);
    assert_eq!(list["allows"].as_array().unwrap().len(), 2);
    for file in ["ledger.jsonl", "reviews.json", "overrides.json"] {
        let text = fs::read_to_string(school.gateway.dir().join("state").join(file)).unwrap();
        assert!(!text.contains("127.0."), "{file}: {text}");
        assert!(text.contains("games"), "{file}: {text}");
    }
    assert!(!school.gateway.log().contains("games2.example"), "no name in the log");

    why_says_that_it_is_allowed(&school);

    // The department gets what waits, without people and codes.
    let (code, said) = school.review(&["forward", "--out", "forwarded.json"]);
    assert_eq!(code, Some(0), "{said}");
    let path = school.gateway.dir().join("forwarded.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(file["school"], "test-school");
    assert_eq!(file["reviews"][0]["name"], "www.games1.example");
    assert_eq!(file["reviews"].as_array().unwrap().len(), 1);
    assert!(file["reviews"][0].get("codes").is_none() && file["reviews"][0].get("word").is_none());
    department(school.gateway.dir(), &path);

    let (code, said) = school.review(&["revoke", "games.example", "--by", "Lan"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(school.rcode("127.0.10.1", "games.example"), "NXDOMAIN");
    assert_eq!(school.rcode(STAFF, "games.example"), "NOERROR");
}

fn why_says_that_it_is_allowed(school: &School) {
    let mut command = Command::new(LACHAN);
    command.args(["why", "games.example", "--client", "127.0.10.1", "--json"]);
    command.args(["--config", "gateway.toml"]).current_dir(school.gateway.dir());
    let why = said_in_json(&run(command).1);
    assert_eq!(why["overrides"], serde_json::json!([]), "no lesson runs: {why}");
    assert_eq!(
        (&why["verdict"], &why["layer"]),
        (&"allow".into(), &"school-allow".into()),
        "{why}"
    );
}

/// The department merges what it was sent, and answers it.
fn department(dir: &Path, file: &Path) {
    let inbox = dir.join("inbox");
    fs::create_dir_all(dir.join("tables")).unwrap();
    fs::create_dir_all(&inbox).unwrap();
    fs::copy(file, inbox.join("a.json")).unwrap();
    let text = fs::read_to_string(file).unwrap().replace("test-school", "other-school");
    fs::write(inbox.join("b.json"), &text).unwrap();
    fs::write(inbox.join("hostile.json"), text.replace("www.games1", "<b>")).unwrap();
    let publish = |arguments: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.args(["publish", "reviews"]).args(arguments).current_dir(dir);
        let (status, said) = run(command);
        (status.code(), said)
    };
    let (code, said) = publish(&["merge", "inbox"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("hostile.json: refused: its review 1 has a wrong `name`"), "{said}");
    assert!(said.contains("2 schools      2 requests  www.games1.example"), "{said}");
    fs::remove_file(inbox.join("hostile.json")).unwrap();
    let answer = ["answer", "www.games1.example", "--tables", "tables", "--by", "Hà"];
    let (code, said) = publish(&[&answer[..], &["--accept", "--reason", "no game"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = publish(&["merge", "inbox", "--tables", "tables", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said_in_json(&said)["reviews"][0]["answer"]["verdict"], "accepted");
}

#[test]
fn hostile_forms_change_nothing_and_are_not_repeated() {
    let school = School::new();
    let long = "a".repeat(4096);
    for (at, name) in [
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E.example",
        "%22onload%3Dx.example",
        "a%E2%80%AEb.example",
        "a%00.example",
        "a%0D%0ASet-Cookie%3Ax.example",
        "com.vn",
        "..%2F..%2Fetc",
        "10.0.0.1",
        "",
        long.as_str(),
    ]
    .into_iter()
    .enumerate()
    {
        let (status, page) = school.ask(&format!("127.0.10.{}", 30 + at), name);
        assert_eq!(status, 422, "{name}: {page}");
        for odd in ["<script>alert", "onload=x", "\u{202e}", "Set-Cookie", "etc", "aaaa"] {
            assert!(!page.contains(odd), "{name}: {odd}");
        }
    }
    // A link fills the form in only with what is a site.
    let get = |query: &str| {
        let host = school.portal;
        school
            .send(
                "127.0.10.9",
                &format!(
                    "GET /review?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
                ),
            )
            .1
    };
    assert!(get("name=www.games.example").contains("value=\"www.games.example\""));
    assert!(!get("name=%22%3E%3Cb%3E.example&code=%22%3E%3Cb%3E&lang=%22").contains("<b>"));
    assert_eq!(school.post("127.0.10.9", "name=games.example&reason=because").0, 422);
    // Another site's page, and a GET, ask for nothing.
    let host = school.portal;
    let fields = "name=games.example&reason=lesson";
    let forged = format!(
        "POST /review HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{fields}",
        fields.len()
    );
    assert_eq!(school.send("127.0.10.9", &forged).0, 403);
    get(fields);
    assert_eq!(school.names(), []);

    // A client's fourth request in an hour; the names make no difference, and others go on.
    for (number, status) in [(0, 200), (1, 200), (2, 200), (3, 429), (4, 429)] {
        assert_eq!(school.ask("127.0.10.8", &format!("games{number}.example")).0, status);
    }
    assert_eq!(school.ask("127.0.10.8", "bets.example").0, 429);
    assert_eq!(school.ask("127.0.10.7", "games3.example").0, 200);
    assert_eq!(school.names().len(), 4);
    school.gateway.expect_metric("lachan_review_requests_total", &[("outcome", "limited")], 3.0);
    school.gateway.expect_metric("lachan_review_requests_total", &[("outcome", "invalid")], 11.0);
    school.gateway.expect_metric("lachan_reviews_open", &[], 4.0);
}
