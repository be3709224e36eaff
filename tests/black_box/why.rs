//! `lachan why` and `lachan check`: what they say is what the wire answers.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::gateway::{LACHAN, run};
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
        "[Adblock]\n||ads.example^\n@@||ok.ads.example^\n||no.example^$dnsrewrite=REFUSED\n",
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
    serde_json::from_str(&output).unwrap()
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

    // With the place of the rule, where its text is at hand.
    let said = why(&path, "www.games.example", PUPIL, "A");
    assert_eq!((&said["rule"], &said["line"]), (&"games.example".into(), &2.into()), "{said:#}");
    assert_eq!((&said["category"], &said["list"]), (&"games".into(), &"games.txt".into()));
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
    let dir = tempfile::tempdir().unwrap();
    let text = "default_group = \"pupils\"\n[upstream]\nservers = [\"udp://192.0.2.53\"]\n[[group]]\n\
        name = \"pupils\"\nclients = [\"10.0.0.0/8\"]\nprofile = \"p\"\n[profile.p]\nlevel = \"staff\"\n\
        block = [\"adult\"]\nobserve = [\"games\"]\n[[lists.source]]\ncategory = \"games\"\npath = \"g.txt\"\n";
    std::fs::write(dir.path().join("gateway.toml"), text).unwrap();
    std::fs::write(dir.path().join("g.txt"), "g.example\nunder(score).example\n").unwrap();
    let (code, output) = lachan(dir.path(), &["check", "gateway.toml", "--effective"]);
    assert_eq!(code, Some(0), "{output}");
    insta::assert_snapshot!(output, @"
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
    std::fs::write(dir.path().join("two.toml"), two).unwrap();
    std::fs::write(dir.path().join("g.txt"), "<!DOCTYPE html>\n<html></html>\n").unwrap();
    let (code, output) = lachan(dir.path(), &["check", "two.toml"]);
    assert_eq!(code, Some(3), "{output}");
    insta::assert_snapshot!(output, @r"
    g.txt: refused: this is a web page, not a list; open its address in a browser to see what it says
    gone.txt: the list cannot be read: No such file or directory (os error 2); check the path in [[lists.source]]
    ");

    std::fs::write(dir.path().join("bad.toml"), text.replace("10.0.0.0/8", "10.0.0.1/8")).unwrap();
    let (code, output) = lachan(dir.path(), &["check", "bad.toml", "--json"]);
    assert_eq!(code, Some(3));
    let said: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(said["mistakes"][0]["line"], 6, "{said:#}");
    assert_eq!(lachan(dir.path(), &["check"]).0, Some(2));
    assert_eq!(lachan(dir.path(), &["why", "no name"]).0, Some(2));
}
