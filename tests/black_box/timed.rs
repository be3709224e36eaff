//! Time and people: schedules around the present moment, overrides over the admin address,
//! a clock that is not to be trusted.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Canned, Gateway, PUPIL, STAFF, TWO_GROUPS, Upstream};

const GAMES: &str = "[[lists.source]]\ncategory = \"games\"\npath = \"games.txt\"\n\
    [[lists.source]]\ncategory = \"gambling\"\npath = \"bets.txt\"\n";

/// Minutes of the day now, in UTC.
fn minute() -> u64 {
    lachan::sys::clock::system_time() / 60 % 1440
}

/// A window of the day, in minutes from now.
fn window(from: i64, until: i64) -> String {
    let at = |offset: i64| {
        let minute = (i64::try_from(minute()).unwrap() + offset).rem_euclid(1440);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    format!("{}-{}", at(from), at(until))
}

/// Two groups of levels, whose lessons are in this window; one list of games, one of bets.
fn gateway(extra: &str, upstream: &Upstream) -> Gateway {
    let config = format!(
        "{TWO_GROUPS}\n[profile.pupils]\nlevel = \"lower-secondary\"\n\
         [profile.staff]\nlevel = \"staff\"\n{GAMES}\n[state]\ndir = \"state\"\n{extra}"
    );
    Gateway::plan(&config)
        .upstream(upstream)
        .file("games.txt", "games.example\n")
        .file("bets.txt", "bets.example\n")
        .start()
}

fn upstream() -> Upstream {
    let upstream = Upstream::start();
    for name in ["games.example", "plain.example", "other.example"] {
        let answer = vec![format!("{name} 3600 A 192.0.2.9")];
        upstream.answer(name, Some(1), Canned { answer, ..Canned::default() });
    }
    upstream
}

fn ask(gateway: &Gateway, from: &str, name: &str) -> crate::support::Answer {
    Ask::new(name, "A").from(from).edns(1232).expect(gateway.dns)
}

fn rcode(gateway: &Gateway, from: &str, name: &str) -> String {
    ask(gateway, from, name).rcode()
}

/// Runs `lachan override …` against a gateway: its exit code and output.
fn over(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).arg("override").args(arguments);
    command.args(["--config", "gateway.toml"]);
    let (status, output) = run(command);
    (status.code(), output)
}

//------------ Schedules -------------------------------------------------------

#[test]
fn lessons_block_and_breaks_do_not() {
    let upstream = upstream();
    let schedule =
        |window: String| format!("[[schedule]]\nname = \"lessons\"\ntimes = [\"{window}\"]\n");
    let lessons = gateway(&schedule(window(-5, 60)), &upstream);
    assert_eq!(rcode(&lessons, PUPIL, "games.example"), "NXDOMAIN");
    assert_eq!(rcode(&lessons, STAFF, "games.example"), "NOERROR", "staff have no lessons");
    let broken = gateway(&schedule(window(60, 120)), &upstream);
    let games = ask(&broken, PUPIL, "games.example");
    assert_eq!((games.rcode().as_str(), games.ede()), ("NOERROR", None));
    assert_eq!(rcode(&broken, PUPIL, "bets.example"), "NXDOMAIN", "locked at all times");
}

#[test]
fn nobody_keeps_an_answer_beyond_the_edge_that_changes_it() {
    let upstream = upstream();
    let extra = format!("[[schedule]]\nname = \"lessons\"\ntimes = [\"{}\"]\n", window(3, 60));
    let gateway = gateway(&extra, &upstream);
    for source in ["upstream", "cache"] {
        let ttls = ask(&gateway, PUPIL, "games.example").ttls();
        assert!(ttls.iter().all(|ttl| (60..=180).contains(ttl)), "{source}: {ttls:?}");
        // What lessons do not change, and whom they do not bind, is kept as upstream says.
        for (from, name) in [(PUPIL, "plain.example"), (STAFF, "games.example")] {
            let ttls = ask(&gateway, from, name).ttls();
            assert!(ttls.iter().all(|ttl| *ttl > 3500), "{source} {from} {name}: {ttls:?}");
        }
    }
}

