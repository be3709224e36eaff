//! Layers and locks over the real binary: what `lachan check` shows of them, and that a mistake in
//! any of their files changes nothing while the gateway serves.

use std::fs;
use std::process::Command;

use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Gateway, PUPIL, STAFF, TWO_GROUPS, Upstream, eventually};

const DEPARTMENT: &str = r#"
name = "Sở Giáo dục và Đào tạo"
contact = "cntt@so.example"
deny = ["bad.example"]

[[lock]]
category = "social"
levels = ["lower-secondary"]
reason = "Công văn 12"

[[lock]]
safesearch = ["google", "bing"]
youtube = "moderate"
canaries = ["firefox"]

[defaults.staff]
games = "allow"
youtube = "strict"
"#;

const SCHOOL: &str = r#"
[department]
policy = "department.toml"

[[schedule]]
name = "lessons"
days = ["mon-fri"]
times = ["07:00-11:30"]
except = ["holidays.ics"]

[profile.pupils]
level = "lower-secondary"
observe = ["games"]
allow = ["lib.example"]
youtube = "strict"
canaries = ["firefox", "icloud"]
keywords = false

[profile.pupils.during.lessons]
block = ["games"]

[profile.staff]
level = "staff"
block = ["adult"]
safesearch = ["google", "bing", "ecosia"]

[[lists.source]]
category = "social"
path = "social.txt"
"#;

const HOLIDAYS: &str =
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20270101\nEND:VEVENT\nEND:VCALENDAR\n";

/// Runs `lachan check` on the config of a gateway: its exit code and what it says.
fn check(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).args(["check", "gateway.toml"]).args(arguments);
    let (status, said) = run(command);
    (status.code(), said)
}

fn start(upstream: &Upstream) -> Gateway {
    Gateway::plan(&format!("{TWO_GROUPS}{SCHOOL}"))
        .upstream(upstream)
        .file("department.toml", DEPARTMENT)
        .file("holidays.ics", HOLIDAYS)
        .file("social.txt", "chat.example\n")
        .start()
}

fn rcode(gateway: &Gateway, from: &str, name: &str) -> String {
    Ask::new(name, "A").from(from).expect(gateway.dns).rcode()
}

