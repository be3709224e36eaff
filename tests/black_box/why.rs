//! `lachan why` and `lachan check`: what they say is what the wire answers.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use proptest::strategy::{Strategy as _, ValueTree as _};

use crate::kit::folder::Folder;
use crate::kit::policies;
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::{Ask, Gateway, PUPIL, STAFF, TWO_GROUPS, Upstream};

const PROFILES: &str = r#"
[profile.pupils]
level = "lower-secondary"
block = ["adult", "games", "ads_trackers"]
allow = ["allowed.games.example"]
deny = ["denied.example", "bad.allowed.games.example"]

[profile.staff]
level = "staff"
block = []
observe = ["games"]
answer = "refused"
"#;

const SOURCES: &str = r#"
[[lists.source]]
category = "games"
path = "games.txt"

[[lists.source]]
category = "adult"
path = "adult.hosts"

[[lists.source]]
category = "ads_trackers"
path = "ads.txt"

[[lists.source]]
category = "gambling"
path = "zone.rpz"
"#;

const FILES: [(&str, &str); 4] = [
    ("games.txt", "# games\ngames.example\nboth.example\npool.ntp.org\n"),
    ("adult.hosts", "0.0.0.0 adult.example\n0.0.0.0 both.example\n0.0.0.0 www.both.example\n"),
    (
        "ads.txt",
        "[Adblock]\n||ads.example^\n@@||ok.ads.example^\n||no.example^$dnsrewrite=REFUSED\n\
         /^stats?[0-9]*\\./\n||v6.example^$dnstype=AAAA|HTTPS\n@@/^stats\\.ok\\./\n",
    ),
    (
        "zone.rpz",
        "$TTL 60\n@ SOA a. b. 1 1 1 1 1\nbet.example CNAME .\n*.bet.example CNAME *.\nfree.bet.example CNAME rpz-passthru.\n",
    ),
];

fn why(config: &Path, name: &str, client: &str, qtype: &str) -> Value {
    let mut command = Command::new(LACHAN);
    command.args(["why", name, "--client", client, "--type", qtype, "--json", "--config"]);
    let (status, output) = run({
        command.arg(config);
        command
    });
    assert!(status.success(), "{output}");
    said_in_json(&output)
}

