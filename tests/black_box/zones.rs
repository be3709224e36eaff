//! Response policy zones over the real binary: what no scenario can say of them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::kit::folder::Folder;
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::{Ask, Canned, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream};

const SOA: &str =
    "$TTL 300\n@ SOA localhost. root.localhost. 1 3600 600 86400 300\n  NS localhost.\n";
const CONFIG: &str = r#"
[[group]]
name = "default"
profile = "p"
[profile.p]
block = ["piracy"]
[[lists.source]]
category = "piracy"
path = "white.zone"
format = "rpz"
[[lists.source]]
category = "piracy"
path = "black.zone"
format = "rpz"
"#;
const WHITE: &str =
    "portal.example CNAME rpz-passthru.\n32.8.113.0.203.rpz-ip CNAME rpz-passthru.\n";
const BLACK: &str = "24.0.113.0.203.rpz-ip CNAME .\ncdn.bad.example CNAME *.\nportal.example CNAME .\n\
                     a.bad.example CNAME .\n*.a.bad.example CNAME .\n\
                     32.1.0.0.10.rpz-client-ip CNAME .\n32.2.0.0.10.rpz-client-ip CNAME .\n\
                     ns.bad.example.rpz-nsdname CNAME .\n32.3.0.0.10.rpz-nsip CNAME .\n";

fn folder() -> Folder {
    let zone = |rules: &str| format!("{SOA}{rules}");
    Folder::new(CONFIG, &[("white.zone", &zone(WHITE)), ("black.zone", &zone(BLACK))])
}

fn why(config: &Path, name: &str, answer: &[&str]) -> Value {
    let mut command = Command::new(LACHAN);
    command.args(["why", name, "--json", "--config"]).arg(config);
    command.args(answer.iter().flat_map(|part| ["--answer", part]));
    let (status, said) = run(command);
    assert!(status.success(), "{said}");
    said_in_json(&said)
}

#[test]
fn why_reviews_an_answer_and_names_the_alias_or_address_and_its_zone() {
    let folder = folder();
    let config = folder.config();
    let part = |name: &str, answer: &[&str]| {
        let said = why(&config, name, answer);
        let by = &said["blocked_by"];
        let shown = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let words =
            [&said["verdict"], &by["kind"], &by["value"], &by["list"], &said["answer"]["rcode"]];
        words.map(shown).join(" ")
    };
    let listed = "203.0.113.81";
    assert_eq!(part("x.example", &[]), "allow - - - -");
    assert_eq!(part("x.example", &[listed]), format!("block address {listed} black.zone NXDOMAIN"));
    assert_eq!(
        part("x.example", &["cdn.bad.example", "192.0.2.1"]),
        "block alias cdn.bad.example black.zone NOERROR"
    );
    // Passed by the earlier zone: the name, an alias, the address.
    assert_eq!(part("portal.example", &["cdn.bad.example", listed]), "allow - - - NOERROR");
    assert_eq!(part("x.example", &["portal.example", listed]), "allow - - - NOERROR");
    assert_eq!(part("x.example", &["203.0.113.8"]), "allow - - - NOERROR");
    let text = {
        let mut command = Command::new(LACHAN);
        command.args(["why", "x.example", "--answer", listed, "--config"]).arg(&config);
        run(command).1
    };
    assert!(text.contains(&format!("by        address {listed} of the answer, list black.zone")));
    assert!(text.starts_with("blocked: category piracy (category)"), "{text}");
}

#[test]
fn triggers_that_are_not_done_are_counted_by_kind() {
    let folder = folder();
    let mut command = Command::new(LACHAN);
    command.args(["check", "--json"]).arg(folder.config());
    let (status, said) = run(command);
    assert!(status.success(), "{said}");
    let said = said_in_json(&said);
    let rejects = &said["lists"][1]["rejects"];
    assert_eq!(rejects["rpz-client-ip"], 2, "{said}");
    assert_eq!((&rejects["rpz-nsip"], &rejects["rpz-nsdname"]), (&1.into(), &1.into()));
    let mut command = Command::new(LACHAN);
    command.arg("check").arg(folder.config());
    let text = run(command).1;
    assert!(text.contains("not used: 2 rpz-client-ip, 1 rpz-nsdname, 1 rpz-nsip"), "{text}");
}

#[test]
fn what_a_zone_drops_gets_no_answer_and_the_next_query_does() {
    let upstream = Upstream::start();
    let answer = vec!["address.example. 60 A 203.0.113.9".into()];
    upstream.answer("address.example", None, Canned { answer, ..Canned::default() });
    let source = "[[lists.source]]\ncategory = \"malware\"\npath = \"a.zone\"\n";
    let zone =
        format!("{SOA}drop.example CNAME rpz-drop.\n32.9.113.0.203.rpz-ip CNAME rpz-drop.\n");
    let gateway = Gateway::plan(&format!("{TWO_GROUPS}{TWO_PROFILES}{source}"))
        .upstream(&upstream)
        .file("a.zone", &zone)
        .start();
    let limit = Duration::from_millis(400);
    // Fresh and cached.
    for name in ["drop.example", "address.example", "address.example"] {
        let answer = Ask::new(name, "A").from(PUPIL).limit(limit).send(gateway.dns);
        assert!(answer.is_none(), "{name}");
    }
    assert_eq!(
        Ask::new("www.drop.example", "A").from(PUPIL).expect(gateway.dns).rcode(),
        "NOERROR"
    );
}