#[test]
fn check_shows_what_is_in_force_and_where_a_school_differs() {
    let upstream = Upstream::start();
    let gateway = start(&upstream);
    let (code, said) = check(&gateway, &["--effective"]);
    assert_eq!(code, Some(0), "{said}");
    insta::assert_snapshot!(said, @r#"
    gateway.toml:34:1: warning: [school] has no `timezone`: schedules run by UTC, not by the clock on the wall
    hint: add `timezone = "Asia/Ho_Chi_Minh"`
    gateway.toml:49:10: warning: `games` has no effect: no list has names of it
    hint: add `[[lists.source]]`
    gateway.toml:53:10: warning: `adult` has no effect: no list has names of it
    hint: add `[[lists.source]]`
    department Sở Giáo dục và Đào tạo
      deny     bad.example
    times by UTC
      lessons  mon tue wed thu fri 07:00-11:30 except holidays.ics
    group pupils (default: clients in no other network)
      level    lower-secondary, profile pupils
      clients  127.0.10.0/24
      locked   csam legal_request adult nudify gambling extremism fraud malware bypass social
        of these by the department social
      block    dating violence drugs self_harm hacking piracy crypto ads_trackers cheating
      lessons  ai_chat (schedule lessons)
      observe  games video risky_infra fake_news unsafe_search
      allow    lib.example
      during   lessons: block games
      safesearch google bing duckduckgo youtube=strict yandex pixabay ecosia brave qwant startpage
        locked by the department google bing youtube=moderate
      canaries   firefox icloud
        locked by the department firefox
      answer   nxdomain
      keywords do nothing
    group staff
      level    staff, profile staff
      clients  127.0.20.0/24
      locked   csam legal_request nudify gambling extremism fraud malware
      block    adult
      safesearch google bing youtube=strict ecosia
        locked by the department google bing youtube=moderate
      canaries   firefox icloud chrome
        locked by the department firefox
      answer   nxdomain
      keywords do nothing
    gateway.toml: ok (2 groups, 1 upstream, 1 list, 1 names)
    "#);
    let (code, said) = check(&gateway, &["--diff"]);
    assert_eq!(code, Some(0), "{said}");
    insta::assert_snapshot!(said, @r#"
    gateway.toml:34:1: warning: [school] has no `timezone`: schedules run by UTC, not by the clock on the wall
    hint: add `timezone = "Asia/Ho_Chi_Minh"`
    gateway.toml:49:10: warning: `games` has no effect: no list has names of it
    hint: add `[[lists.source]]`
    gateway.toml:53:10: warning: `adult` has no effect: no list has names of it
    hint: add `[[lists.source]]`
    group pupils (lower-secondary), against Sở Giáo dục và Đào tạo
      games                        lessons → observe  looser
      safe search of youtube       moderate → strict  stricter
      canary chrome                on → off  looser
      keywords                     on → off  looser
      lib.example                  - → allow  looser
      games during lessons         - → block  stricter
    group staff (staff), against Sở Giáo dục và Đào tạo
      violence                     observe → allow  looser
      drugs                        observe → allow  looser
      bypass                       observe → allow  looser
      hacking                      observe → allow  looser
      piracy                       observe → allow  looser
      crypto                       observe → allow  looser
      ads_trackers                 observe → allow  looser
      risky_infra                  observe → allow  looser
      safe search of ecosia        off → on  stricter
    gateway.toml: ok (2 groups, 1 upstream, 1 list, 1 names)
    "#);
}

#[test]
fn what_is_looser_than_the_department_is_for_scripts_too() {
    let upstream = Upstream::start();
    let (_, said) = check(&start(&upstream), &["--diff", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let looser: Vec<&str> = said["diff"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["effect"] == "looser")
        .map(|change| change["what"].as_str().unwrap())
        .collect();
    assert_eq!(looser, ["games", "canary chrome", "keywords", "lib.example"]);
}

#[test]
fn what_the_department_locks_is_held_on_the_wire() {
    let upstream = Upstream::start();
    let gateway = start(&upstream);
    let answer = |from: &str, name: &str| Ask::new(name, "A").from(from).expect(gateway.dns);
    // Nobody at the school said a word of YouTube for staff: the department's default.
    let cname = |from: &str, name: &str| answer(from, name).answers().first().cloned();
    let strict = Some("CNAME restrict.youtube.com.".to_owned());
    upstream_knows(&upstream, "restrict.youtube.com");
    upstream_knows(&upstream, "strict.bing.com");
    assert!(answer(STAFF, "www.youtube.com").answers().contains(strict.as_ref().unwrap()));
    assert!(answer(STAFF, "www.bing.com").answers().contains(&"CNAME strict.bing.com.".to_owned()));
    assert_eq!(cname(STAFF, "pixabay.com"), Some("A 192.0.2.1".to_owned()));
    assert_eq!(rcode(&gateway, PUPIL, "use-application-dns.net"), "NXDOMAIN");
    assert_eq!(rcode(&gateway, PUPIL, "dns-tunnel-check.googlezip.net"), "NOERROR");

    // The department tightens: its lock acts at once, what the school says of it is void, and the
    // log names the word that decides.
    let tighter = DEPARTMENT.replace("youtube = \"moderate\"", "youtube = \"strict\"");
    fs::write(gateway.dir().join("department.toml"), &tighter).unwrap();
    eventually("the reload", || {
        (gateway.metrics().value("lachan_reloads_total", &[("result", "ok")]) > 0.0).then_some(())
    });
    let all = tighter.replace("canaries = [\"firefox\"]", "canaries = \"all\"");
    fs::write(gateway.dir().join("department.toml"), &all).unwrap();
    eventually("the lock", || {
        gateway.log().contains("canaries of `chrome` cannot be off: Sở Giáo dục").then_some(())
    });
    assert_eq!(rcode(&gateway, PUPIL, "dns-tunnel-check.googlezip.net"), "NXDOMAIN");
    assert_eq!(check(&gateway, &[]).0, Some(3));
}

#[test]
fn a_lock_wins_over_an_allow_and_stops_nobody() {
    let upstream = Upstream::start();
    let school =
        SCHOOL.replace("\"lib.example\"", "\"lib.example\", \"chat.example\", \"pay.example\"");
    let delivered = "\n[[lists.source]]\ncategory = \"fraud\"\npath = \"fraud.txt\"\n";
    let plan = Gateway::plan(&format!("{TWO_GROUPS}{school}{delivered}"))
        .upstream(&upstream)
        .file("department.toml", DEPARTMENT)
        .file("holidays.ics", HOLIDAYS)
        .file("social.txt", "chat.example\n")
        .file("fraud.txt", "fraud.example\n");
    // It starts, though one of the three is locked already.
    let mut gateway = plan.start();
    gateway.expect_metric("lachan_void_allows", &[], 1.0);
    gateway.expect_log("void, a lock wins: group `pupils`: `chat.example`");
    assert_eq!(rcode(&gateway, PUPIL, "chat.example"), "NXDOMAIN");
    assert_eq!(rcode(&gateway, PUPIL, "pay.example"), "NOERROR");
    assert_eq!(rcode(&gateway, PUPIL, "lib.example"), "NOERROR");
    let reload = |gateway: &Gateway, file: &str, text: &str, void: f64| {
        fs::write(gateway.dir().join(file), text).unwrap();
        eventually(file, || {
            (gateway.metrics().value("lachan_void_allows", &[]) > void - 0.5).then_some(())
        });
    };
    // A delivered list of a locked category, and the department in an emergency.
    reload(&gateway, "fraud.txt", "fraud.example\npay.example\n", 2.0);
    assert_eq!(rcode(&gateway, PUPIL, "pay.example"), "NXDOMAIN");
    let emergency = DEPARTMENT
        .replace("\"bad.example\"", "\"bad.example\", \"lib.example\"")
        .replace("[[lock]]\nsafe", "[[lock]]\ncategory = \"games\"\n[[lock]]\nsafe");
    reload(&gateway, "department.toml", &emergency, 3.0);
    for name in ["lib.example", "www.lib.example", "bad.example"] {
        assert_eq!(rcode(&gateway, PUPIL, name), "NXDOMAIN", "{name}");
        assert_eq!(rcode(&gateway, STAFF, name), "NXDOMAIN", "{name}");
    }
    let (code, said) = check(&gateway, &[]);
    assert_eq!(code, Some(3), "{said}");
    for name in ["chat.example", "pay.example", "lib.example", "games"] {
        assert!(said.contains(&format!("`{name}` cannot be let through")), "{name}: {said}");
    }
    // A restart comes up with the lock.
    gateway.terminate();
    let gateway = gateway.restart();
    assert_eq!(rcode(&gateway, PUPIL, "lib.example"), "NXDOMAIN");
    assert_eq!(rcode(&gateway, PUPIL, "other.example"), "NOERROR");
    gateway.expect_metric("lachan_void_allows", &[], 3.0);
}

fn upstream_knows(upstream: &Upstream, name: &str) {
    let answer = vec![format!("{name}. 60 A 192.0.2.9")];
    upstream.answer(name, None, crate::support::Canned { answer, ..Default::default() });
}

/// Puts the right text of a file back, and waits until it is in force.
fn restore(gateway: &Gateway, file: &str, school: &str) {
    let text = match file {
        "gateway.toml" => school,
        "department.toml" => DEPARTMENT,
        _ => HOLIDAYS,
    };
    fs::write(gateway.dir().join(file), text).unwrap();
    eventually("the old text is read again", || {
        (gateway.metrics().value("lachan_config_last_reload_success", &[]) > 0.0).then_some(())
    });
}

/// Mistakes, each as a file's new text.
fn mistakes(school: &str) -> Vec<(&'static str, String)> {
    let in_school = |from: &str, to: &str| {
        assert!(school.contains(from), "{from}");
        ("gateway.toml", school.replacen(from, to, 1))
    };
    let in_department = |from: &str, to: &str| {
        assert!(DEPARTMENT.contains(from), "{from}");
        ("department.toml", DEPARTMENT.replacen(from, to, 1))
    };
    let in_holidays = |text: &str| ("holidays.ics", text.to_owned());
    vec![
        in_school("observe = [\"games\"]", "observe = [\"gaems\"]"),
        in_school("observe = [\"games\"]", "observe = [\"social\"]"),
        in_school("allow = [\"lib.example\"]", "allow = [\"x.bad.example\"]"),
        in_school("allow = [\"lib.example\"]", "allow = [\"www.chat.example\"]"),
        in_school(
            "[profile.staff]",
            "[essential]\nnames = [\"=www.chat.example\"]\n[profile.staff]",
        ),
        in_school("clients = [\"127.0.20.0/24\"]", "clients = [\"127.0.10.0/24\"]"),
        in_school("id = \"test-school\"", "timezone = \"Asia/Hanoi\""),
        in_school("times = [\"07:00-11:30\"]", "times = []"),
        in_school("youtube = \"strict\"", "youtube = \"off\""),
        in_school("\"bing\", \"ecosia\"", "\"ecosia\""),
        in_school("[upstream]", "[local]\nrecords = [\"strict.bing.com A 10.0.0.1\"]\n[upstream]"),
        in_department("category = \"social\"", "category = \"socail\""),
        in_department("[defaults.staff]", "[[unlock]]\ncategory = \"gambling\"\n[defaults.staff]"),
        in_holidays("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:tomorrow\nEND:VEVENT\nEND:VCALENDAR\n"),
        in_holidays("<!DOCTYPE html>\n"),
    ]
}

#[test]
fn every_mistake_of_a_policy_has_a_place_and_a_way_out_and_changes_nothing() {
    let upstream = Upstream::start();
    let gateway = start(&upstream);
    let school = fs::read_to_string(gateway.dir().join("gateway.toml")).unwrap();
    let mistakes = mistakes(&school);
    let (mut shown, mut last) = (String::new(), "gateway.toml");
    for (file, text) in mistakes {
        let path = gateway.dir().join(file);
        if file != last {
            restore(&gateway, last, &school);
            last = file;
        }
        let reloads =
            |result| gateway.metrics().value("lachan_reloads_total", &[("result", result)]);
        let refused = || reloads(if file == "gateway.toml" { "refused" } else { "held" });
        let before = (reloads("ok"), refused());
        fs::write(&path, &text).unwrap();
        let (code, said) = check(&gateway, &[]);
        assert_eq!(code, Some(3), "{said}");
        shown += &said;
        shown.push('\n');
        // What a lock makes void is refused by nobody else.
        let is_void = ["let through", "cannot be off", "must be at least"]
            .into_iter()
            .any(|words| said.contains(words));
        eventually(if is_void { "the lock" } else { "the refusal" }, || {
            // A mistake of the config is refused; the kept copy of another file stands in.
            let now = (reloads("ok"), refused());
            (if is_void { now.0 > before.0 } else { now.1 > before.1 }).then_some(())
        });
        assert_eq!(rcode(&gateway, PUPIL, "chat.example"), "NXDOMAIN");
        assert_eq!(rcode(&gateway, STAFF, "chat.example"), "NOERROR");
    }
    insta::assert_snapshot!("policy_mistakes", shown);
}