#[test]
fn why_says_what_the_wire_answers() {
    let upstream = Upstream::start();
    let config = format!("{TWO_GROUPS}{PROFILES}{SOURCES}");
    let plan = Gateway::plan(&config).upstream(&upstream);
    let gateway = FILES.iter().fold(plan, |plan, (name, text)| plan.file(name, text)).start();
    let path = gateway.dir().join("gateway.toml");
    let listed = [
        "games.example",
        "allowed.games.example",
        "bad.allowed.games.example",
        "adult.example",
        "both.example",
        "www.both.example",
        "ads.example",
        "ok.ads.example",
        "no.example",
        "bet.example",
        "free.bet.example",
        "stat7.example",
        "stats.ok.example",
        "v6.example",
        "denied.example",
        "plain.example",
        "pool.ntp.org",
        "mask.icloud.com",
        "printer.local",
        "localhost",
        "nhacaiuytin-x.example",
    ];
    let mut verdicts = std::collections::BTreeSet::new();
    for base in listed {
        for name in [base.to_owned(), format!("A-label.{base}"), format!("x{base}")] {
            for (client, qtype) in [(PUPIL, "A"), (STAFF, "AAAA"), (PUPIL, "HTTPS")] {
                let said = why(&path, &name, client, qtype);
                let wire = Ask::new(&name, qtype).from(client).edns(1232).expect(gateway.dns);
                let context = format!("{name} {qtype} from {client}: {said:#}");
                verdicts.insert(format!("{} {}", said["verdict"], said["layer"]));
                match said["answer"]["rcode"].as_str() {
                    // Upstream was asked: it knows every address.
                    None => {
                        assert_eq!(said["verdict"], "allow", "{context}");
                        assert_eq!(
                            (wire.rcode().as_str(), wire.ede()),
                            ("NOERROR", None),
                            "{context}"
                        );
                    }
                    Some(rcode) => {
                        assert_eq!(wire.rcode(), rcode, "{context}");
                        let ede = wire.ede().map(|(code, text)| serde_json::json!([code, text]));
                        assert_eq!(said["answer"]["ede"], ede.unwrap_or(Value::Null), "{context}");
                    }
                }
            }
        }
    }
    let verdicts: Vec<&str> = verdicts.iter().map(String::as_str).collect();
    insta::assert_snapshot!(verdicts.join("\n"), @r#"
    "allow" "category"
    "allow" "default"
    "allow" "essential"
    "allow" "school-allow"
    "block" "category"
    "block" "keyword"
    "block" "locked"
    "block" "school-deny"
    "local" "canary"
    "local" "special-use"
    "#);

    // With the place of the rule, where its text is at hand, also of one about more than a name.
    for (name, qtype, rule, line) in [
        ("stats.plain.example", "A", Some("/^stats?[0-9]*\\./"), Some(5)),
        ("www.v6.example", "HTTPS", Some("v6.example$dnstype=AAAA|HTTPS"), Some(6)),
        ("www.v6.example", "A", None, None),
        ("stats.ok.example", "A", None, None),
    ] {
        let said = why(&path, name, PUPIL, qtype);
        assert_eq!(said["rule"].as_str(), rule, "{said:#}");
        assert_eq!(said["line"].as_u64(), line, "{said:#}");
    }
    let said = why(&path, "www.games.example", PUPIL, "A");
    assert_eq!((&said["rule"], &said["line"]), (&"games.example".into(), &2.into()), "{said:#}");
    assert_eq!((&said["category"], &said["list"]), (&"games".into(), &"games.txt".into()));
}

/// A few policies at random, over real sockets and by the real command: the law that
/// `tests/core/explain.rs` holds for many.
#[test]
fn why_says_what_the_wire_answers_under_policies_at_random() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut asked = 0;
    for _ in 0..6 {
        let generated = (policies::policies(), policies::questions(12)).new_tree(&mut runner);
        let (policy, questions) = generated.unwrap().current();
        let upstream = Upstream::start();
        let plan = Gateway::plan(&format!("{TWO_GROUPS}{}", policy.config)).upstream(&upstream);
        let plan = plan.file("department.toml", &policy.department);
        let plan = policies::FILES.iter().fold(plan, |plan, (name, text)| plan.file(name, text));
        // Writes the config.
        drop(plan.command());
        let mut check = Command::new(LACHAN);
        check.arg("why").arg("example").arg("--config").arg(plan.config_path());
        if !run(check).0.success() {
            continue;
        }
        let gateway = plan.start();
        let path = gateway.dir().join("gateway.toml");
        for (name, qtype, is_staff) in questions {
            let client = if is_staff { STAFF } else { PUPIL };
            let qtype = format!("TYPE{qtype}");
            let ask = || Ask::new(&name, &qtype).from(client).edns(1232).expect(gateway.dns);
            let (before, said, after) = (ask(), why(&path, &name, client, &qtype), ask());
            if before.rcode() != after.rcode() {
                // A bell rang in between.
                continue;
            }
            asked += 1;
            let context = format!("{name} {qtype} from {client}: {said:#}\n{}", policy.config);
            let rcode = said["answer"]["rcode"].as_str();
            assert_eq!(before.rcode(), rcode.unwrap_or("NOERROR"), "{context}");
            let ede = before.ede().map(|(code, _)| u64::from(code));
            let is_rewrite = said["verdict"] == "rewrite";
            let expected = said["answer"]["ede"][0].as_u64().or(is_rewrite.then_some(4));
            if !(is_rewrite && qtype == "TYPE255") {
                assert_eq!(ede, expected, "{context}");
            }
            let decided = said["steps"].as_array().unwrap().iter();
            let decided: Vec<&Value> = decided.filter(|step| step["decided"] == true).collect();
            assert_eq!(decided.len(), 1, "{context}");
            assert_eq!(decided[0]["step"], said["layer"], "{context}");
        }
    }
    assert!(asked >= 30, "{asked}");
}