#[test]
fn a_calendar_takes_lessons_away_and_is_read_again_when_it_changes() {
    let upstream = upstream();
    let day = |offset: i64| {
        let now = i64::try_from(lachan::sys::clock::system_time()).unwrap();
        let day = jiff::Timestamp::from_second(now + offset * 86_400).unwrap();
        jiff::tz::TimeZone::UTC.to_datetime(day).strftime("%Y%m%d").to_string()
    };
    let calendar = |first: i64, last: i64| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Tết\r\n\
             DTSTART;VALUE=DATE:{}\r\nDTEND;VALUE=DATE:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            day(first),
            day(last)
        )
    };
    let config = format!(
        "{TWO_GROUPS}\n[profile.pupils]\nlevel = \"lower-secondary\"\n[profile.staff]\nlevel = \"staff\"\n{GAMES}\n\
         [[schedule]]\nname = \"lessons\"\ntimes = [\"00:00-24:00\"]\nexcept = [\"holidays.ics\"]\n"
    );
    let gateway = Gateway::plan(&config)
        .upstream(&upstream)
        .file("games.txt", "games.example\n")
        .file("bets.txt", "bets.example\n")
        .file("holidays.ics", &calendar(-1, 2))
        .start();
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NOERROR", "a holiday");
    std::fs::write(gateway.dir().join("holidays.ics"), calendar(10, 12)).unwrap();
    crate::support::eventually("the end of the holiday", || {
        (rcode(&gateway, PUPIL, "games.example") == "NXDOMAIN").then_some(())
    });
    // Nonsense keeps what is in force, and says where.
    std::fs::write(
        gateway.dir().join("holidays.ics"),
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:tomorrow\nEND:VEVENT\nEND:VCALENDAR\n",
    )
    .unwrap();
    crate::support::eventually("the refusal", || {
        gateway.log().contains("holidays.ics:3:1: `tomorrow` is no date").then_some(())
    });
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NXDOMAIN");
    gateway.expect_metric("lachan_config_last_reload_success", &[], 0.0);
}