const SOURCED: &str = r#"
[local]
records = ["nas.school.lan A 10.0.0.1", "alias.school.lan CNAME www.outside.example"]
[[forward]]
zone = "zone.example"
servers = ["udp://192.0.2.53"]
[[schedule]]
name = "lessons"
times = ["07:00-11:30"]
[department]
policy = "department.toml"
[profile.pupils]
level = "lower-secondary"
observe = ["games"]
[profile.pupils.during.lessons]
block = ["games"]
[profile.staff]
level = "staff"
[[lists.source]]
category = "games"
path = "games.txt"
"#;

/// A directory with this config and what it names.
fn sourced() -> Folder {
    let head = TWO_GROUPS.replace("{dns}", "5300").replace("{admin}", "5301");
    let config = format!("{}{SOURCED}", head.replace("{upstream}", "5302"));
    let department = "name = \"Sở\"\n[defaults.lower-secondary]\ngames = \"block\"\n";
    Folder::new(&config, &[("games.txt", "games.example\n"), ("department.toml", department)])
}

/// What is told of a name there in a lesson, but for the version of the lists.
fn told(dir: &Path, name: &str, more: &[&str]) -> String {
    let mut arguments = vec!["why", name, "--config", "gateway.toml", "--client", PUPIL];
    arguments.extend_from_slice(&["--at", "2026-11-25T08:00"]);
    arguments.extend_from_slice(more);
    let (code, said) = lachan(dir, &arguments);
    assert_eq!(code, Some(0), "{said}");
    let Some((_, version)) = said.rsplit_once("version ") else { return said };
    said.replace(version.trim(), "VERSION")
}

/// What is told of a group and of claims, for a device at this address.
fn told_of_claims(dir: &Path, client: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["why", "games.example", "--config", "gateway.toml", "--json"];
    arguments.extend_from_slice(&["--client", client]);
    arguments.extend_from_slice(more);
    let (code, said) = lachan(dir, &arguments);
    assert_eq!(code, Some(0), "{said}");
    said_in_json(&said)
}

#[test]
fn why_tells_by_what_a_group_was_chosen_and_which_claims_are_ignored() {
    let config = r#"
default_group = "pupils"
[[group]]
name = "pupils"
level = "lower-secondary"
[[group]]
name = "small"
level = "primary"
macs = ["a0:36:9f:00:00:01"]
[[group]]
name = "staff"
clients = ["10.2.0.0/16"]
level = "staff"
server_names = ["staff.dns.school.example"]
"#;
    let folder = Folder::new(config, &[]);
    let told = |client, more: &[&str]| told_of_claims(folder.dir(), client, more);
    let name = ["--server-name", "Staff.dns.school.example"];
    let said = told("10.1.0.5", &[]);
    assert_eq!((&said["group"], &said["chosen_by"]), (&"pupils".into(), &"default".into()));
    assert_eq!(said["claims"], Value::Array(Vec::new()));
    let said = told("10.2.0.5", &name);
    assert_eq!((&said["group"], &said["chosen_by"]), (&"staff".into(), &"server-name".into()));
    assert_eq!(said["claims"][0]["decided"], true);
    let both = [&name[..], &["--mac", "A0-36-9F-00-00-01"]].concat();
    let said = told("10.1.0.5", &both);
    assert_eq!((&said["group"], &said["chosen_by"]), (&"small".into(), &"mac".into()), "{said}");
    let [name, mac] = [&said["claims"][0], &said["claims"][1]];
    assert_eq!((&name["claim"], &name["ignored"]), (&"server-name".into(), &"looser".into()));
    assert_eq!((&name["group"], &name["than"]), (&"staff".into(), &"pupils".into()));
    assert!(name["looser_in"].is_string(), "{said}");
    assert_eq!((&mac["claim"], &mac["decided"]), (&"mac".into(), &true.into()));
    // For people.
    let mut arguments = vec!["why", "games.example", "--config", "gateway.toml"];
    arguments.extend_from_slice(&both);
    let (_, said) = lachan(folder.dir(), &arguments);
    assert!(
        said.contains("by mac)\n  claim     server name of staff: ignored: looser than pupils ("),
        "{said}"
    );
    let (code, said) = lachan(folder.dir(), &["why", "games.example", "--mac", "a0:36"]);
    assert!(code == Some(2) && said.contains("a0:36:9f:00:00:01"), "{said}");
}

#[test]
fn why_tells_steps_layers_and_the_next_edge() {
    let folder = sourced();
    let why = |name: &str| told(folder.dir(), name, &[]);
    insta::assert_snapshot!(why("www.games.example"), @"
    blocked: category games (category)
      group     pupils (client 127.0.10.5, by address)
      time      2026-11-25T08:00:00+00:00, during lessons
      then      2026-11-25T11:30:00+00:00: allow (category)
      rule      games.example, list games.txt, games.txt line 1
      answer    NXDOMAIN from blocked, EDE 15 `category=games ref=16-VERSION`
      lists     games.example games, games.txt line 1
      layers    games: taxonomy lessons ▸ department block ▸ school observe ▸ now block
        admission        a question of a client that is answered
        special-use      no special-use or private name
        canary           no canary
        illegal          in no list of csam or legal_request
        essential        not essential
        department-deny  not denied by the department
        locked           in no category that is locked for this group
        fail-closed      no category is closed for want of its list
        override         no lesson and no exam runs
        school-allow     not let through by the school
        school-deny      not denied by the school
        department-allow not let through by the department, and in no list of good names
      ▸ category         in a category that is blocked now
      version   VERSION
    ");
    insta::assert_snapshot!(why("nas.school.lan"), @"
    allowed (default)
      group     pupils (client 127.0.10.5, by address)
      time      2026-11-25T08:00:00+00:00, during lessons
      then      2026-11-25T11:30:00+00:00: the same for this name
      answer    NOERROR from local
      source    local record nas.school.lan
        admission        a question of a client that is answered
        special-use      no special-use or private name
        canary           no canary
        illegal          in no list of csam or legal_request
        essential        not essential
        department-deny  not denied by the department
        locked           in no category that is locked for this group
        fail-closed      no category is closed for want of its list
        override         no lesson and no exam runs
        school-allow     not let through by the school
        school-deny      not denied by the school
        department-allow not let through by the department, and in no list of good names
        category         in no list
        allow-list       no allow-list holds now
        keyword          no word in it says anything
      ▸ default          nothing speaks of it, so it passes
        safesearch       no host of a search engine
      version   VERSION
    ");
}

#[test]
fn why_tells_where_an_answer_comes_from() {
    let folder = sourced();
    let source = |name: &str, qtype: &str| {
        let said = told(folder.dir(), name, &["--type", qtype, "--json"]);
        said_in_json(&said)["source"].to_string()
    };
    let sources = [
        ("nas.school.lan", "A"),
        ("alias.school.lan", "A"),
        ("alias.school.lan", "CNAME"),
        ("dc.zone.example", "A"),
        ("www.google.com", "HTTPS"),
        ("plain.example", "A"),
        ("plain.example", "ANY"),
        ("games.example", "A"),
        ("x.school.lan", "A"),
    ];
    let sources = sources.map(|(name, qtype)| format!("{name} {qtype} {}", source(name, qtype)));
    insta::assert_snapshot!(sources.join("\n"), @r#"
    nas.school.lan A {"instead":null,"kind":"local-record","name":"nas.school.lan","servers":[]}
    alias.school.lan A {"instead":"www.outside.example","kind":"local-record","name":"alias.school.lan","servers":["udp://127.0.0.1:5302"]}
    alias.school.lan CNAME {"instead":null,"kind":"local-record","name":"alias.school.lan","servers":[]}
    dc.zone.example A {"instead":null,"kind":"forward-zone","name":"zone.example","servers":["udp://192.0.2.53"]}
    www.google.com HTTPS {"instead":"forcesafesearch.google.com","kind":"upstream","name":null,"servers":["udp://127.0.0.1:5302"]}
    plain.example A {"instead":null,"kind":"upstream","name":null,"servers":["udp://127.0.0.1:5302"]}
    plain.example ANY {"instead":null,"kind":"here","name":null,"servers":[]}
    games.example A {"instead":null,"kind":"here","name":null,"servers":[]}
    x.school.lan A {"instead":null,"kind":"here","name":null,"servers":[]}
    "#);
}

/// Runs `lachan` and gives its exit code and output, without the directory.
fn lachan(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.current_dir(dir).args(arguments);
    let (status, output) = run(command);
    (status.code(), output)
}

#[test]
fn check_shows_every_mistake_and_the_policy() {
    let text = "default_group = \"pupils\"\n[upstream]\nservers = [\"udp://192.0.2.53\"]\n[[group]]\n\
        name = \"pupils\"\nclients = [\"10.0.0.0/8\"]\nprofile = \"p\"\n[profile.p]\nlevel = \"staff\"\n\
        block = [\"adult\"]\nobserve = [\"games\"]\n[[lists.source]]\ncategory = \"games\"\npath = \"g.txt\"\n";
    let folder = Folder::new(text, &[("g.txt", "g.example\nunder(score).example\n")]);
    let (code, output) = lachan(folder.dir(), &["check", "gateway.toml", "--effective"]);
    assert_eq!(code, Some(0), "{output}");
    insta::assert_snapshot!(output, @"
    gateway.toml:1:17: warning: every client in no other group is in `pupils`, of level `staff`: a pupil's device too
    hint: make a group of pupils the default, and give staff their networks
    g.txt: 1 rules as `domains`, 1 lines left out, for example line 2: `under(score).example`: not a name
    group pupils (default: clients in no other network)
      level    staff, profile p
      clients  10.0.0.0/8
      locked   csam legal_request nudify gambling extremism fraud malware
      block    adult
      observe  games
      safesearch off
      canaries   firefox icloud chrome
      answer   nxdomain
      keywords do nothing
    gateway.toml: ok (1 group, 1 upstream, 1 list, 687 names)
    ");

    // Two lists are wrong: both are told.
    let two = format!("{text}[[lists.source]]\ncategory = \"adult\"\npath = \"gone.txt\"\n");
    folder.write("two.toml", two);
    folder.write("g.txt", "<!DOCTYPE html>\n<html></html>\n");
    let (code, output) = lachan(folder.dir(), &["check", "two.toml"]);
    assert_eq!(code, Some(3), "{output}");
    insta::assert_snapshot!(output, @r"
    g.txt: refused: this is a web page, not a list; open its address in a browser to see what it says
    gone.txt: the list cannot be read: No such file or directory (os error 2); check its path in [lists]
    ");

    folder.write("bad.toml", text.replace("10.0.0.0/8", "10.0.0.1/8"));
    let (code, output) = lachan(folder.dir(), &["check", "bad.toml", "--json"]);
    assert_eq!(code, Some(3));
    let said: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(said["mistakes"][0]["line"], 6, "{said:#}");
    assert_eq!(lachan(folder.dir(), &["check"]).0, Some(2));
    assert_eq!(lachan(folder.dir(), &["why", "no name"]).0, Some(2));
}