#[test]
fn a_clock_in_the_past_makes_schedules_strict() {
    let upstream = upstream();
    let config = format!(
        "{TWO_GROUPS}\n[profile.pupils]\nlevel = \"lower-secondary\"\n[profile.staff]\nlevel = \"staff\"\n{GAMES}\n\
         [state]\ndir = \"state\"\n[[schedule]]\nname = \"lessons\"\ntimes = [\"{}\"]\n",
        window(60, 120)
    );
    let tomorrow = lachan::sys::clock::system_time() + 86_400;
    let gateway = Gateway::plan(&config)
        .upstream(&upstream)
        .file("games.txt", "games.example\n")
        .file("bets.txt", "bets.example\n")
        // What an earlier life saw while a time server agreed: now must be earlier than it is.
        .file("state/clock", &tomorrow.to_string())
        .start();
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NXDOMAIN", "as in lessons");
    gateway.expect_metric("lachan_clock_state", &[("state", "untrusted")], 1.0);
    gateway.expect_metric("lachan_clock_state", &[("state", "synced")], 0.0);
    let (code, said) = over(
        &gateway,
        &["lesson", "--group", "pupils", "--allow", "games.example", "--for", "5m", "--by", "Lan"],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the clock is not to be trusted"), "{said}");
}

//------------ Overrides -------------------------------------------------------

const LESSONS: &str = "[[schedule]]\nname = \"lessons\"\ndays = [\"mon-sun\"]\n";

#[test]
fn a_lesson_opens_names_for_one_group_and_ends() {
    let upstream = upstream();
    let mut gateway = gateway(LESSONS, &upstream);
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NXDOMAIN");
    let lesson = [
        "lesson",
        "--group",
        "pupils",
        "--allow",
        "games.example",
        "--for",
        "45m",
        "--by",
        "Cô Lan",
    ];
    let (code, said) = over(&gateway, &lesson);
    assert_eq!(code, Some(0), "{said}");
    let answer = ask(&gateway, PUPIL, "www.games.example");
    assert_eq!(answer.rcode(), "NOERROR");
    let ttls = ask(&gateway, PUPIL, "games.example").ttls();
    assert!(ttls.iter().all(|ttl| *ttl <= 45 * 60), "{ttls:?}");
    assert_eq!(rcode(&gateway, "127.0.0.9", "plain.example"), "NOERROR");
    gateway.expect_metric("lachan_override_active", &[("kind", "lesson")], 1.0);

    // It outlives a restart.
    gateway.terminate();
    let again = gateway.restart();
    assert_eq!(rcode(&again, PUPIL, "games.example"), "NOERROR");
    let (_, listed) = over(&again, &["list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["overrides"][0]["by"], "Cô Lan");
    let id = listed["overrides"][0]["id"].to_string();
    assert_eq!(over(&again, &["end", "99", "--by", "x"]).0, Some(1));
    let (code, said) = over(&again, &["end", &id, "--by", "Thầy Hà"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(rcode(&again, PUPIL, "games.example"), "NXDOMAIN");
    again.expect_metric("lachan_override_active", &[("kind", "lesson")], 0.0);

    let ledger = std::fs::read_to_string(again.dir().join("state/ledger.jsonl")).unwrap();
    let lines: Vec<Value> =
        ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<String> = lines
        .iter()
        .map(|line| {
            format!("{} {} {} {}", line["action"], line["who"], line["group"], line["names"])
        })
        .collect();
    assert_eq!(
        shown,
        [
            "\"begin\" \"Cô Lan\" \"pupils\" [\"games.example\"]",
            // Who ended it, not who began it.
            "\"end\" \"Thầy Hà\" \"pupils\" [\"games.example\"]",
        ]
    );
}

#[test]
fn an_exam_leaves_its_names_and_essential_ones_and_binds_its_group_alone() {
    let upstream = upstream();
    let gateway = gateway(LESSONS, &upstream);
    let exam =
        ["exam", "--group", "pupils", "--only", "plain.example", "--for", "1h", "--by", "Hà"];
    assert_eq!(over(&gateway, &exam).0, Some(0));
    for (name, expected) in [
        ("plain.example", "NOERROR"),
        ("www.plain.example", "NOERROR"),
        ("other.example", "NXDOMAIN"),
        ("pool.ntp.org", "NOERROR"),
        ("bets.example", "NXDOMAIN"),
    ] {
        assert_eq!(rcode(&gateway, PUPIL, name), expected, "{name}");
    }
    assert_eq!(rcode(&gateway, STAFF, "other.example"), "NOERROR", "another group");
    let labels = [("group", "pupils"), ("category", "none"), ("source", "allow_list")];
    gateway.expect_metric("lachan_blocked_total", &labels, 1.0);
}

#[test]
fn a_category_can_be_opened_unless_it_is_locked() {
    let upstream = upstream();
    let gateway = gateway(LESSONS, &upstream);
    let lesson =
        |what| ["lesson", "--group", "pupils", "--for", "5m", "--by", "Lan", "--allow", what];
    let (code, said) = over(&gateway, &lesson("category:gambling"));
    assert_eq!(code, Some(1));
    assert!(said.contains("`gambling` stays blocked: it is locked for everyone"), "{said}");
    let (code, said) = over(&gateway, &lesson("bets.example"));
    assert_eq!(code, Some(1));
    assert!(said.contains("listed in the locked category `gambling`"), "{said}");
    // Below a locked name too, whoever asks.
    assert_eq!(over(&gateway, &lesson("example")).0, Some(0));
    assert_eq!(rcode(&gateway, PUPIL, "bets.example"), "NXDOMAIN");
    assert_eq!(over(&gateway, &lesson("category:games")).0, Some(0));
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NOERROR");

    // In the language of the school, at once after it is set.
    let config = gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("[school]", "[school]\nlang = \"vi\"")).unwrap();
    gateway.reload();
    crate::support::eventually("Vietnamese", || {
        let (_, said) = over(&gateway, &lesson("category:gambling"));
        said.contains("vẫn bị chặn: nhóm này bị khóa với mọi người").then_some(())
    });
}

/// One request to the admin address with these header lines: its status.
fn request(admin: SocketAddr, head: &str) -> u16 {
    let mut stream = TcpStream::connect(admin).unwrap();
    write!(stream, "{head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn nobody_acts_without_the_token_nor_through_a_browser() {
    let upstream = upstream();
    let gateway = gateway(LESSONS, &upstream);
    let admin = gateway.admin_address();
    let path = gateway.dir().join("state/admin-token");
    let token = std::fs::read_to_string(&path).unwrap();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let get = |lines: &str| request(admin, &format!("GET /api/overrides HTTP/1.1\r\n{lines}"));
    let right = format!("Authorization: Bearer {}", token.trim());
    assert_eq!(get(&format!("Host: {admin}\r\n{right}")), 200);
    assert_eq!(get(&format!("Host: {admin}")), 401);
    assert_eq!(get(&format!("Host: {admin}\r\nAuthorization: Bearer {}", "0".repeat(64))), 401);
    // A name that somebody lets point here, and a page of another origin.
    assert_eq!(get(&format!("Host: evil.example\r\n{right}")), 403);
    assert_eq!(get(&format!("Host: {admin}\r\nOrigin: http://evil.example\r\n{right}")), 403);
    assert_eq!(get(&format!("Host: {admin}\r\nOrigin: http://{admin}\r\n{right}")), 200);
    assert_eq!(
        request(admin, &format!("POST /api/overrides HTTP/1.1\r\nHost: {admin}\r\n{right}")),
        400
    );
    assert_eq!(request(admin, &format!("DELETE /api/overrides/1 HTTP/1.1\r\nHost: {admin}")), 401);
}

#[test]
fn without_a_state_directory_there_is_no_token_and_with_one_elsewhere_it_says_what_is_lost() {
    let upstream = upstream();
    let config = format!(
        "{}\n[profile.pupils]\nlevel = \"lower-secondary\"\n[profile.staff]\nlevel = \"staff\"\n",
        TWO_GROUPS.replace("[admin]", "[admin]\ntoken = \"token\"")
    );
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    let (code, said) = over(
        &gateway,
        &["lesson", "--group", "pupils", "--allow", "games.example", "--for", "5m", "--by", "Lan"],
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("without a state directory a restart ends it"), "{said}");
    let bare = Gateway::plan(&config.replace("token = \"token\"", "")).upstream(&upstream).start();
    let status = request(
        bare.admin_address(),
        &format!("GET /api/overrides HTTP/1.1\r\nHost: {}", bare.admin_address()),
    );
    assert_eq!(status, 503);
    assert!(!Path::new(bare.dir()).join("state").exists());
}

//------------ Groups ----------------------------------------------------------

#[test]
fn a_listener_names_the_group_of_clients_in_no_network() {
    let upstream = upstream();
    let two = r#"
        default_group = "pupils"
        [listen]
        dns = ["127.0.0.1:{dns}", "127.0.0.2:{dns}"]
        [admin]
        listen = "127.0.0.1:{admin}"
        [upstream]
        servers = ["udp://127.0.0.1:{upstream}"]
        [lists]
        starter = false
        [[lists.source]]
        category = "games"
        path = "games.txt"
        [[group]]
        name = "pupils"
        level = "primary"
        clients = ["127.0.10.5-127.0.10.9"]
        [[group]]
        name = "staff"
        level = "staff"
        listen = ["127.0.0.2:{dns}"]
    "#;
    let gateway =
        Gateway::plan(two).upstream(&upstream).file("games.txt", "games.example\n").start();
    let staff = SocketAddr::from(([127, 0, 0, 2], gateway.dns.port()));
    let ask = |from: &str, at, tcp: bool| {
        let ask = Ask::new("games.example", "A").from(from);
        let ask = if tcp { ask.tcp() } else { ask };
        ask.expect(at).rcode()
    };
    for tcp in [false, true] {
        assert_eq!(ask("127.0.20.5", gateway.dns, tcp), "NXDOMAIN", "the default group");
        assert_eq!(ask("127.0.20.5", staff, tcp), "NOERROR", "the listener's");
        assert_eq!(ask("127.0.10.9", staff, tcp), "NXDOMAIN", "a network goes before a listener");
        assert_eq!(ask("127.0.10.10", staff, tcp), "NOERROR", "behind the range");
    }
}
